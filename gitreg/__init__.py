"""A Git-native model registry."""
