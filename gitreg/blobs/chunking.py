"""Cutting long runs of bytes where their content says so, so that what is inserted changes only the chunks around it.

The cuts are those of FastCDC 2020 (Xia et al., "The Design of Fast Content-Defined Chunking", IEEE TPDS 2020), as
pyfastcdc makes them. Another library or other sizes would cut elsewhere: what is stored stays readable, and is stored
once more where it is saved again.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from threading import Semaphore
from typing import Protocol

SMALLEST, USUAL, LARGEST = 1 << 20, 4 << 20, 16 << 20
"""Sizes of a chunk, in bytes."""

_WINDOW = 2 * LARGEST
_WINDOWS = 3


class Stream(Protocol):
    """Where bytes come from."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer as far as there are bytes at hand; 0 at the end."""


class Descriptor:
    """An open file as a stream, from its beginning."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def readinto(self, buffer: memoryview) -> int:
        """See Stream."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count


class Pieces:
    """Pieces of bytes as a stream, one after another."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        """See Stream."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class Window:
    """Memory that the stream is read into, again and again, each time when all that was lent out of it is back."""

    def __init__(self) -> None:
        self.memory = memoryview(_memory(_WINDOW))
        self._lent = 0
        self._returned = Semaphore(0)

    def lend(self, start: int, stop: int) -> Piece:
        """Give a part away, to be read by other threads."""
        self._lent += 1
        return Piece(self, self.memory[start:stop])

    def give_back(self) -> None:
        """Note that a part is not read any more."""
        self._returned.release()

    def wait(self) -> None:
        """Wait until all is back."""
        for _ in range(self._lent):
            self._returned.acquire()
        self._lent = 0


class Piece:
    """A chunk's bytes, for as long as it is not given back.

    Parameters
    ----------
    data:
        The bytes; after `give_back` they may be others.
    """

    def __init__(self, window: Window, data: memoryview) -> None:
        self._window = window
        self.data = data

    def give_back(self) -> None:
        """Say that the bytes are not needed any more; without it nothing more is read after a while."""
        self._window.give_back()


def _memory(size: int) -> mmap.mmap:
    """Take memory in large pages where the system has them: to take it in small ones costs as much as to cut it."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(AttributeError, OSError):  # macOS has no such advice, some kernels take none
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def cut(stream: Stream) -> Iterator[Piece]:
    """Read a stream to its end, chunk by chunk.

    The memory that is read into is used again: taking new memory for every chunk cost a third of the time.
    """
    from pyfastcdc import FastCDC  # slow to import; only big files are cut

    chunker = FastCDC(USUAL, min_size=SMALLEST, max_size=LARGEST)
    left = memoryview(b"")
    windows: list[Window] = []  # made when they are needed: most streams fit into one or two
    while True:
        window = windows.pop(0) if len(windows) == _WINDOWS else Window()
        windows.append(window)
        window.wait()
        window.memory[: len(left)] = left
        end = len(left)
        while end < _WINDOW and (count := stream.readinto(window.memory[end:])):
            end += count
        position = 0
        for chunk in chunker.cut_buf(window.memory[:end]):
            stop = chunk.offset + chunk.length
            if end == _WINDOW and (stop == end or end - chunk.offset <= USUAL):  # the bytes to come decide its end
                break
            position = stop
            yield window.lend(chunk.offset, position)
        left = window.memory[position:end]
        if end < _WINDOW:
            return
