"""The stores that a registry names, opened only after its user approved them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitreg.blobs import Store, Stores, open_store, shown
from gitreg.documents.types import RegistryDocument
from gitreg.errors import GitregError, Refused
from gitreg.git import Repository
from gitreg.registry.user_lists import read_list, write_list


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
        return [url for url in read_list(self._path) if isinstance(url, str)]

    def approve(self, url: str) -> None:
        """Approve a store, once and for all of the user's registries."""
        urls = self.urls()
        if url not in urls:
            write_list(self._path, [*urls, url])


@dataclass(frozen=True)
class Named:
    """A store that a registry names, or the clone's own folder.

    Parameters
    ----------
    url:
        Its address; a folder in the repository is taken from the repository's top.
    opened:
        The store; None where it is not to be opened.
    error:
        Why it is not: `Refused` where the user has not approved it.
    """

    url: str
    opened: Store | None
    error: GitregError | None = None

    @property
    def store(self) -> Store:
        """The store.

        Raises
        ------
        GitregError
            It is not to be opened.
        """
        if self.error is not None:
            raise self.error
        assert self.opened is not None
        return self.opened


def open_named(settings: RegistryDocument, repository: Repository, approvals: Approvals) -> list[Named]:
    """Open the stores of a registry, the primary first, then the replicas; those that the user approved."""
    own = str(default_folder(repository))
    approved = {own, *approvals.urls()}
    return [_open(url, approved, own) for url in store_urls(settings, repository)]


def readable(named: Sequence[Named], tell: Callable[[str], None]) -> Stores:
    """Give the stores that can be read, as one.

    Parameters
    ----------
    tell:
        Hears of stores that are left out.

    Raises
    ------
    Refused
        The user has not approved the primary.
    GitregError
        None of them can be opened.
    """
    primary = named[0]
    opened = [each.opened for each in named if each.opened]
    if primary.error and (isinstance(primary.error, Refused) or not opened):
        raise primary.error
    for each in named:
        if each.error:
            tell(f"left out: {each.error.message}" + (f" ({each.error.hint})" if each.error.hint else ""))
    return Stores(opened, tell)


def store_urls(settings: RegistryDocument, repository: Repository) -> list[str]:
    """Give the addresses of a registry's stores, the primary first."""
    primary = str(default_folder(repository)) if settings.store is None else store_address(settings.store, repository)
    replicas = (store_address(named, repository) for named in settings.replicas)
    return list(dict.fromkeys((primary, *replicas)))


def store_address(named: str, repository: Repository) -> str:
    """Spell a store of ``gitreg.yaml`` out; a folder in the repository is taken from its top."""
    if "://" in named or named.startswith("/"):
        return named
    return os.path.normpath(main_folder(repository) / named)


def main_folder(repository: Repository) -> Path:
    """Give the top of the repository's main work tree, whichever of them this is; of a bare one, its folder."""
    common = repository.common_dir
    return common.parent if common.name == ".git" else common


def default_folder(repository: Repository) -> Path:
    """Give the folder of the clone's own in which weights lie where no store is named; it needs no approval."""
    return repository.common_dir / "gitreg" / "store"


def same_place(one: str, other: str) -> bool:
    """Whether two addresses name one store, as far as that shows without asking it."""

    def place(url: str) -> str:
        scheme, colons, _ = url.partition("://")
        return open_store(url).url if not colons or scheme.lower() == "file" else url.rstrip("/")

    return place(one) == place(other)


def spelled(url: str, repository: Repository) -> str:
    """Spell a store as ``gitreg.yaml`` does: a folder inside the repository from its top, so that it moves with it."""
    top = main_folder(repository)
    if "://" in url or not Path(url).is_relative_to(top):
        return url
    return Path(url).relative_to(top).as_posix()


def _open(url: str, approved: Collection[str], own: str) -> Named:
    if url not in approved:
        refused = Refused(
            f"this registry keeps weights at {shown(url)}, which you have not approved",
            hint="`gitreg trust` approves it; until then nothing is read from it or written to it",
        )
        return Named(shown(url), None, refused)
    try:
        return Named(url, open_store(url, own=url == own))
    except GitregError as error:
        return Named(shown(url), None, error)
