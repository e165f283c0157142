"""What every store of weights can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from gitreg.blobs.files import FileEntry, LocalFile
from gitreg.blobs.progress import Progress


@dataclass(frozen=True)
class Swept:
    """Something in a store that nobody needs any more.

    Parameters
    ----------
    sha256:
        The blob that it is or was, None for a temporary file.
    size:
        In bytes.
    mtime:
        When it was last written or saved again, in seconds since 1970.
    kind:
        A blob, what a killed save left behind, or a blob that was found damaged and set aside.
    """

    sha256: str | None
    size: int
    mtime: float
    kind: Literal["blob", "temporary", "quarantined"]


class BlobStore(Protocol):
    """Blobs by the sha256 of their content; several processes and machines may use one at the same time.

    Every method raises GitregError, in words, for what the disk or the network refuses.
    """

    @property
    def url(self) -> str:
        """Where the store is, as a registry names it."""

    def put(self, files: Sequence[LocalFile], *, progress: Progress) -> list[FileEntry]:
        """Store files and return their entries in the same order; a blob that is there already is not stored again.

        When it returns, the blobs are whole, hashed and survive a loss of power. A stored blob counts as written now,
        so that a `sweep` spares it. When it fails, nothing of this call is to be seen.

        Raises
        ------
        GitregError
            A file changed while it was read.
        """

    def put_bytes(self, data: bytes) -> str:
        """Store bytes as `put` stores a file; return their sha256."""

    def read_bytes(self, sha256: str, *, limit: int) -> bytes:
        """Return a blob's verified bytes.

        Raises
        ------
        IntegrityError
            It is not there, is damaged, or is longer than `limit` bytes.
        """

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those of the sha256 digests that the store does not hold."""

    def local_path(self, sha256: str) -> Path | None:
        """Return where the blob lies as a file of its own on this machine, None where it does not.

        For reading only, and unverified.
        """

    def fetch(self, entry: FileEntry, target: Path, *, progress: Progress) -> None:
        """Put a verified copy at `target`, whose folder exists; a wrong or partial byte never stands under that name.

        Raises
        ------
        IntegrityError
            The store has no such blob, or a damaged one, which it then sets aside. Nothing is at `target` that was
            not there before.
        """

    def verify(self, entry: FileEntry, *, progress: Progress) -> None:
        """Read a blob to its end.

        Raises
        ------
        IntegrityError
            It is not there, cut off, or not what its digest says.
        """

    def claim(self, name: str, text: bytes) -> None:
        """Leave word, under a name of its own, of somebody whose blobs are here."""

    def claims(self) -> dict[str, bytes]:
        """Return the words that were left, by name."""

    def sweep(self, live: Collection[str], *, older_than: float, apply: bool) -> Iterator[Swept]:
        """Find, and if `apply` remove, what is neither live nor saved since.

        Parameters
        ----------
        live:
            The sha256 digests that must stay.
        older_than:
            Seconds since 1970; what was written or saved again at or after that moment stays.
        apply:
            Whether to remove; False only lists.
        """
