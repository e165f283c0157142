"""The verdicts of gates: four values in an order; of several gates, `all` takes the lowest and `any` the highest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Verdict(IntEnum):
    """The verdict of a gate. Without ``OVERRIDDEN``, these are the values of Kleene's three-valued logic."""

    FAILED = 0
    UNKNOWN = 1
    OVERRIDDEN = 2
    PASSED = 3

    @property
    def word(self) -> str:
        """The word for the verdict: ``failed``, ``not evaluated``, ``overridden`` or ``passed``."""
        return "not evaluated" if self is Verdict.UNKNOWN else self.name.lower()

    @property
    def opens(self) -> bool:
        """Return whether the verdict admits the version: overridden or passed."""
        return self >= Verdict.OVERRIDDEN


def all_of(outcomes: Iterable[Verdict]) -> Verdict:
    """Return the verdict of gates that must all pass: the lowest one, passed if there are none."""
    return min(outcomes, default=Verdict.PASSED)


def any_of(outcomes: Iterable[Verdict]) -> Verdict:
    """Return the verdict of gates of which one is enough: the highest one, failed if there are none."""
    return max(outcomes, default=Verdict.FAILED)


class Result(NamedTuple):
    """The result of one rule or gate.

    Parameters
    ----------
    name:
        The name in the policy's ``overridable``.
    kind:
        The kind of the gate, or the name of the rule.
    outcome:
        The verdict.
    sentence:
        The reason, with the numbers.
    facts:
        The numbers and names behind the verdict, as plain data.
    parts:
        The results of the inner gates of ``all`` and ``any``.
    """

    name: str
    kind: str
    outcome: Verdict
    sentence: str
    facts: Mapping[str, Any] = _NOTHING
    parts: tuple[Result, ...] = ()

    def __repr__(self) -> str:
        return f"Result({self.name!r}, {self.outcome.word!r}, {self.sentence!r})"

    def row(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "outcome": self.outcome.word,
            "sentence": self.sentence,
            **({"facts": dict(self.facts)} if self.facts else {}),
            **({"parts": [part.row() for part in self.parts]} if self.parts else {}),
        }


def nested(results: Iterable[Result], depth: int = 0) -> Iterator[tuple[int, Result]]:
    """Yield the depth and the result of each rule and gate, an outer one before its parts."""
    for result in results:
        yield depth, result
        yield from nested(result.parts, depth + 1)


def override(result: Result, names: Collection[str]) -> Result:
    """Return a result with the gates of these names overridden; one that passed is returned as it is."""
    if result.outcome is Verdict.PASSED:
        return result
    if result.name in names:
        return result._replace(outcome=Verdict.OVERRIDDEN)
    if not result.parts:
        return result
    parts = tuple(override(part, names) for part in result.parts)
    join = any_of if result.kind == "any" else all_of
    return result._replace(outcome=join(part.outcome for part in parts), parts=parts)


def overridden(result: Result) -> list[str]:
    """Return the names of the rules and gates that force had to override to admit the version."""
    if result.outcome is not Verdict.OVERRIDDEN:
        return []
    within = [names for part in result.parts if (names := overridden(part))]
    if not within:
        return [result.name]
    if result.kind == "any":
        return within[0]
    return [name for names in within for name in names]
