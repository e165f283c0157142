"""Lineage: which data, runs and versions a version comes from, and what was made from it."""
