"""Misuse of allowed names: calls and states that no library writes into its pickles, even with allowed names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gitreg.contents.allowlist import Pair
from gitreg.contents.numpy_arrays import DTYPE, WRAPPER, PickledObject

_ENCODE: Pair = ("_codecs", "encode")
_REBUILDERS: frozenset[Pair] = frozenset({("copyreg", "_reconstructor"), ("copy_reg", "_reconstructor")})
_METHODS = frozenset({"append", "extend", "add", "update"})  # unpicklers look these up in the object's attributes


class Name:
    """A name that a pickle imports."""

    __slots__ = ("pair",)

    def __init__(self, pair: Pair) -> None:
        self.pair = pair


class Unknown:
    """A value that cannot be determined."""


def _encodes_latin_1(arguments: Any, opcode: str) -> bool:
    """Return whether bytes are encoded as protocol 2 does it; any other encoding would be looked up and imported."""
    return opcode == "REDUCE" and type(arguments) is tuple and len(arguments) == 2 and arguments[1] == "latin1"


def _makes_bytes(arguments: Any, opcode: str) -> bool:
    """Return whether bytes are made of nothing, or of a text as protocol 2 writes it."""
    return (arguments == () and opcode != "NEWOBJ_EX") or (
        opcode == "REDUCE"
        and type(arguments) is tuple
        and (len(arguments) == 1 or (len(arguments) == 2 and arguments[1] in ("latin1", "latin-1")))
    )


def _makes_empty(arguments: Any, opcode: str) -> bool:
    """Return whether an object is made without its constructor, which may open files by its arguments or defaults."""
    return opcode == "NEWOBJ" and arguments == ()


def _names_a_type(arguments: Any, opcode: str) -> bool:
    """Return whether a numpy type is made by its code; for another argument numpy returns that type, not a new one."""
    return opcode == "REDUCE" and type(arguments) is tuple and bool(arguments) and isinstance(arguments[0], str)


RESTRICTED: dict[Pair, Callable[[Any, str], bool]] = {
    _ENCODE: _encodes_latin_1,
    **{(module, name): _makes_bytes for module in ("builtins", "__builtin__") for name in ("bytes", "bytearray")},
    ("xgboost.core", "Booster"): _makes_empty,
    ("lightgbm.basic", "Booster"): _makes_empty,
    WRAPPER: _makes_empty,
    DTYPE: _names_a_type,
}
"""The permitted calls of names that can do more than make data; such a name may not be an argument or an item."""

_HANDED_ON = "hands on what libraries only call, or read, on the spot"


class Passed(tuple[Any, ...]):
    """A tuple that contains, directly or in a nested tuple, a value that may not be passed on."""

    __slots__ = ()


def tuple_of(items: Iterable[Any]) -> tuple[Any, ...]:
    """Return a tuple as a pickle makes it; each is checked once, since one may contain another a hundred times."""
    made = tuple(items)
    return Passed(made) if any(hands_on(item) for item in made) else made


def hands_on(value: Any) -> bool:
    """Return whether a value is a restricted name, an array before joblib reads it, or a tuple that contains one."""
    if type(value) is PickledObject:
        return value.pair == WRAPPER
    return type(value) is Passed or (type(value) is Name and value.pair in RESTRICTED)


def problem_of_call(called: Any, arguments: Any, opcode: str) -> str | None:
    """Return the problem of a call that no library writes into a pickle, or None.

    Parameters
    ----------
    called:
        The value that is called.
    arguments:
        The arguments of the call.
    opcode:
        The name of the opcode that makes the call.

    Returns
    -------
    str | None
        The problem as the predicate of a sentence on the pickle: "calls ...".
    """
    if type(called) is PickledObject:
        return "calls what it made itself"
    if type(called) is not Name:
        return None
    rule = RESTRICTED.get(called.pair)
    if rule is not None and not rule(arguments, opcode):
        return f"calls {'.'.join(called.pair)} in a way that is not known"
    if type(arguments) is Passed:
        rebuilt = called.pair in _REBUILDERS and opcode == "REDUCE" and len(arguments) == 3
        if not rebuilt or type(arguments[0]) is not Name or any(hands_on(item) for item in arguments[1:]):
            return _HANDED_ON
    return None


def problem_of_items(items: Iterable[Any]) -> str | None:
    """Return the problem of values that are put into a container or an object, or None."""
    return _HANDED_ON if any(hands_on(item) for item in items) else None


def _is_method(key: Any) -> bool:
    return isinstance(key, str) and (key in _METHODS or (key[:2] == "__" and key[-2:] == "__"))


def problem_of_state(state: Any) -> str | None:
    """Return the problem of an object's state, or None: values that would be called in place of its methods."""
    for part in state if isinstance(state, tuple) else (state,):
        if type(part) is PickledObject and part.pair[0] == "collections":
            return "hides the state of an object"
        if type(part) is dict:
            for key, value in part.items():
                if type(value) in (Name, PickledObject) and _is_method(key):
                    return f"replaces the method {key} of an object"
    return problem_of_items((state,))
