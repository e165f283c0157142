"""The settings of a registry, ``gitreg.yaml``, at any commit of a repository."""

from __future__ import annotations

from typing import Any

from gitreg.documents.files import read_data
from gitreg.documents.layout import MAX_BYTES, REGISTRY_FILE, Key
from gitreg.errors import InvalidDocument, TooLarge
from gitreg.git import Repository


def settings_data(repository: Repository, commit: str, root: str) -> dict[str, Any] | None:
    """Return the parsed ``gitreg.yaml`` of a folder at a commit; None if it is missing, {} if it cannot be read."""
    try:
        content = repository.read(commit, f"{root}/{REGISTRY_FILE}" if root else REGISTRY_FILE, limit=MAX_BYTES)
        return read_data(Key("registry"), content) if content is not None else None
    except (InvalidDocument, TooLarge):
        return {}
