"""Numpy arrays in pickles of joblib: the number of bytes of each array, by its description."""

from __future__ import annotations

import re
from typing import Any

from gitreg.contents.allowlist import Pair

WRAPPER: Pair = ("joblib.numpy_pickle", "NumpyArrayWrapper")
DTYPE: Pair = ("numpy", "dtype")
_FIELDS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
_CODE = re.compile(r"[<>=|]?([biufcmMSUVO?])([0-9]{0,9})")
_HAS_OBJECT = 0x01  # NPY_ITEM_REFCOUNT
_DIMENSIONS = 64  # numpy's limit
_LONGEST = 1 << 62


class UnknownArrayError(Exception):
    """The error that an array, or the type of its items, is not written as joblib and numpy write it."""


class PickledObject:
    """An object that a pickle makes, as far as it is known.

    Parameters
    ----------
    pair:
        Module and name of the callable.
    arguments:
        The arguments of the call.
    """

    __slots__ = ("arguments", "pair", "states")

    def __init__(self, pair: Pair, arguments: Any) -> None:
        self.pair = pair
        self.arguments = arguments
        self.states: list[Any] = []


def is_clean_code(code: object) -> bool:
    """Return whether a type code, such as ``<f8``, is known and not that of objects."""
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    return match is not None and match[1] != "O"


def array_size(state: Any) -> int | None:
    """Return the number of bytes of the array that joblib's wrapper describes; None where a pickle follows instead.

    Parameters
    ----------
    state:
        The state with which the wrapper is built.

    Returns
    -------
    int | None
        The size in bytes, without padding.

    Raises
    ------
    UnknownArrayError
        The state is not as joblib writes it.
    """
    if type(state) is not dict or not state.keys() <= _FIELDS or not {"shape", "dtype"} <= state.keys():
        raise UnknownArrayError
    size, has_object = _item(state["dtype"], 8)
    return None if has_object else _times(size, state["shape"])


def alignment(state: dict[Any, Any]) -> bool:
    """Return whether padding, preceded by a byte with its length, stands before the array."""
    return state.get("numpy_array_alignment_bytes") is not None


def _item(dtype: Any, levels: int) -> tuple[int, bool]:
    """Return the size of a type's items in bytes, and whether they contain objects, both as numpy reads the type."""
    if not levels or type(dtype) is not PickledObject or dtype.pair != DTYPE or len(dtype.states) > 1:
        raise UnknownArrayError
    arguments = dtype.arguments
    code = arguments[0] if type(arguments) is tuple and arguments else None
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    if match is None or not (match[2] or match[1] in "SUV"):  # without digits, the size of "i" depends on the machine
        raise UnknownArrayError
    kind, size = match[1], int(match[2] or 0) * (4 if match[1] == "U" else 1)
    if not dtype.states:
        return size, kind == "O"
    state = dtype.states[0]
    if type(state) is not tuple or len(state) not in (8, 9):  # old, shorter states have the length elsewhere
        raise UnknownArrayError
    _, _, subarray, _, fields, length, _, flags, *_ = state
    if type(length) is not int or type(flags) is not int:
        raise UnknownArrayError
    if kind in "SUV":  # only for these, numpy takes the length from the state
        size = length
    has_object = kind == "O"
    if subarray is not None:
        has_object = _of_subarray(subarray, kind, size, levels)
    if fields is not None:
        has_object = _of_fields(fields, kind, levels)
    if size < 0 or bool(flags & _HAS_OBJECT) is not has_object:  # the flag alone decides whether a pickle follows
        raise UnknownArrayError
    return size, has_object


def _of_subarray(subarray: Any, kind: str, size: int, levels: int) -> bool:
    """Return whether items that are arrays themselves contain objects."""
    if kind != "V" or type(subarray) is not tuple or len(subarray) != 2:
        raise UnknownArrayError
    part, has_object = _item(subarray[0], levels - 1)
    if _times(part, subarray[1]) != size:
        raise UnknownArrayError
    return has_object


def _of_fields(fields: Any, kind: str, levels: int) -> bool:
    """Return whether items of several fields contain objects."""
    if kind != "V" or type(fields) is not dict:
        raise UnknownArrayError
    parts = list(fields.values())
    if not all(type(part) is tuple and part for part in parts):
        raise UnknownArrayError
    found = [_item(part[0], levels - 1)[1] for part in parts]  # check all: each has to be a type as numpy writes it
    return any(found)


def _times(size: int, shape: Any) -> int:
    """Return the number of bytes of an array, by the size of an item in bytes and the shape."""
    if type(shape) is not tuple or len(shape) > _DIMENSIONS:
        raise UnknownArrayError
    for length in shape:
        if type(length) is not int or not 0 <= length <= _LONGEST:
            raise UnknownArrayError
        size *= length
    if size > _LONGEST:  # numpy's 64 bits would overflow
        raise UnknownArrayError
    return size
