"""Metaflow: the decorator, its tasks, cards and packages."""
