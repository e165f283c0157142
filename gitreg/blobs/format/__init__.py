"""The store's format: chunks, recipes and packs, and the bytes that they stand for."""
