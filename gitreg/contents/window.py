"""Parts of a file as files of their own, so that unpacked members of an archive are scanned without a copy."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class _Part(io.RawIOBase):
    """The bytes of a file from `start`, `size` of them, fewer where the file ends earlier."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(wanted)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def window(file: BinaryIO, start: int, size: int) -> BinaryIO:
    """Return a part of a seekable file as a file; do not read the whole file in between."""
    return io.BufferedReader(_Part(file, start, size), 1 << 16)


def size_of(file: BinaryIO) -> int:
    """Return the size of a seekable file in bytes."""
    return file.seek(0, io.SEEK_END)
