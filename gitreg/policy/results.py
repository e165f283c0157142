"""What became of a gate, and of several together: four outcomes in an order, of which `all` takes the least."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Outcome(IntEnum):
    """What became of a gate. Without the overridden, this is Kleene's three-valued logic."""

    FAILED = 0
    UNKNOWN = 1
    OVERRIDDEN = 2
    PASSED = 3

    @property
    def word(self) -> str:
        """How it is told: ``failed``, ``not evaluated``, ``overridden`` or ``passed``."""
        return "not evaluated" if self is Outcome.UNKNOWN else self.name.lower()

    @property
    def opens(self) -> bool:
        """Whether the way is free."""
        return self >= Outcome.OVERRIDDEN


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Say what becomes of gates that must all pass."""
    return min(outcomes, default=Outcome.PASSED)


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Say what becomes of gates of which one is enough."""
    return max(outcomes, default=Outcome.FAILED)


class Result(NamedTuple):
    """What became of one rule or gate.

    Parameters
    ----------
    name:
        What a policy's ``overridable`` calls it.
    kind:
        The gate's kind, or the rule's name.
    sentence:
        Why, with the numbers.
    facts:
        The numbers, as plain data.
    parts:
        Of a gate that is made of others: theirs.
    """

    name: str
    kind: str
    outcome: Outcome
    sentence: str
    facts: Mapping[str, Any] = _NOTHING
    parts: tuple[Result, ...] = ()

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "outcome": self.outcome.word,
            "sentence": self.sentence,
            **({"facts": dict(self.facts)} if self.facts else {}),
            **({"parts": [part.row() for part in self.parts]} if self.parts else {}),
        }


def override(result: Result, names: Collection[str]) -> Result:
    """Give what becomes of it where force may override gates of these names; what passes is left as it is."""
    if result.outcome is Outcome.PASSED:
        return result
    if result.name in names:
        return result._replace(outcome=Outcome.OVERRIDDEN)
    if not result.parts:
        return result
    parts = tuple(override(part, names) for part in result.parts)
    join = any_of if result.kind == "any" else all_of
    return result._replace(outcome=join(part.outcome for part in parts), parts=parts)


def overridden(result: Result) -> list[str]:
    """Name what force had to override for it to open."""
    if result.outcome is not Outcome.OVERRIDDEN:
        return []
    within = [names for part in result.parts if (names := overridden(part))]
    if not within:
        return [result.name]
    if result.kind == "any":
        return within[0]
    return [name for names in within for name in names]
