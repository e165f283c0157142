"""The arguments that each opcode of a pickle reads, by PEP 3154 and ``Lib/pickletools.py``; nothing is unpickled."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, BinaryIO, Final

_KEPT = 1024  # bytes of a text; a name is not longer
_NUMBER = re.compile(rb"\s*[+-]?[0-9a-zA-Z_]+\s*")


class UnreadableError(Exception):
    """Bytes that no unpickler reads on from."""


class _Value:
    """A value that is only told from others by what it is."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


PLAIN: Final = _Value("plain data")
"""A float, bytes, a long text, a list, a set: data that nothing here looks into."""


class Stream:
    """The bytes of a pickle."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size

    def take(self, count: int) -> bytes:
        """Return the next bytes.

        Raises
        ------
        UnreadableError
            There are not so many.
        """
        data = self.file.read(count)
        if len(data) != count:
            raise UnreadableError
        return data

    def step_over(self, count: int) -> None:
        """Go on behind bytes that are not looked at.

        Raises
        ------
        UnreadableError
            There are not so many.
        """
        if not 0 <= count <= self.size - self.file.tell():  # asked first: no seek takes any number of 8 bytes
            raise UnreadableError
        self.file.seek(count, io.SEEK_CUR)

    def line(self) -> bytes:
        """Return the bytes up to the end of the line.

        Raises
        ------
        UnreadableError
            The line has no end.
        """
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise UnreadableError
        return line[:-1]

    def number(self, width: int, *, signed: bool = False) -> int:
        """Return a binary number of so many bytes."""
        return int.from_bytes(self.take(width), "little", signed=signed)

    def text(self, size: int) -> Any:
        """Return a text of so many bytes; a long one is stepped over."""
        if size > _KEPT:
            self.step_over(size)
            return PLAIN
        return _decoded(self.take(size), "utf-8", "surrogatepass")

    def old_text(self, size: int) -> Any:
        """Return bytes of Python 2, as text; long ones are stepped over."""
        if not 0 <= size <= _KEPT:
            self.step_over(size)
            return PLAIN
        return self.take(size).decode("latin-1")

    def data(self, size: int) -> Any:
        """Step over bytes."""
        self.step_over(size)
        return PLAIN


def _decoded(data: bytes, encoding: str, errors: str = "strict") -> str:
    try:
        return data.decode(encoding, errors)
    except UnicodeDecodeError:
        raise UnreadableError from None


def _int(line: bytes) -> Any:
    if line in (b"00", b"01"):
        return line == b"01"
    if not _NUMBER.fullmatch(line):
        raise UnreadableError
    try:
        return int(line.rstrip().rstrip(b"L")) if len(line) < 100 else PLAIN
    except ValueError:
        return PLAIN


def _float(line: bytes) -> Any:
    try:
        float(line)
    except ValueError:
        raise UnreadableError from None
    return PLAIN


def _quoted(line: bytes) -> Any:
    line = line.strip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise UnreadableError
    if b"\\" in line:
        return PLAIN  # a name that is written with escapes counts as one that cannot be told
    return line[1:-1].decode("latin-1")


def _long(stream: Stream, width: int) -> Any:
    size = stream.number(width, signed=width == 4)
    if size > 32:
        return stream.data(size)
    if size < 0:
        raise UnreadableError
    return stream.number(size, signed=True)


def name_line(stream: Stream) -> str:
    """Return a module or a name that stands on a line of its own."""
    return _decoded(stream.line(), "utf-8")


CONSTANTS: dict[int, Callable[[Stream], Any]] = {
    ord("N"): lambda _: None,
    0x88: lambda _: True,
    0x89: lambda _: False,
    ord(")"): lambda _: (),
    ord("]"): lambda _: PLAIN,
    ord("}"): lambda _: {},
    0x8F: lambda _: PLAIN,
    ord("I"): lambda s: _int(s.line()),
    ord("L"): lambda s: _int(s.line()),
    ord("F"): lambda s: _float(s.line()),
    ord("J"): lambda s: s.number(4, signed=True),
    ord("K"): lambda s: s.number(1),
    ord("M"): lambda s: s.number(2),
    0x8A: lambda s: _long(s, 1),
    0x8B: lambda s: _long(s, 4),
    ord("G"): lambda s: s.data(8),
    ord("S"): lambda s: _quoted(s.line()),
    ord("T"): lambda s: s.old_text(s.number(4, signed=True)),
    ord("U"): lambda s: s.old_text(s.number(1)),
    ord("V"): lambda s: _decoded(s.line(), "raw-unicode-escape"),
    0x8C: lambda s: s.text(s.number(1)),
    ord("X"): lambda s: s.text(s.number(4)),
    0x8D: lambda s: s.text(s.number(8)),
    ord("B"): lambda s: s.data(s.number(4)),
    ord("C"): lambda s: s.data(s.number(1)),
    0x8E: lambda s: s.data(s.number(8)),
    0x96: lambda s: s.data(s.number(8)),
    0x97: lambda _: PLAIN,
}
"""Opcodes that put one value on the stack, whatever is there."""
