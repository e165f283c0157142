"""Bytes of any kind have a verdict: no content makes the scan fail."""

from __future__ import annotations

import io
import random

import pytest

from gitreg.contents import CODE, DATA, LIMITED, OPAQUE
from gitreg.contents.scanner import scan

HEADS = [
    b"",
    b"\x80\x04",
    b"\x80\x05\x95",
    b"\x80\x02\x8a\n",
    b"(lp0\n",
    b"\x93NUMPY\x01\x00",
    b"\x93NUMPY\x03\x00",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"\xfd7zXZ\x00",
    b"x\x9c",
    b"\x04\x22\x4d\x18",
    b"\x89HDF\r\n\x1a\n",
    b"GGUF",
    b"PAR1",
    b"ARROW1",
]


@pytest.mark.parametrize("head", HEADS)
def test_any_bytes_have_a_verdict(head: bytes) -> None:
    drawn = random.Random(head)
    for size in [10, 100, 3_000] * 40:
        ending = drawn.choice([b"", b"PAR1", b"PK\x05\x06" + drawn.randbytes(18)])
        assert scan(io.BytesIO(head + drawn.randbytes(size) + ending)).verdict in (CODE, DATA, LIMITED, OPAQUE)


@pytest.mark.parametrize("opcode", [b"\x8d", b"\x8e", b"\x96", b"\x95"])
@pytest.mark.parametrize("size", [2**31, 2**63 - 1, 2**64 - 1])
def test_a_length_beyond_what_a_file_can_have_is_no_error_and_no_data(opcode: bytes, size: int) -> None:
    assert scan(io.BytesIO(b"\x80\x04" + opcode + size.to_bytes(8, "little") + b"x.")).verdict in (CODE, OPAQUE)
