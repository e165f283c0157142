"""What a gate is: a frozen value that judges evidence and reads nothing itself; and gates made of others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from gitreg.policy.evidence import Evidence
from gitreg.policy.results import Outcome, Result, all_of, any_of

Finding = tuple[Outcome, str, Mapping[str, Any]]
"""The outcome of a condition, the sentence, and the numbers."""


@dataclass(frozen=True, kw_only=True)
class Gate(ABC):
    """What a version has to pass to enter a stage.

    Parameters
    ----------
    name:
        What ``overridable`` and results call it; its kind, where the policy names none.
    """

    kind: ClassVar[str]
    name: str

    @abstractmethod
    def judge(self, evidence: Evidence) -> Result:
        """Say what becomes of it."""


class Condition(Gate):
    """A gate of one condition."""

    def judge(self, evidence: Evidence) -> Result:
        """Say what becomes of it."""
        outcome, sentence, facts = self._find(evidence)
        return Result(self.name, self.kind, outcome, sentence, facts)

    @abstractmethod
    def _find(self, evidence: Evidence) -> Finding: ...


def finding(passed: bool, sentence: str, **facts: Any) -> Finding:
    """Give what was found where it is certain."""
    return (Outcome.PASSED if passed else Outcome.FAILED), sentence, facts


@dataclass(frozen=True, kw_only=True)
class AllOf(Gate):
    """Gates that must all pass."""

    kind: ClassVar[str] = "all"
    gates: tuple[Gate, ...]

    def judge(self, evidence: Evidence) -> Result:
        """Say what becomes of each, and of all together."""
        parts = tuple(gate.judge(evidence) for gate in self.gates)
        outcome = all_of(part.outcome for part in parts)
        return Result(self.name, self.kind, outcome, f"all {len(parts)} of these are needed", parts=parts)


@dataclass(frozen=True, kw_only=True)
class AnyOf(Gate):
    """Gates of which one is enough."""

    kind: ClassVar[str] = "any"
    gates: tuple[Gate, ...]

    def judge(self, evidence: Evidence) -> Result:
        """Say what becomes of each, and of the best of them."""
        parts = tuple(gate.judge(evidence) for gate in self.gates)
        outcome = any_of(part.outcome for part in parts)
        return Result(self.name, self.kind, outcome, f"one of these {len(parts)} is enough", parts=parts)
