"""What a store asks of the place where its bytes lie: objects by key, in a folder or in anybody's bucket.

A bucket knows keys and bytes, nothing of what they mean. Every object of a store is at most 64 MiB long, but for whole
files that are kept plain on request; so objects are handed over in memory, and nothing but `upload` needs a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from gitreg.blobs.progress import Progress

Buffer = bytes | bytearray | memoryview


class ObjectInfo(NamedTuple):
    """What a bucket says of an object without giving its bytes.

    Parameters
    ----------
    key:
        Where it lies, ``/`` between parts.
    size:
        In bytes.
    mtime:
        When it was written, in seconds since 1970, by the bucket's clock.
    """

    key: str
    size: int
    mtime: float


class NoSuchObjectError(Exception):
    """There is no object under a key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Objects(Protocol):
    """What objects are read from: a bucket, or one together with its trash."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""


class Bucket(Protocol):
    """Objects by key; threads, processes and machines may use one at the same time.

    An object is there whole or not at all: a reader never sees a part of it, whatever becomes of its writer. Every
    method raises GitregError, in words, for what the disk, the network or the service refuses.
    """

    @property
    def url(self) -> str:
        """Where it is; never with a password or key in it."""

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine, so that nothing is gained by caching what it holds."""

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes from start to stop, or to the end; fewer where the object ends before.

        Raises
        ------
        NoSuchObjectError
            There is none.
        """

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """Store an object, in place of one that is there.

        Parameters
        ----------
        sha256:
            Of the data, where it is known already: a service that asks for it need not wait until it is made again.
        """

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """Store an open file of any size under the key that `name` gives for its sha256, unless it is there.

        Memory stays bounded. What an interrupted upload sent is used by the next one where the protocol can.

        Returns
        -------
        The sha256 of what was stored and its number of bytes.
        """

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """Return those of the keys that are there, each asked for directly or by listing one folder of them."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Return all objects below a folder, given as ``a/b/``; nothing where there is no such folder."""

    def move(self, key: str, to: str) -> None:
        """Put an object under another key, in place of one that is there; it then counts as written now.

        Raises
        ------
        NoSuchObjectError
            There is none.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""

    def sync(self, keys: Iterable[str]) -> None:
        """Make objects that are there, whoever wrote them, survive a loss of power."""

    def now(self) -> float:
        """Return the time by the clock that gives objects their mtime."""

    def unfinished(self) -> Iterator[ObjectInfo]:
        """Return what killed writers left behind and readers never see: temporary files, uploads that did not end."""

    def discard(self, left: ObjectInfo) -> None:
        """Remove something that `unfinished` returned."""

    def local_path(self, key: str) -> Path | None:
        """Return the file that an object is on this machine, for reading only; None where there is none."""
