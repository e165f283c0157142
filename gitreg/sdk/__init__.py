"""gitreg in Python: a registry and small typed handles over what is in it."""
