"""Content-defined chunking: cuts depend on the content, so that an insertion changes only the chunks around it.

The cut points are those of FastCDC 2020 (Xia et al., "The Design of Fast Content-Defined Chunking", IEEE TPDS 2020),
as pyfastcdc computes them. Another library or other sizes would cut elsewhere: files stored before stay readable, but
saving them again stores new chunks.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import suppress
from threading import Semaphore
from typing import Protocol

from gitreg import system

SMALLEST, USUAL, LARGEST = 1 << 20, 4 << 20, 16 << 20
"""Sizes of a chunk, in bytes."""

_WINDOW = 2 * LARGEST
_WINDOWS = 3


class ByteSource(Protocol):
    """A source of bytes."""

    def readinto(self, buffer: memoryview) -> int:
        """Read bytes into the buffer, as many as are available; return their number, 0 at the end."""


class FileSource:
    """An open file as a stream, read from its beginning."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def readinto(self, buffer: memoryview) -> int:
        """See ByteSource."""
        count = system.read_into(self._descriptor, buffer, self._position)
        self._position += count
        return count


class IteratorSource:
    """An iterator of byte strings as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readinto(self, buffer: memoryview) -> int:
        """See ByteSource."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class ReadBuffer:
    """A buffer that is reused to read the stream, each time once all parts of it that were lent are returned."""

    def __init__(self) -> None:
        self.memory = memoryview(_memory(_WINDOW))
        self._lent = 0
        self._returned = Semaphore(0)

    def lend(self, start: int, stop: int) -> LentChunk:
        """Return a part of the buffer, for other threads to read."""
        self._lent += 1
        return LentChunk(self, self.memory[start:stop])

    def release(self) -> None:
        """Count one lent part as returned."""
        self._returned.release()

    def wait(self) -> None:
        """Wait until all lent parts are returned."""
        for _ in range(self._lent):
            self._returned.acquire()
        self._lent = 0


class LentChunk:
    """A chunk's bytes, valid until `release` is called.

    Parameters
    ----------
    data:
        The bytes; after `release` the buffer is overwritten.
    """

    def __init__(self, window: ReadBuffer, data: memoryview) -> None:
        self._window = window
        self.data = data

    def release(self) -> None:
        """Return the bytes to their window; reading stops after a while if pieces are not returned."""
        self._window.release()


def _memory(size: int) -> mmap.mmap:
    """Return memory in huge pages if the system has them: allocating small pages costs as much as the chunking."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(AttributeError, OSError):  # not on macOS, and not on every kernel
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def cut(stream: ByteSource) -> Iterator[LentChunk]:
    """Yield the chunks of a stream, in order.

    Buffers are reused: allocating new memory for every chunk took a third of the time.
    """
    from pyfastcdc import FastCDC  # slow to import; only big files are chunked

    chunker = FastCDC(USUAL, min_size=SMALLEST, max_size=LARGEST)
    left = memoryview(b"")
    windows: list[ReadBuffer] = []  # created on demand: most streams fit into one or two
    while True:
        window = windows.pop(0) if len(windows) == _WINDOWS else ReadBuffer()
        windows.append(window)
        window.wait()
        window.memory[: len(left)] = left
        end = len(left)
        while end < _WINDOW and (count := stream.readinto(window.memory[end:])):
            end += count
        position = 0
        for chunk in chunker.cut_buf(window.memory[:end]):
            stop = chunk.offset + chunk.length
            if end == _WINDOW and (stop == end or end - chunk.offset <= USUAL):  # its end depends on the next bytes
                break
            position = stop
            yield window.lend(chunk.offset, position)
        left = window.memory[position:end]
        if end < _WINDOW:
            return
