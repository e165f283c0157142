"""The upload of a file of any size to a bucket, in pieces; its sha256 is checked once more on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from gitreg import system
from gitreg.blobs import file_io
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.errors import GitregError
from gitreg.progress import NO_PROGRESS, Progress

PIECE = 16 << 20  # bytes in memory at a time, per sending thread


class Upload(NamedTuple):
    """A file that is being uploaded.

    Parameters
    ----------
    source:
        The descriptor of the open file.
    key:
        The key that it will have.
    sha256:
        sha256 of the file before the upload.
    size:
        In bytes.
    progress:
        Receives the number of bytes sent.
    """

    source: int
    key: str
    sha256: str
    size: int
    progress: Progress

    def pieces(self, length: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield each piece with its number, counted from 0.

        Raises
        ------
        GitregError
            After the last piece, if the file has changed meanwhile: then nothing of it may be published.
        """
        digest = sha256()
        for number in range(-(-self.size // length)):
            data = system.read_at(self.source, min(length, self.size - number * length), number * length)
            digest.update(data)
            yield number, data
        if digest.hexdigest() != self.sha256:
            raise GitregError(f"a file changed while it was sent to {self.key}", hint="run it again")

    def whole(self) -> bytes:
        """Return all bytes of a small file, with the same check of the sha256 as `pieces`."""
        return b"".join(data for _, data in self.pieces())


def upload(
    bucket: Bucket, source: int, name: Callable[[str], str], progress: Progress, send: Callable[[Upload], None]
) -> tuple[str, int]:
    """Upload a file unless the bucket has it (see `Bucket.upload`).

    Parameters
    ----------
    send:
        Uploads the file and publishes it once it is complete.
    """
    digest, size = file_io.hash_file(source, NO_PROGRESS)
    key = name(digest)
    info = bucket.find([key]).get(key)
    if info is None or info.size != size:
        send(Upload(source, key, digest, size, progress))
    else:
        progress.advance(size)
    return digest, size
