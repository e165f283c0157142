"""The lazy mapping, which is built at its first use: most readers of a record do not need its files."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import cached_property
from typing import TypeVar

_V = TypeVar("_V")


class Deferred(Mapping[str, _V]):
    """A mapping that is built by a function, called once, at the first use.

    Parameters
    ----------
    make:
        The function, which must not fail.
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

    # Mapping has these methods too, but those of the inner mapping are faster.

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
