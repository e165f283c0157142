"""The stores that a registry names; each is opened only if its user trusts it on this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitreg.blobs.replicas import Replicas
from gitreg.blobs.store import Store
from gitreg.blobs.urls import open_store, shown
from gitreg.documents.types import RegistryDocument
from gitreg.errors import GitregError, Refused
from gitreg.git import Repository
from gitreg.registry.state.store_urls import default_folder, store_urls
from gitreg.registry.weights.json_lists import read_list, write_list


class TrustedStores:
    """The stores that this user trusts, in a file of the user.

    Parameters
    ----------
    path:
        The JSON file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def urls(self) -> list[str]:
        """Return the URLs of the trusted stores."""
        return [url for url in read_list(self._path) if isinstance(url, str)]

    def trust(self, url: str) -> None:
        """Write into the file that the user trusts a store, in all registries."""
        urls = self.urls()
        if url not in urls:
            write_list(self._path, [*urls, url])


@dataclass(frozen=True)
class NamedStore:
    """A store that a registry names, or the default store in the clone.

    Parameters
    ----------
    url:
        Its URL; a folder in the repository as an absolute path.
    opened:
        The store; None if it cannot be opened.
    error:
        The reason why not: `Refused` if the user does not trust it.
    """

    url: str
    opened: Store | None
    error: GitregError | None = None

    @property
    def store(self) -> Store:
        """The open store.

        Raises
        ------
        GitregError
            It cannot be opened.
        """
        if self.error is not None:
            raise self.error
        assert self.opened is not None
        return self.opened


def open_named(settings: RegistryDocument, repository: Repository, trusted_stores: TrustedStores) -> list[NamedStore]:
    """Return all stores of a registry, the primary first, then the replicas; those that the user trusts are open."""
    own = str(default_folder(repository))
    trusted = {own, *trusted_stores.urls()}
    return [_open(url, trusted, own) for url in store_urls(settings, repository)]


def readable(named: Sequence[NamedStore], tell: Callable[[str], None]) -> Replicas:
    """Return the open stores as one.

    Parameters
    ----------
    named:
        The stores of the registry, the primary first.
    tell:
        Called with a message for each store that is left out.

    Raises
    ------
    Refused
        The user does not trust the primary.
    GitregError
        No store can be opened.
    """
    primary = named[0]
    opened = [each.opened for each in named if each.opened]
    if primary.error and (isinstance(primary.error, Refused) or not opened):
        raise primary.error
    for each in named:
        if each.error:
            tell(f"left out: {each.error.message}" + (f" ({each.error.hint})" if each.error.hint else ""))
    return Replicas(opened, tell)


def _open(url: str, trusted: Collection[str], own: str) -> NamedStore:
    if url not in trusted:
        refused = Refused(
            f"this registry keeps weights at {shown(url)}, which is not trusted on this machine",
            hint="`gitreg trust --stores` trusts it; until then nothing is read from it or written to it",
        )
        return NamedStore(shown(url), None, refused)
    try:
        return NamedStore(url, open_store(url, own=url == own))
    except GitregError as error:
        return NamedStore(shown(url), None, error)
