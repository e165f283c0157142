"""Arrays of numpy inside of pickles: how many bytes joblib writes for one, behind what it says of it."""

from __future__ import annotations

import re
from typing import Any

from gitreg.contents.allowlist import Pair

WRAPPER: Pair = ("joblib.numpy_pickle", "NumpyArrayWrapper")
DTYPE: Pair = ("numpy", "dtype")
_FIELDS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
_CODE = re.compile(r"[<>=|]?([biufcmMSUVtO?])(\d{0,9})")
_HAS_OBJECT = 0x01  # NPY_ITEM_REFCOUNT


class StrangeError(Exception):
    """An array, or a type of its items, that is not written as joblib and numpy write them."""


class Made:
    """An object that a pickle makes, as far as it is told.

    Parameters
    ----------
    pair:
        The name that was called for it.
    arguments:
        Those of the call.
    """

    __slots__ = ("arguments", "pair", "states")

    def __init__(self, pair: Pair, arguments: Any) -> None:
        self.pair = pair
        self.arguments = arguments
        self.states: list[Any] = []


def is_clean_code(code: object) -> bool:
    """Return whether a type's code, as ``<f8``, is one of items that are no objects."""
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    return match is not None and match[1] != "O"


def array_size(state: Any) -> int | None:
    """Return how many bytes an array takes that joblib's wrapper describes; None where it is a pickle instead.

    Parameters
    ----------
    state:
        What the wrapper is built with.

    Raises
    ------
    StrangeError
        It is not as joblib writes it.
    """
    if type(state) is not dict or not state.keys() <= _FIELDS or not {"shape", "dtype"} <= state.keys():
        raise StrangeError
    size, has_object = _item(state["dtype"], 8)
    if has_object:
        return None
    if type(state["shape"]) is not tuple:
        raise StrangeError
    for length in state["shape"]:
        if type(length) is not int or length < 0:
            raise StrangeError
        size *= length
    return size


def alignment(state: dict[Any, Any]) -> bool:
    """Return whether a byte with the length of a filling, and that filling, stand before the array."""
    return state.get("numpy_array_alignment_bytes") is not None


def _item(dtype: Any, levels: int) -> tuple[int, bool]:
    """Return the size of a type's items in bytes, and whether they hold objects."""
    if not levels or type(dtype) is not Made or dtype.pair != DTYPE or len(dtype.states) > 1:
        raise StrangeError
    arguments = dtype.arguments
    match = _CODE.fullmatch(arguments[0]) if arguments and isinstance(arguments[0], str) else None
    if match is None:
        raise StrangeError
    kind, size = match[1], int(match[2] or 1)
    if kind == "O":
        return 8, True
    if kind == "V" or (dtype.states and _fields(dtype.states[0]) is not None):
        return _compound(dtype.states, size, levels)
    if dtype.states and kind in "SU":  # their length stands in the state: dtype("U", ...), (3, "<", ..., 20, 4, 8)
        size = _length(dtype.states[0], size * (4 if kind == "U" else 1))
        return size, False
    return size * (4 if kind == "U" else 1), False


def _fields(state: Any) -> Any:
    return state[4] if type(state) is tuple and len(state) > 5 else None


def _length(state: Any, otherwise: int) -> int:
    if type(state) is not tuple or len(state) < 6 or type(state[5]) is not int:
        raise StrangeError
    return state[5] if state[5] >= 0 else otherwise


def _compound(states: list[Any], size: int, levels: int) -> tuple[int, bool]:
    """Return the same for a type of several fields, or of bytes without meaning."""
    if not states:
        return size, False
    state = states[0]
    if type(state) is not tuple or len(state) < 6:
        raise StrangeError
    if state[2] is not None:  # an array in each item: its items' type, and its shape
        if type(state[2]) is not tuple or len(state[2]) != 2:
            raise StrangeError
        return _length(state, size), _item(state[2][0], levels - 1)[1]
    fields = state[4]
    flags = state[7] if len(state) > 7 else 0
    if type(flags) is not int or (fields is not None and type(fields) is not dict):
        raise StrangeError
    has_object = bool(flags & _HAS_OBJECT)
    for field in (fields or {}).values():
        if type(field) is not tuple or not field:
            raise StrangeError
        has_object |= _item(field[0], levels - 1)[1]
    return _length(state, size), has_object
