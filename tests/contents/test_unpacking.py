"""Unpacking: no reader gets more out of a packed file than the scan looks at."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib
from collections.abc import Callable
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.contents.unpacking import packings, unpack

LIMIT = 1 << 24


def alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pack", "reader"),
    [(gzip.compress, gzip.open), (bz2.compress, bz2.open), (lzma.compress, lzma.open), (alone, lzma.open)],
)
@given(
    seed=st.integers(0, 1 << 32),
    size=st.integers(1, 30_000),
    letters=st.integers(1, 256),
    streams=st.integers(1, 3),
    flips=st.lists(st.tuples(st.floats(0.1, 1, exclude_max=True), st.integers(0, 7)), max_size=2),
    steps=st.lists(st.sampled_from([1, 7, 100, 8192, 100_000]), min_size=1, max_size=4),
)
def test_what_a_reader_gets_before_the_damage_is_looked_at(
    pack: Callable[[bytes], bytes],
    reader: Callable[[IO[bytes]], Any],
    seed: int,
    size: int,
    letters: int,
    streams: int,
    flips: list[tuple[float, int]],
    steps: list[int],
) -> None:
    data = bytes(random.Random(seed).choices(range(letters), k=size))
    packed = bytearray(b"".join(pack(data[start::streams]) for start in range(streams)))
    for place, bit in flips:
        packed[int(place * len(packed))] ^= 1 << bit
    got = b""
    try:
        file = reader(io.BytesIO(packed))
        while piece := file.read(steps[len(got) % len(steps)]):
            got += piece
    except (OSError, EOFError, lzma.LZMAError, ValueError, zlib.error):
        pass
    found = [unpack(io.BytesIO(packed), kind, LIMIT).data for kind in packings(bytes(packed[:512]))]
    assert not got or any(each.startswith(got) for each in found)


@pytest.mark.parametrize("first", [lzma.compress(b""), alone(b""), lzma.compress(b"1")])
@pytest.mark.parametrize("form", [lzma.FORMAT_XZ, lzma.FORMAT_ALONE])
def test_streams_of_xz_and_lzma_may_follow_one_another(first: bytes, form: int) -> None:
    packed = first + lzma.compress(b"what follows", form)
    with lzma.open(io.BytesIO(packed)) as file:
        read = file.read()
    assert read.endswith(b"what follows")
    assert read in [unpack(io.BytesIO(packed), kind, LIMIT).data for kind in packings(packed)]


def test_a_header_that_zlib_refuses_and_python_reads_is_stepped_over() -> None:
    packed = bytearray(gzip.compress(b"what follows"))
    packed[3] = 0xE0 | 2 | 4 | 8 | 16
    packed[10:10] = b"\2\0xx" + b"a name\0" + b"a comment\0" + b"no sum"[:2]
    with gzip.open(io.BytesIO(packed)) as file:
        assert file.read() == b"what follows"
    assert unpack(io.BytesIO(packed), "gzip", LIMIT) == (b"what follows", True)
