"""Refs: read and listed, moved by compare-and-swap, and the locks that guard them."""
