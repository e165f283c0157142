"""Finding, creating and mirroring registries."""
