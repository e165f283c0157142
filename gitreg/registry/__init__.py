"""The domain: what a registry says, what can be done to it, and how that is written."""
