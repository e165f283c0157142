"""The headers of safetensors files: read where they are some, and nothing happens where they are not."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.cards.values import TensorInfo
from gitreg.sdk.views.tensors import _read_header


def header(said: object) -> bytes:
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text


def test_the_tensors_of_a_real_file_are_told() -> None:
    np, save = pytest.importorskip("numpy"), pytest.importorskip("safetensors.numpy").save
    content = save({"a": np.zeros((2, 3), np.float32), "b": np.zeros((), np.int64)}, {"made": "here"})
    assert sorted(_read_header(io.BytesIO(content))) == [TensorInfo("a", "F32", [2, 3]), TensorInfo("b", "I64", [])]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff" * 8, header(b"[" * 100_000), header(b"{" * 100), header([1]), header({"a": 1}), header({"a": {}}),
        header({"a": {"dtype": "F32", "shape": 3}}), header({"a": {"dtype": "F32", "shape": [[1]]}}),
        header(b'{"a": {"dtype": "F32", "shape": [Infinity]}}'), header(b"1" * 5000),
        (2**40).to_bytes(8, "little") + b"{}",
    ],
)  # fmt: skip
def test_what_is_no_header_gives_no_tensors(content: bytes) -> None:
    assert _read_header(io.BytesIO(content)) == []


@pytest.mark.slow
@given(st.binary(max_size=40) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(header))
def test_no_header_does_harm(content: bytes) -> None:
    assert isinstance(_read_header(io.BytesIO(content)), list)
