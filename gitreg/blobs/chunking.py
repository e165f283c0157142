"""Cutting long runs of bytes where their content says so, so that what is inserted changes only the chunks around it.

The cuts are those of FastCDC 2020 (Xia et al., "The Design of Fast Content-Defined Chunking", IEEE TPDS 2020), as
pyfastcdc makes them. Another library or other sizes would cut elsewhere: what is stored stays readable, and is stored
once more where it is saved again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

SMALLEST, USUAL, LARGEST = 1 << 20, 4 << 20, 16 << 20
"""Sizes of a chunk, in bytes."""


class Descriptor:
    """An open file, read from its beginning as pyfastcdc reads a stream."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer as far as the file goes."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count


class Pieces:
    """Pieces of bytes, one after another, read as pyfastcdc reads a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer as far as the piece at hand goes."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def cut(stream: Descriptor | Pieces) -> Iterator[bytes]:
    """Read a stream to its end, chunk by chunk."""
    from pyfastcdc import FastCDC  # slow to import; only big files are cut

    for chunk in FastCDC(USUAL, min_size=SMALLEST, max_size=LARGEST).cut_stream(stream):
        yield bytes(chunk.data)
