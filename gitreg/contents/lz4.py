"""Unpacking of LZ4 frames of joblib (``lz4_Frame_format.md``, ``lz4_Block_format.md``), without checksums."""

from __future__ import annotations

from typing import BinaryIO

from gitreg.contents.limits import TooLongError

MAGIC = b"\x04\x22\x4d\x18"
_SKIPPED = b"\x2a\x4d\x18"  # after a byte from 0x50 to 0x5f: a frame of other data, which readers skip
_BLOCK_BYTES = 4 << 20


def unpack(file: BinaryIO, limit: int) -> tuple[bytes, bool]:
    """Return the content of the frames, and whether it is complete.

    Returns
    -------
    tuple[bytes, bool]
        The bytes, and False if the last frame is cut or damaged.

    Raises
    ------
    TooLongError
        The content is larger than `limit` bytes.
    """
    out = bytearray()
    try:
        while magic := file.read(4):
            if magic == MAGIC:
                _frame(file, out, limit)
            elif magic[1:] == _SKIPPED and magic[0] >> 4 == 5:
                file.seek(int.from_bytes(_take(file, 4), "little"), 1)
            else:
                return bytes(out), bool(out)
    except (EOFError, IndexError):
        return bytes(out), False
    return bytes(out), True


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _frame(file: BinaryIO, out: bytearray, limit: int) -> None:
    flags, _ = _take(file, 2)
    if flags >> 6 != 1:
        raise EOFError
    _take(file, (8 if flags & 8 else 0) + (4 if flags & 1 else 0) + 1)
    while size := int.from_bytes(_take(file, 4), "little"):
        if size & 0x7FFFFFFF > _BLOCK_BYTES:
            raise EOFError
        block = _take(file, size & 0x7FFFFFFF)
        if size >> 31:
            out += block
        else:
            _block(block, out, limit)
        if len(out) > limit:
            raise TooLongError
        if flags & 16:
            _take(file, 4)
    if flags & 4:
        _take(file, 4)


def _block(block: bytes, out: bytearray, limit: int) -> None:
    """Append the content of a block; matches may refer to earlier blocks."""
    at, end = 0, len(block)
    while at < end:
        token = block[at]
        at += 1
        length, at = _length(block, at, token >> 4)
        if at + length > end:
            out += block[at:]
            raise EOFError
        out += block[at : at + length]
        at += length
        if at == end:
            return
        back = block[at] | block[at + 1] << 8
        length, at = _length(block, at + 2, token & 15)
        length += 4
        if not 0 < back <= len(out):
            raise EOFError
        if len(out) + length > limit:
            raise TooLongError
        match = out[-back:]
        out += (match * (length // back + 1))[:length] if back < length else match[:length]


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            byte = block[at]
            at += 1
            length += byte
            if byte != 255:
                break
    return length, at
