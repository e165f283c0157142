"""The gate: one rule of a policy, a frozen value that evaluates evidence and reads nothing else; and combinations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from gitreg.policy.evidence import Evidence
from gitreg.policy.results import Result, Verdict, all_of, any_of

Finding = tuple[Verdict, str, Mapping[str, Any]]
"""The verdict of a condition, the sentence that explains it, and its facts as plain data."""


@dataclass(frozen=True, kw_only=True)
class Gate(ABC):
    """The gate that a version has to pass to enter a stage.

    Parameters
    ----------
    name:
        The name in ``overridable`` and in results: the one in the policy, or else the kind of the gate.
    """

    kind: ClassVar[str]
    name: str

    @abstractmethod
    def judge(self, evidence: Evidence) -> Result:
        """Return the result of the gate."""


class Condition(Gate):
    """A gate with one condition."""

    def judge(self, evidence: Evidence) -> Result:
        """Return the result of the gate."""
        outcome, sentence, facts = self._find(evidence)
        return Result(self.name, self.kind, outcome, sentence, facts)

    @abstractmethod
    def _find(self, evidence: Evidence) -> Finding: ...


def finding(passed: bool, sentence: str, **facts: Any) -> Finding:
    """Return a finding whose verdict is definite: passed or failed."""
    return (Verdict.PASSED if passed else Verdict.FAILED), sentence, facts


@dataclass(frozen=True, kw_only=True)
class AllGate(Gate):
    """Gates that must all pass."""

    kind: ClassVar[str] = "all"
    gates: tuple[Gate, ...]

    def judge(self, evidence: Evidence) -> Result:
        """Return the result of the gate, with the results of its parts: the lowest verdict counts."""
        parts = tuple(gate.judge(evidence) for gate in self.gates)
        outcome = all_of(part.outcome for part in parts)
        return Result(self.name, self.kind, outcome, f"all {len(parts)} of these are needed", parts=parts)


@dataclass(frozen=True, kw_only=True)
class AnyGate(Gate):
    """Gates of which one is enough."""

    kind: ClassVar[str] = "any"
    gates: tuple[Gate, ...]

    def judge(self, evidence: Evidence) -> Result:
        """Return the result of the gate, with the results of its parts: the highest verdict counts."""
        parts = tuple(gate.judge(evidence) for gate in self.gates)
        outcome = any_of(part.outcome for part in parts)
        return Result(self.name, self.kind, outcome, f"one of these {len(parts)} is enough", parts=parts)
