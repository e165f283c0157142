"""What gzip, bzip2, xz, lzma, zlib and LZ4 packed, as far as it can be unpacked."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, NamedTuple, Protocol

from gitreg.contents import lz4
from gitreg.contents.limits import TooLongError

_STEP = 1 << 20
_OUT = 1 << 16  # bytes that come out at once


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
    start = file.tell()
    out = bytearray()
    try:
        whole = _unpack(file, kind, limit, out)
    except _FAULTS:
        # What came out together with the fault is lost; readers that take less at once get it.
        file.seek(start)
        known = len(out)
        out.clear()
        with suppress(*_FAULTS):
            _unpack(file, kind, limit, out, known)
        whole = False
    return Unpacked(bytes(out), whole)


def _unpack(file: BinaryIO, kind: str, limit: int, out: bytearray, known: int | None = None) -> bool:
    """Append what comes out of all streams of a file, byte by byte behind the `known` ones; return whether all came."""
    unpacker, waiting, begun, more = _OPENERS[kind](), b"", 0, False
    while packed := waiting or more or file.read(_STEP):
        most = _OUT if known is None else min(_OUT, max(1, known - len(out)))
        try:
            data, waiting = _step(unpacker, b"" if packed is True else packed, most)
        except _FAULTS:
            if begun and len(out) == begun:
                return True  # what follows a whole stream is no stream: readers end
            raise
        out += data
        more = len(data) == most
        if len(out) > limit:
            raise TooLongError
        if unpacker.eof:
            if kind == "zlib":
                return True
            rest = unpacker.unused_data + (b"" if waiting == unpacker.unused_data else waiting)
            waiting = _behind_padding(file, rest) if kind in ("gzip", "xz") else rest
            unpacker, begun, more = _OPENERS[kind](), len(out), False
    return unpacker.eof or (begun > 0 and len(out) == begun)


def _behind_padding(file: BinaryIO, rest: bytes) -> bytes:
    """Return what follows the zero bytes between two streams."""
    while not (rest := rest.lstrip(b"\0")) and (data := file.read(_STEP)):
        rest = data
    return rest


def _step(unpacker: _Unpacker, packed: bytes, most: int) -> tuple[bytes, bytes]:
    """Return what comes next, and what of the packed bytes is to be given again."""
    if hasattr(unpacker, "unconsumed_tail"):
        data: bytes = unpacker.decompress(packed, most)  # type: ignore[attr-defined]
        return data, unpacker.unconsumed_tail
    data = unpacker.decompress(packed, max_length=most)  # type: ignore[attr-defined]
    return data, b""


_FAULTS = (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError)

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
        (b"\x5d\0", "lzma"),
        (lz4.MAGIC, "LZ4"),
    ):
        if head.startswith(magic):
            return kind
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    return None
