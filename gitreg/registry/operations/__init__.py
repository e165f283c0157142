"""The operations on a registry: pure functions from a snapshot and arguments to changes.

They read and write nothing else, so that an operation can be repeated on a newer snapshot after a compare-and-swap
that failed.
"""
