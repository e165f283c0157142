"""The cache of a machine: verified files by digest, exported to folders, evicted when it is full."""
