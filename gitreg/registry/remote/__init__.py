"""The registry's remote: fetch, push, sync, and histories that were rewritten."""
