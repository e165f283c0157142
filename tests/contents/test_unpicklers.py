"""Calls that an unpickler of Python or of C makes: the scan sees each, whatever stands before it."""

from __future__ import annotations

import io
import pickle
import random
import struct
from contextlib import suppress
from typing import Any

import pytest

from gitreg.contents import CODE
from gitreg.contents.scanner import scan

PIECES = [
    b"", b"0", b"1", b"12", b"01", b" ", b"\t", b"\x0b", b"\x1c", b"\r", b"\0", b"'", b'"', b"\\", b"\\x41", b"\\u0041",
    b"\xff", b"\xc3\xa9", b"_", b"0x", b".", b"e", b"L", b"nan", b"-", b"+",
]  # fmt: skip
LINES = [b"I", b"L", b"F", b"S", b"V", b"P", b"p", b"g", b"Np"]
ALONE = [bytes([code]) for code in b"()]}N012aesutldQb\x85\x86\x87\x88\x89\x8f\x90\x91\x94"]
SIZED = [(b"T", 4), (b"U", 1), (b"X", 4), (b"B", 4), (b"C", 1), (b"\x8a", 1), (b"\x8c", 1), (b"\x8d", 8), (b"\x8e", 8)]
FIXED = [(b"K", 1), (b"M", 2), (b"J", 4), (b"G", 8), (b"q", 1), (b"h", 1), (b"\x80", 1), (b"\x95", 8), (b"Nq", 1)]
BEGINS = [b"", b"", b"\x80\x02", b"\x80\x04", *(b"\x80\x05\x95" + struct.pack("<Q", size) for size in (3, 5, 20))]
ENDS = [
    b"cm\nf\n(tR.",
    b"Vm\nVf\n\x93(tR.",
    b"(cm\nf\no.",
    b"(im\nf\n.",
    b"cm\nf\n)\x81.",
    b"\x8c\x01m\x8c\x01f\x93)R.",
]


class Made:
    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


def calls(kind: Any, data: bytes) -> bool:
    """Whether an unpickler calls something; whatever is named, nothing is."""
    called = []

    class Harmless(kind):
        def find_class(self, *_: str) -> Any:
            def call(*_: object) -> Made:
                called.append(1)
                return Made()

            return call

        def persistent_load(self, _: object) -> int:
            return 1

    with suppress(Exception):
        Harmless(io.BytesIO(data)).load()
    return bool(called)


def an_opcode(drawn: random.Random) -> bytes:
    how = drawn.randrange(4)
    if how == 0:
        return drawn.choice(LINES) + b"".join(drawn.choices(PIECES, k=drawn.randrange(4))) + b"\n"
    if how == 1:
        return drawn.choice(ALONE)
    code, width = drawn.choice(SIZED if how == 2 else FIXED)
    number: int = drawn.choice([0, 1, 2, 5, 127, 255, 256**width - 1, 256**width // 2]) % 256**width
    inside = drawn.choices([b"a", b"\n", b"1", b"\xff", b"\0"], k=min(number, 6)) if how == 2 else []
    return code + number.to_bytes(width, "little") + b"".join(inside)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of escapes that Python does not know
def test_whatever_an_unpickler_calls_is_code(seed: int) -> None:
    drawn = random.Random(seed)
    told = 0
    for _ in range(1_500):
        data = drawn.choice(BEGINS) + b"".join(an_opcode(drawn) for _ in range(drawn.randrange(5))) + drawn.choice(ENDS)
        if calls(pickle.Unpickler, data) or calls(pickle._Unpickler, data):
            told += 1
            assert scan(io.BytesIO(data)).verdict == CODE, data
    assert told > 100
