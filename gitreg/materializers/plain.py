"""Text, bytes and JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from gitreg.errors import InvalidInput
from gitreg.materializers.base import Materializer, check_exact, shown

_DEEPEST = 200  # levels; Python's JSON parser fails at about a thousand, fewer if its caller is nested deeply
_LONGEST_INTEGER = 4000  # digits; Python refuses to read more than 4,300
_HINT = "save it as an artifact of its own, or convert it"


class Text(Materializer):
    """A string, in UTF-8, with its line ends unchanged."""

    name = "text"
    types = ("builtins.str",)

    def write(self, value: object, folder: Path) -> None:
        """Write ``text.txt``."""
        check_exact(value, str)
        assert isinstance(value, str)
        _check_text(value, "the text")
        (folder / "text.txt").write_bytes(value.encode())

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> str:
        """Return the text."""
        return (folder / "text.txt").read_bytes().decode()


class Bytes(Materializer):
    """Bytes, unchanged."""

    name = "bytes"
    types = ("builtins.bytes",)

    def write(self, value: object, folder: Path) -> None:
        """Write ``data.bin``."""
        check_exact(value, bytes)
        assert isinstance(value, bytes)
        (folder / "data.bin").write_bytes(value)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> bytes:
        """Return the bytes."""
        return (folder / "data.bin").read_bytes()


class Json(Materializer):
    """Values that JSON restores exactly: no tuples, which would become lists, and no keys but strings.

    A dict keeps its order, so equal dicts in different orders give different files.
    """

    name = "json"
    types = ("builtins.dict", "builtins.list", "builtins.int", "builtins.float", "builtins.bool", "builtins.NoneType")

    def write(self, value: object, folder: Path) -> None:
        """Write ``data.json``."""
        _check(value, _Place(), [])
        (folder / "data.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8", newline="\n")

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> object:
        """Return the value."""
        return json.loads((folder / "data.json").read_bytes(), parse_constant=_no_constant)


class _Place(tuple[str | int, ...]):
    """The position inside a value, as JSONPath: ``$.parameters["max depth"][3]``."""

    __slots__ = ()

    def __str__(self) -> str:
        return "$" + "".join(_part(part) for part in self)

    def at(self, part: str | int) -> _Place:
        return _Place((*self, part))


def _part(part: str | int) -> str:
    if isinstance(part, str):
        return f".{part}" if part.isidentifier() else f"[{json.dumps(part)}]"
    return f"[{part}]"


def _check(value: object, place: _Place, above: list[int]) -> None:
    """Raise InvalidInput unless JSON restores exactly this value; ``above`` has the ids of the containers around it."""
    kind = type(value)
    if value is None or kind is bool:
        return
    if kind is str:
        assert isinstance(value, str)
        _check_text(value, str(place))
    elif kind is int:
        assert isinstance(value, int)
        if value.bit_length() > _LONGEST_INTEGER * math.log2(10):
            raise InvalidInput(f"{place} has more than {_LONGEST_INTEGER:,} digits", hint="save it as text")
    elif kind is float:
        assert isinstance(value, float)
        if not math.isfinite(value):
            raise InvalidInput(f"{place} is {value}, which JSON cannot say", hint="use None, or a numpy array")
    elif kind in (dict, list):
        if id(value) in above:
            raise InvalidInput(f"{place} is inside itself", hint=_HINT)
        if len(above) == _DEEPEST:
            raise InvalidInput(f"{place} lies more than {_DEEPEST} levels deep", hint=_HINT)
        for part, inner in _inside(value, place):
            _check(inner, place.at(part), [*above, id(value)])
    else:
        raise InvalidInput(f"{place} is of {shown(kind)}, which JSON cannot say", hint=_HINT)


def _inside(value: object, place: _Place) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, list):
        yield from enumerate(value)
        return
    assert isinstance(value, dict)
    for key, inner in value.items():
        if type(key) is not str:
            raise InvalidInput(
                f"{place} has the key {key!r} of {shown(type(key))}; JSON's keys are strings",
                hint="make its keys strings",
            )
        _check_text(key, f"a key of {place}")
        yield key, inner


def _check_text(text: str, place: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{place} has half a character (a lone surrogate) at position {error.start}", hint="save it as bytes"
        ) from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
