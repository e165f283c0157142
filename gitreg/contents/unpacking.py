"""What gzip, bzip2, xz, lzma, zlib and LZ4 packed, as far as it can be unpacked."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol

from gitreg.contents import lz4
from gitreg.contents.limits import TooLongError

_STEP = 1 << 20


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


class Unpacked(NamedTuple):
    """What came out.

    Parameters
    ----------
    whole:
        Whether all of it came: readers take what comes before the damage as well.
    """

    data: bytes
    whole: bool


def unpack(file: BinaryIO, kind: str, limit: int) -> Unpacked:
    """Unpack what a file holds from where it stands.

    Raises
    ------
    TooLongError
        It is more than `limit` bytes.
    """
    if kind == "LZ4":
        return Unpacked(*lz4.unpack(file, limit))
    out: list[bytes] = []
    size, unpacker, waiting = 0, _OPENERS[kind](), b""
    empty = True  # whether the stream at hand has given nothing yet
    while True:
        packed = waiting or file.read(_STEP)
        if not packed and not _holds_back(unpacker):
            return Unpacked(b"".join(out), unpacker.eof or (empty and bool(out)))
        try:
            data, waiting = _step(unpacker, packed, limit + 1 - size)
        except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
            return Unpacked(b"".join(out), empty and bool(out))  # what follows a whole stream is no stream: readers end
        out.append(data)
        size += len(data)
        empty = empty and not data
        if size > limit:
            raise TooLongError
        if unpacker.eof:
            rest = unpacker.unused_data + (b"" if waiting == unpacker.unused_data else waiting)
            unpacker, waiting, empty = _OPENERS[kind](), rest.lstrip(b"\0") if kind in ("gzip", "xz") else rest, True
            if not waiting and not (waiting := file.read(_STEP)):
                return Unpacked(b"".join(out), True)
            if kind == "zlib":
                return Unpacked(b"".join(out), True)


def _holds_back(unpacker: _Unpacker) -> bool:
    return not unpacker.eof and not getattr(unpacker, "needs_input", True)


def _step(unpacker: _Unpacker, packed: bytes, most: int) -> tuple[bytes, bytes]:
    """Return what comes next, and what of the packed bytes is to be given again."""
    if hasattr(unpacker, "unconsumed_tail"):
        data: bytes = unpacker.decompress(packed, most)  # type: ignore[attr-defined]
        return data, unpacker.unconsumed_tail
    data = unpacker.decompress(packed, max_length=most)  # type: ignore[attr-defined]
    return data, b""


_OPENERS: dict[str, Callable[[], _Unpacker]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE),
}


def packing(head: bytes) -> str | None:
    """Return how a file is packed, by its first bytes."""
    for magic, kind in (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"\x5d\0\0", "lzma"),
        (lz4.MAGIC, "LZ4"),
    ):
        if head.startswith(magic):
            return kind
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    return None
