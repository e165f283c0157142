"""The gates that a policy can ask of a version, a module for each kind of evidence."""
