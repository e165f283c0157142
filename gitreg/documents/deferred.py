"""Mappings that are made when somebody looks into them: most who read a record do not ask for its files."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import cached_property
from typing import TypeVar

_V = TypeVar("_V")


class Deferred(Mapping[str, _V]):
    """A mapping that a function gives, called once, at the first look.

    Parameters
    ----------
    make:
        Gives it; it cannot fail.
    """

    def __init__(self, make: Callable[[], Mapping[str, _V]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, _V]:
        return self._make()

    def __getitem__(self, key: str) -> _V:
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    # These are what Mapping has, at the speed of what is inside.

    def keys(self) -> KeysView[str]:
        """See Mapping."""
        return self._made.keys()

    def values(self) -> ValuesView[_V]:
        """See Mapping."""
        return self._made.values()

    def items(self) -> ItemsView[str, _V]:
        """See Mapping."""
        return self._made.items()

    def __repr__(self) -> str:
        return repr(self._made)
