"""Metadata as typed JSON: the values from a caller, checked key by key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.names import check_utf8

_DEEPEST = 32


def to_json(metadata: Mapping[str, Any], where: str = "metadata") -> dict[str, Any]:
    """Return metadata as plain JSON values.

    Tuples become lists; scalars of numpy and similar libraries (zero-dimensional objects with ``item()``) become Python
    values.

    Parameters
    ----------
    where:
        The name of the argument, for error messages.

    Raises
    ------
    InvalidInput
        A key or a value cannot be written in JSON; the error names the key.
    """
    if not isinstance(metadata, Mapping):
        raise InvalidInput(
            f"{where} is a mapping, not {type(metadata).__name__}", hint=f"write {where}={{'key': value}}"
        )
    return {_key(key, where): _value(value, f"{where}.{key}", 1) for key, value in metadata.items()}


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str) or not key.strip() or not key.isprintable():
        raise InvalidInput(f"{where} has the key {key!r}", hint="a key is a printable text")
    return key


def _value(value: Any, where: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise InvalidInput(f"{where} is nested deeper than {_DEEPEST} levels, or holds itself")
    if getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return check_utf8(value, where)
    if isinstance(value, int):
        if abs(value) >= 10**99:
            raise InvalidInput(f"{where} is a number of more than 99 digits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidInput(f"{where} is {value}, which JSON cannot say", hint="leave it out, or save it as a text")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, where): _value(item, f"{where}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(value)]
    raise InvalidInput(
        f"{where} is a {type(value).__name__}, which JSON cannot say",
        hint="turn it into numbers, texts, lists or mappings first; files are saved as artifacts",
    )
