"""Read-only views: cards, tensors, the file system for fsspec, the cache."""
