"""The store that a registry names, opened only after its user approved it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from gitreg.blobs import Store, open_store
from gitreg.documents.types import RegistryDocument
from gitreg.errors import Refused
from gitreg.git import Repository


class Approvals:
    """The stores that this user approved, in a file of the user's own.

    Parameters
    ----------
    path:
        The JSON file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def urls(self) -> list[str]:
        """Give the stores approved so far."""
        with suppress(OSError, ValueError):
            said = json.loads(self._path.read_text())
            return [url for url in said if isinstance(url, str)] if isinstance(said, list) else []
        return []

    def approve(self, url: str) -> None:
        """Approve a store, once and for all of the user's registries."""
        urls = self.urls()
        if url in urls:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        aside.write_text(json.dumps([*urls, url], indent=1) + "\n")
        os.replace(aside, self._path)


def store_url(settings: RegistryDocument, repository: Repository) -> str:
    """Give the address of a registry's store; a folder in it is taken from the top of the repository."""
    if settings.store is None:
        return str(default_folder(repository))
    if "://" in settings.store or settings.store.startswith("/"):
        return settings.store
    return os.path.normpath(main_folder(repository) / settings.store)


def main_folder(repository: Repository) -> Path:
    """Give the top of the repository's main work tree, whichever of them this is; of a bare one, its folder."""
    common = repository.common_dir
    return common.parent if common.name == ".git" else common


def default_folder(repository: Repository) -> Path:
    """Give the folder of the clone's own in which weights lie where no store is named."""
    return repository.common_dir / "gitreg" / "store"


def open_registry_store(settings: RegistryDocument, repository: Repository, approvals: Approvals) -> Store:
    """Open the store of a registry.

    Raises
    ------
    Refused
        ``gitreg.yaml`` names a store that the user has not approved.
    InvalidInput
        It is none that gitreg opens.
    """
    url = store_url(settings, repository)
    if settings.store is not None and url not in approvals.urls():
        raise Refused(
            f"this registry keeps its weights at {url}, which you have not approved",
            hint="`gitreg trust` approves it; until then nothing is read from it or written to it",
        )
    return open_store(url)
