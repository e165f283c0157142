"""The interface of a bucket: objects by key, in a folder or a service such as S3.

A bucket knows keys and bytes, not their meaning. Every object of a store is at most 64 MiB long, except for whole
files that are stored without chunks on request. So objects are passed in memory, and only `upload` needs a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from gitreg.progress import Progress

Buffer = bytes | bytearray | memoryview


class ObjectInfo(NamedTuple):
    """The key, size and time of an object.

    Parameters
    ----------
    key:
        The object's key, with ``/`` between its parts.
    size:
        In bytes.
    mtime:
        Time of the last write, in seconds since 1970, by the bucket's clock.
    """

    key: str
    size: int
    mtime: float


class NoSuchObjectError(Exception):
    """The error for a key without an object."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class ObjectReader(Protocol):
    """The reading half of a bucket: a bucket, or a bucket together with its trash."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""


class Bucket(Protocol):
    """Objects by key; threads, processes and machines may use one bucket at the same time.

    Writes are atomic: a reader sees a whole object or none, even if the writer is killed. Every method raises
    GitregError, with a readable message, when the disk, the network or the service fails.
    """

    @property
    def url(self) -> str:
        """The bucket's URL, without passwords or keys."""

    @property
    def local(self) -> bool:
        """True if the bucket is a folder of this machine, so that caching its objects gains nothing."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes from start to stop, or to the end; fewer bytes if the object ends earlier.

        Raises
        ------
        NoSuchObjectError
            The object does not exist.
        """

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """Write an object; an existing one is replaced.

        Parameters
        ----------
        sha256:
            sha256 of the data if the caller knows it, so that a service that needs it does not hash again.
        """

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """Store an open file of any size under the key that `name` returns for its sha256, unless that object exists.

        Memory stays bounded. The next upload reuses the parts that an interrupted one sent, if the protocol allows it.

        Returns
        -------
        The sha256 of the stored bytes and their number.
        """

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """Return the objects that exist, by key; each is asked for directly, or its whole folder is listed."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield all objects below a folder, given as ``a/b/``; none if the folder does not exist."""

    def move(self, key: str, to: str) -> None:
        """Move an object to another key, and replace the object there; its mtime becomes the present time.

        Raises
        ------
        NoSuchObjectError
            The object does not exist.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; a missing object is no error."""

    def sync(self, keys: Iterable[str]) -> None:
        """Make existing objects durable, so that they survive a power failure, whoever wrote them."""

    def now(self) -> float:
        """Return the present time by the bucket's clock, in seconds since 1970."""

    def unfinished(self) -> Iterator[ObjectInfo]:
        """Yield leftovers of killed writers that readers never see: temporary files and incomplete uploads."""

    def discard(self, left: ObjectInfo) -> None:
        """Remove a leftover that `unfinished` returned."""

    def local_path(self, key: str) -> Path | None:
        """Return the path of an object that is a file of this machine, for reading only; None if it is not."""
