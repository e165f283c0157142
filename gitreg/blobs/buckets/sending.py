"""Sending a file of any size to a bucket: in pieces, hashed once more on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from gitreg.blobs import copying
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.errors import GitregError

PIECE = 16 << 20  # bytes in memory at a time, for each thread that sends


class Outgoing(NamedTuple):
    """A file on its way to a bucket.

    Parameters
    ----------
    source:
        The descriptor of the open file.
    key:
        Where it goes.
    sha256:
        What it hashed to when it was asked for its name.
    size:
        In bytes.
    progress:
        Hears of what was sent.
    """

    source: int
    key: str
    sha256: str
    size: int
    progress: Progress

    def pieces(self, length: int = PIECE) -> Iterator[tuple[int, bytes]]:
        """Yield the pieces with their numbers, from 0.

        Raises
        ------
        GitregError
            After the last piece: the file is no longer what it was. Then nothing of it may be published.
        """
        digest = sha256()
        for number in range(-(-self.size // length)):
            data = os.pread(self.source, min(length, self.size - number * length), number * length)
            digest.update(data)
            yield number, data
        if digest.hexdigest() != self.sha256:
            raise GitregError(f"a file changed while it was sent to {self.key}", hint="run it again")

    def whole(self) -> bytes:
        """Return the bytes of a file that is small enough for memory, hashed as `pieces` does."""
        return b"".join(data for _, data in self.pieces())


def upload(
    bucket: Bucket, source: int, name: Callable[[str], str], progress: Progress, send: Callable[[Outgoing], None]
) -> tuple[str, int]:
    """Send a file unless the bucket has it, as `Bucket.upload` says.

    Parameters
    ----------
    send:
        Sends it and publishes it when all is there.
    """
    digest, size = copying.hash_file(source, NO_PROGRESS)
    key = name(digest)
    info = bucket.find([key]).get(key)
    if info is None or info.size != size:
        send(Outgoing(source, key, digest, size, progress))
    else:
        progress.advance(size)
    return digest, size
