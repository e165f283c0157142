"""The Python interface of gitreg: a registry, and small typed handles for its models, versions, artifacts and runs."""
