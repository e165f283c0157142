"""The private names of dulwich that gitreg uses: the only module that names them, for they may go in any release."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from mmap import mmap

    from dulwich.client import GitClient
    from dulwich.file import _GitFile
    from dulwich.object_store import DiskObjectStore
    from dulwich.pack import Pack
    from dulwich.refs import locked_ref

    LockFile: TypeAlias = _GitFile

T = TypeVar("T")


def find_in_packs(store: DiskObjectStore, find: Callable[[Pack], T]) -> T:
    """Return the result of a function for the first pack of a store for which it does not raise KeyError.

    Raises
    ------
    KeyError
        It is raised for every pack.
    """
    return store._lookup_in_packs(find)


def bytes_of(pack: Pack) -> mmap | bytes:
    """Return the bytes of a pack, mapped into memory where that is possible."""
    return pack.data._buffer()


def forget(file: LockFile) -> None:
    """Prevent dulwich from retrying to remove a lock file on a failing disk, and from printing the failure."""
    file._closed = True


def forget_ref(lock: locked_ref) -> None:
    """Do for the lock of a ref what `forget` does for a lock file."""
    if lock._file is not None:
        forget(lock._file)


def check_capabilities(client: GitClient, check: Callable[[Collection[bytes]], None]) -> None:
    """Call a function with the capabilities that a server offers for a push, before anything is sent; it may raise."""
    negotiate = client._negotiate_receive_pack_capabilities

    def checked(offered: set[bytes]) -> tuple[set[bytes], bytes | None]:
        check(offered)
        return negotiate(offered)

    client._negotiate_receive_pack_capabilities = checked  # type: ignore[method-assign, assignment]
