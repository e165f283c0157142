"""The files of a registry: YAML, schemas, paths, and one class for each kind of file."""
