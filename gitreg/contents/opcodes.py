"""The arguments of each pickle opcode, read by PEP 3154 and ``Lib/pickletools.py``; nothing is unpickled."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any, BinaryIO, Final, TypeVar

from gitreg.contents.limits import TooLongError

_KEPT = 1024  # bytes: the longest text that is kept; names are shorter
_LINE = 1 << 16  # bytes: the longest line that is kept; names and relevant numbers are shorter
# None of these backtracks ("*+"): between two runs of blanks, each border would be tried.
_NUMBER = re.compile(rb"\s*+[+-]?+[0-9a-zA-Z_]++\s*+")
_INDEX = re.compile(rb"\s*+[+-]?+[0-9_]*+\s*+")
_FLOAT = re.compile(rb"\s*+[0-9a-zA-Z_.+-]*+\s*+")
T = TypeVar("T")


class UnreadableError(Exception):
    """The error that no unpickler reads on from these bytes."""


class _Value:
    """A marker for a value, compared by identity."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


PLAIN: Final = _Value("plain data")
"""A float, bytes, a long text, a list, a set: data whose content does not matter."""


ESCAPED: Final = _Value("a text with escapes")
"""A text that is written with escapes, which no library does for a name: it counts as unknown."""


def is_plain(value: Any) -> bool:
    """Return whether a value is data whose content is not kept."""
    return type(value) is _Value


class OpcodeStream:
    """The bytes of a pickle."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size

    def take(self, count: int) -> bytes:
        """Return the next bytes.

        Returns
        -------
        bytes
            Exactly ``count`` bytes.

        Raises
        ------
        UnreadableError
            The pickle has fewer bytes.
        """
        data = self.file.read(count)
        if len(data) != count:
            raise UnreadableError
        return data

    def peek(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end, without moving on."""
        at = self.file.tell()
        data = self.file.read(count)
        self.file.seek(at)
        return data

    def step_over(self, count: int) -> None:
        """Skip bytes without reading them.

        Raises
        ------
        UnreadableError
            The pickle has fewer bytes.
        """
        if not 0 <= count <= self.size - self.file.tell():  # checked first: seek refuses some 8-byte numbers
            raise UnreadableError
        self.file.seek(count, io.SEEK_CUR)

    def line(self, read: Callable[[bytes], T]) -> T:
        """Return the value of a line; of a long line only the first bytes are read, and the rest is skipped.

        Parameters
        ----------
        read:
            Returns the value of the bytes up to the line's end. It is called before the end is searched: most files
            that are not pickles have no such line, and perhaps no line end within a gigabyte.

        Returns
        -------
        T
            The value that ``read`` returns.

        Raises
        ------
        UnreadableError
            The line has no end or no value.
        """
        line = part = self.file.readline(_LINE)
        value = read(line.removesuffix(b"\n"))
        while not part.endswith(b"\n"):
            part = self.file.readline(_LINE)
            if not part:
                raise UnreadableError
        return value

    def number(self, width: int, *, signed: bool = False) -> int:
        """Return a binary number of a width in bytes."""
        return int.from_bytes(self.take(width), "little", signed=signed)

    def text(self, size: int) -> Any:
        """Return a text of a size in bytes; `PLAIN` for a long one, which is skipped."""
        if size > _KEPT:
            self.step_over(size)
            return PLAIN
        return _decoded(self.take(size), "utf-8", "surrogatepass")

    def old_text(self, size: int) -> Any:
        """Return bytes of Python 2 as text; `PLAIN` for long ones, which are skipped."""
        if not 0 <= size <= _KEPT:
            self.step_over(size)
            return PLAIN
        return self.take(size).decode("latin-1")

    def data(self, size: int) -> Any:
        """Skip bytes, and return `PLAIN`."""
        self.step_over(size)
        return PLAIN


def _decoded(data: bytes, encoding: str, errors: str = "strict") -> str:
    try:
        return data.decode(encoding, errors)
    except UnicodeDecodeError:
        raise UnreadableError from None


