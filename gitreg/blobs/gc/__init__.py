"""Garbage collection in a store: mark what is reachable, sweep the rest into the trash."""
