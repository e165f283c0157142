"""The files of a registry: YAML, schemas, and one class for each kind of file."""