def _number_text(line: bytes) -> bytes:
    """Return the part of a line that is read as a number: up to a zero byte, at which a text ends in C."""
    return line.partition(b"\0")[0]


def index(line: bytes) -> int:
    """Return the memo index in a line.

    Returns
    -------
    int
        The number, which may be negative.

    Raises
    ------
    UnreadableError
        The line has no number.
    TooLongError
        The line has too many blanks and digits to be read.
    """
    text = _number_text(line)
    if len(text) >= _LINE and _INDEX.fullmatch(text):
        raise TooLongError
    try:
        return int(text)
    except ValueError:
        raise UnreadableError from None


def _int(line: bytes) -> Any:
    if line in (b"00", b"01"):
        return line == b"01"
    text = _number_text(line)
    if not text and line:
        return 0  # as C reads an empty text
    if len(text) >= _LINE and not text.strip():
        return PLAIN
    if not _NUMBER.fullmatch(text):
        raise UnreadableError
    try:
        return int(text.rstrip().rstrip(b"L")) if len(text) < 100 else PLAIN
    except ValueError:
        return PLAIN


def _unicode(line: bytes) -> Any:
    return _decoded(line, "raw-unicode-escape") if len(line) < _LINE else PLAIN


def _float(line: bytes) -> Any:
    try:
        float(_number_text(line)) if len(line) < _LINE else _begin_of_float(line)
    except ValueError:
        raise UnreadableError from None
    return PLAIN


def _begin_of_float(line: bytes) -> None:
    """Check that a long line may begin as a float does; its end is not checked.

    Raises
    ------
    ValueError
        It does not.
    """
    text = _number_text(line)
    if len(text) < len(line):
        float(text)
    elif not _FLOAT.fullmatch(text):
        raise ValueError


def _quoted(line: bytes) -> Any:
    if len(line) >= _LINE:
        if line[:1] not in (b"'", b'"'):
            raise UnreadableError
        return PLAIN
    line = line.strip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise UnreadableError
    if b"\\" in line:
        return ESCAPED
    return line[1:-1].decode("latin-1")


def _long(stream: OpcodeStream, width: int) -> Any:
    size = stream.number(width, signed=width == 4)
    if size > 32:
        return stream.data(size)
    if size < 0:
        raise UnreadableError
    return stream.number(size, signed=True)


def name_line(stream: OpcodeStream) -> str:
    """Return a module or a name on a line of its own."""
    return stream.line(lambda line: _decoded(line, "utf-8") if len(line) < _LINE else line.decode("latin-1"))


CONSTANTS: dict[int, Callable[[OpcodeStream], Any]] = {
    ord("N"): lambda _: None,
    0x88: lambda _: True,
    0x89: lambda _: False,
    ord(")"): lambda _: (),
    ord("]"): lambda _: PLAIN,
    ord("}"): lambda _: {},
    0x8F: lambda _: PLAIN,
    ord("I"): lambda s: s.line(_int),
    ord("L"): lambda s: s.line(_int),
    ord("F"): lambda s: s.line(_float),
    ord("J"): lambda s: s.number(4, signed=True),
    ord("K"): lambda s: s.number(1),
    ord("M"): lambda s: s.number(2),
    0x8A: lambda s: _long(s, 1),
    0x8B: lambda s: _long(s, 4),
    ord("G"): lambda s: s.data(8),
    ord("S"): lambda s: s.line(_quoted),
    ord("T"): lambda s: s.old_text(s.number(4, signed=True)),
    ord("U"): lambda s: s.old_text(s.number(1)),
    ord("V"): lambda s: s.line(_unicode),
    0x8C: lambda s: s.text(s.number(1)),
    ord("X"): lambda s: s.text(s.number(4)),
    0x8D: lambda s: s.text(s.number(8)),
    ord("B"): lambda s: s.data(s.number(4)),
    ord("C"): lambda s: s.data(s.number(1)),
    0x8E: lambda s: s.data(s.number(8)),
    0x96: lambda s: s.data(s.number(8)),
    0x97: lambda _: PLAIN,
}
"""The opcodes that push one value, whatever is on the stack."""
