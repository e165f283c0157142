"""The verbs of a registry, as functions over an open one."""
