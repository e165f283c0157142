from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs.format import chunking
from gitreg.blobs.format.chunking import FileSource, IteratorSource, cut

pytestmark = pytest.mark.usefixtures("small_sizes")

sizes = st.one_of(st.integers(0, 60_000), st.sampled_from([0, 1, 255, 256, 4096, 4097, 12287, 12288, 12289, 24576]))


def taken(stream: chunking.ByteSource) -> list[bytes]:
    found = []
    for piece in cut(stream):
        found.append(bytes(piece.data))
        piece.release()
    return found


@given(sizes, st.integers(0, 3), st.integers(1, 20_000))
def test_the_chunks_are_the_bytes_however_they_are_handed_over(size: int, seed: int, step: int) -> None:
    data = random.Random(seed).randbytes(size) if seed else bytes(size)
    chunks = taken(IteratorSource(data[start : start + step] for start in range(0, size, step)))
    assert b"".join(chunks) == data
    assert chunks == taken(IteratorSource(iter([data] if data else [])))
    assert all(chunking.SMALLEST <= len(chunk) <= chunking.LARGEST for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= chunking.LARGEST for chunk in chunks)


@pytest.mark.parametrize("seed", range(8))
def test_the_cuts_are_those_of_one_pass_over_all_bytes(tmp_path: Path, seed: int) -> None:
    """However large the window that they are found in."""
    from pyfastcdc import FastCDC

    data = random.Random(seed).randbytes(300_000)
    (tmp_path / "data").write_bytes(data)
    descriptor = os.open(tmp_path / "data", os.O_RDONLY)
    try:
        chunks = taken(FileSource(descriptor))
    finally:
        os.close(descriptor)
    whole = FastCDC(chunking.USUAL, min_size=chunking.SMALLEST, max_size=chunking.LARGEST).cut_buf(data)
    assert [len(chunk) for chunk in chunks] == [chunk.length for chunk in whole]


def test_memory_is_not_used_again_before_it_is_given_back() -> None:
    def endless() -> Iterator[bytes]:
        for number in range(1000):
            yield random.Random(number).randbytes(1000)

    pieces = cut(IteratorSource(endless()))
    lent = [next(pieces) for _ in range(8)]
    before = [bytes(piece.data) for piece in lent]
    assert [bytes(piece.data) for piece in lent] == before
    for piece in lent:
        piece.release()
    rest = []
    for piece in pieces:
        rest.append(bytes(piece.data))
        piece.release()
    assert b"".join(before + rest) == b"".join(endless())
