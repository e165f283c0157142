"""The Git layer: bytes at paths, commits, tags, refs and work trees. It knows nothing of models.

Importing it, opening a repository and reading a ref neither imports dulwich nor starts a process.
"""

from gitreg.git.repository import Repository
from gitreg.git.values import ANY, Commit, Identity, Oversized, PathChange, RefUpdate, Tag

__all__ = ["ANY", "Commit", "Identity", "Oversized", "PathChange", "RefUpdate", "Repository", "Tag"]
