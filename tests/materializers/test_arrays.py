"""numpy's arrays and scalars."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from gitreg.errors import InvalidInput
from gitreg.materializers import read
from tests.materializers.helpers import again, damaged, digests, refused

np: Any = pytest.importorskip("numpy")
npst: Any = pytest.importorskip("hypothesis.extra.numpy")

DTYPES = npst.scalar_dtypes() | npst.unicode_string_dtypes() | npst.byte_string_dtypes() | npst.array_dtypes()


@given(npst.arrays(DTYPES, npst.array_shapes(min_dims=0, min_side=0)))
def test_an_array_comes_back_with_its_dtype_and_bytes(array: Any) -> None:
    back = again(array, "numpy.array")
    assert type(back) is np.ndarray
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@given(npst.from_dtype(np.dtype("f4")) | npst.from_dtype(np.dtype("c16")) | npst.from_dtype(np.dtype("M8[ns]")))
def test_a_scalar_comes_back_as_a_scalar(value: Any) -> None:
    back = again(value, "numpy.scalar")
    assert type(back) is type(value)
    assert back.tobytes() == value.tobytes()


def test_a_float_of_numpy_is_no_float_of_json() -> None:
    assert isinstance(np.float64(1), float)
    assert type(again(np.float64(1), "numpy.scalar")) is np.float64


def test_an_array_in_fortran_order_comes_back_in_it() -> None:
    back = again(np.asfortranarray(np.ones((3, 2))), "numpy.array")
    assert back.flags.f_contiguous
    assert not back.flags.c_contiguous


@pytest.mark.parametrize("array", [np.array([object()]), np.array([("a", None)], dtype=[("x", "U1"), ("y", "O")])])
def test_an_array_of_objects_is_refused(array: Any) -> None:
    refused(array, "holds Python objects, which the npy format can only pickle")


@pytest.mark.parametrize("value", [np.ma.array([1, 2], mask=[True, False]), np.rec.array([(1, 2)], names="a,b")])
def test_a_subclass_of_array_is_refused(value: object) -> None:
    refused(value, "would come back as numpy.ndarray")


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("evil"),))


def test_an_npy_file_that_holds_a_pickle_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content in (np.array([Evil()]), None):
        with (tmp_path / "array.npy").open("wb") as file:
            if content is None:
                pickle.dump(Evil(), file)
            else:
                np.save(file, content, allow_pickle=True)
        for name in ("numpy.array", "numpy.scalar"):
            with pytest.raises(InvalidInput):
                read(tmp_path, name)
    assert not (tmp_path / "evil").exists()


def test_an_array_is_no_scalar(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.ones(3))
    with pytest.raises(InvalidInput, match="has 1 dimensions"):
        read(tmp_path, "numpy.scalar")


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    damaged(np.arange(100.0), tmp_path / "files")


def test_the_same_array_is_the_same_bytes() -> None:
    assert digests(np.arange(10.0)) == digests(np.arange(10.0))
