"""Remotes: fetch and push with the git program or without it."""
