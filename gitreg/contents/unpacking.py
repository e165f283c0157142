"""Unpacking of gzip, bzip2, xz, lzma, zlib and LZ4, as far as any reader could unpack a file."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from gitreg.contents import lz4
from gitreg.contents.limits import TooLongError

_STEP = 1 << 16
_DAMAGE = (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError)
_ALONE = struct.Struct("<BIQ")  # the header of lzma: properties, size of the dictionary, size of the content


class Unpacked(NamedTuple):
    """The unpacked bytes of a file.

    Parameters
    ----------
    data:
        The bytes, also those before a damage, since readers use them too.
    whole:
        True if nothing is missing.
    """

    data: bytes
    whole: bool


def unpack(file: BinaryIO, kind: str, limit: int) -> Unpacked:
    """Return the content of a file from its current position: one stream after another, up to other data.

    Parameters
    ----------
    kind:
        The packing, as `packings` returns it.
    limit:
        The most bytes to unpack.

    Returns
    -------
    Unpacked
        At most ``limit`` bytes, and whether nothing is missing.

    Raises
    ------
    TooLongError
        The content is larger than `limit` bytes.
    """
    if kind == "LZ4":
        return Unpacked(*lz4.unpack(file, limit))
    out = bytearray()
    at = file.tell()
    while True:
        begin = len(out)
        try:
            stream = _Stream(file, at, kind)
            while data := stream.read(_STEP):
                out += data
                if len(out) > limit:
                    raise TooLongError
        except _DAMAGE:
            out += _before_damage(file, at, kind, len(out) - begin)
            return Unpacked(bytes(out), whole=0 < begin == len(out))  # other data may follow complete streams
        if not stream.ended:
            return Unpacked(bytes(out), whole=False)
        if (following := stream.end()) is None:
            return Unpacked(bytes(out), whole=True)
        at = following


def _before_damage(file: BinaryIO, at: int, kind: str, size: int) -> bytes:
    """Return the bytes of a damaged stream after the first `size` ones, up to the damage.

    Readers get more or less of it, depending on their buffers. Byte by byte, in and out, no reader gets more.
    """
    out = bytearray()
    try:
        stream = _Stream(file, at, kind)
        while size and (data := stream.read(min(size, _STEP))):
            size -= len(data)
        stream.slow = True
        while data := stream.read(1):
            out += data
    except _DAMAGE:
        pass
    return bytes(out)


class _Stream:
    """A packed stream in a file, unpacked piece by piece.

    Parameters
    ----------
    at:
        The offset of the stream in the file.
    kind:
        The packing.
    """

    slow = False

    def __init__(self, file: BinaryIO, at: int, kind: str) -> None:
        self._file = file
        self._kind = kind
        self._waiting = b""
        file.seek(at)
        if kind == "gzip":
            _skip_gzip_header(file)
        self._unpacker = _OPENERS[kind]()

    @property
    def ended(self) -> bool:
        """Return whether the stream has come to its own end."""
        return bool(self._unpacker.eof)

    def read(self, most: int) -> bytes:
        """Return up to `most` bytes; b"" at the end of the stream or of the file."""
        while not self._unpacker.eof:
            packed, over = self._waiting, False
            if not packed and getattr(self._unpacker, "needs_input", True):
                packed = self._file.read(1 if self.slow else _STEP)
                over = not packed
            data: bytes = self._unpacker.decompress(packed, most)
            self._waiting = getattr(self._unpacker, "unconsumed_tail", b"")
            if data or over:
                return data
        return b""

    def end(self) -> int | None:
        """Return the offset at which the next stream of the file may begin; None where nothing follows."""
        at = self._file.seek(-len(self._unpacker.unused_data), 1)
        if self._kind == "gzip":
            at = self._file.seek(8, 1)  # checksum and size: readers return the bytes before they check these
        while data := self._file.read(_STEP):
            padding = len(data) - len(data.lstrip(b"\0")) if self._kind == "gzip" else 0
            at += padding
            if padding < len(data):
                return at
        return None


def _skip_gzip_header(file: BinaryIO) -> None:
    """Skip the header of gzip (RFC 1952) as Python does, without checking its fields.

    Raises
    ------
    EOFError
        There is no header of gzip.
    """
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"\x1f\x8b\x08":
        raise EOFError
    flags = head[3]
    if flags & 4:
        file.seek(int.from_bytes(file.read(2), "little"), 1)
    for _ in range((flags >> 3 & 1) + (flags >> 4 & 1)):  # a name, a comment
        while file.read(1) not in (b"\0", b""):
            pass
    if flags & 2:
        file.seek(2, 1)


_OPENERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(-zlib.MAX_WBITS),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,  # each stream xz or lzma, as lzma.open reads it
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE),
}


def packings(head: bytes) -> list[str]:
    """Return the packings that a file may have, by its first bytes."""
    found = [
        kind
        for magic, kind in (
            (b"\x1f\x8b", "gzip"),
            (b"BZh", "bzip2"),
            (b"\xfd7zXZ", "xz"),
            (b"\x5d\0", "lzma"),
            (lz4.MAGIC, "LZ4"),
        )
        if head.startswith(magic)
    ]
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        found.append("zlib")
    if _is_lzma(head):
        found.append("xz")
    return found


def _is_lzma(head: bytes) -> bool:
    """Return whether liblzma reads a file without magic bytes as lzma (its ``alone_decoder.c``, where it guesses)."""
    if len(head) < _ALONE.size:
        return False
    properties, dictionary, size = _ALONE.unpack_from(head)
    usual = dictionary.bit_count() == 1 or (dictionary.bit_count() == 2 and dictionary & dictionary >> 1)
    return properties < 225 and bool(usual or dictionary == 0xFFFFFFFF) and (size < 1 << 38 or size == (1 << 64) - 1)
