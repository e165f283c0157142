"""The policies of a registry: pure decisions about promotions, from evidence that the caller gathers."""
