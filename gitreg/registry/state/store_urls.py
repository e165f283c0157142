"""The URLs of the stores that ``gitreg.yaml`` names."""

from __future__ import annotations

import os
from pathlib import Path

from gitreg.documents.types import RegistryDocument
from gitreg.errors import InvalidInput
from gitreg.git import Repository
from gitreg.git.urls import hide_login
from gitreg.names import check_utf8

STORE_FOLDER = "gitreg/store"
"""The store inside of a Git folder: of a clone, by default, or of a remote that is a folder."""


def store_urls(settings: RegistryDocument, repository: Repository) -> list[str]:
    """Return the URLs of a registry's stores, the primary first."""
    primary = str(default_folder(repository)) if settings.store is None else store_address(settings.store, repository)
    replicas = (store_address(named, repository) for named in settings.replicas)
    return list(dict.fromkeys((primary, *replicas)))


def store_address(named: str, repository: Repository) -> str:
    """Return the URL or absolute path of a store in ``gitreg.yaml``; a relative path starts at the repository's top."""
    if "://" in named or named.startswith("/"):
        return named
    return os.path.normpath(main_folder(repository) / named)


def main_folder(repository: Repository) -> Path:
    """Return the top of the repository's main work tree, from any of its work trees; the folder of a bare one."""
    common = repository.common_dir
    return common.parent if common.name == ".git" else common


def default_folder(repository: Repository) -> Path:
    """Return the folder in the clone for blobs if ``gitreg.yaml`` names no store; it is always trusted."""
    return repository.common_dir / STORE_FOLDER


def is_private(store: str | None) -> bool:
    """Return whether a setting of the primary store names a folder inside of each clone, which other clones lack."""
    return store is None or not ("://" in store or store.startswith(("/", "../")))


def same_store(one: str, other: str) -> bool:
    """Return whether two URLs name one store, as far as the URLs show it."""
    from gitreg.blobs.urls import one_spelling  # opening stores needs half of the blob store; naming them nothing

    return one_spelling(one) == one_spelling(other)


def store_setting(url: str, repository: Repository) -> str:
    """Return a store as ``gitreg.yaml`` names it: a folder in the repository relative to its top, to move with it."""
    top = main_folder(repository)
    if "://" in url or not Path(url).is_relative_to(top):
        return url
    return Path(url).relative_to(top).as_posix()


def spelled_out(address: str, folder: Path) -> str:
    """Return the full address of a store that a user names in a folder: a URL unchanged, a path made absolute.

    Raises
    ------
    InvalidInput
        The text is empty, or neither a URL nor a path: ``s3:/bucket``, ``machine:/folder``; or it is not UTF-8.
    """
    check_utf8(address, "the address of the store")
    if "://" in address:
        return address
    if not address or ":" in address.partition("/")[0]:
        raise InvalidInput(
            f"store {hide_login(address)!r} is neither a folder nor a URL",
            hint="write s3://bucket/folder, sftp://machine/folder, /folder or ./folder",
        )
    return os.path.normpath(folder / address)
