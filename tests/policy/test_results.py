"""Composition: three-valued logic, and what force makes of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitreg.policy.gates.base import AllGate, AnyGate, Gate
from gitreg.policy.results import Result, Verdict, overridden, override
from tests.policy.support import Facts

BASIC = (Verdict.FAILED, Verdict.UNKNOWN, Verdict.PASSED)


class Fixed(Gate):
    """A gate whose outcome is given."""

    kind = "fixed"

    def __init__(self, name: str, outcome: Verdict) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "outcome", outcome)

    def judge(self, evidence: Any) -> Result:
        return Result(self.name, self.kind, self.outcome, "given")  # type: ignore[attr-defined]


LEAVES = st.builds(Fixed, st.sampled_from("abcd"), st.sampled_from(BASIC))
TREES: st.SearchStrategy[Gate] = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, gates: kind(name=kind.kind, gates=tuple(gates)),
        st.sampled_from([AllGate, AnyGate]), st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=12,
)  # fmt: skip


def truth(gate: Gate, assumed: bool) -> bool:
    """What two-valued logic says where all that is not known is assumed to pass, or to fail."""
    if isinstance(gate, AllGate):
        return all(truth(part, assumed) for part in gate.gates)
    if isinstance(gate, AnyGate):
        return any(truth(part, assumed) for part in gate.gates)
    outcome = gate.judge(Facts()).outcome
    return assumed if outcome is Verdict.UNKNOWN else outcome is Verdict.PASSED


@given(TREES)
def test_an_outcome_is_certain_exactly_where_what_is_not_known_cannot_change_it(gate: Gate) -> None:
    least, most = truth(gate, False), truth(gate, True)
    outcome = gate.judge(Facts()).outcome
    if least == most:
        assert outcome is (Verdict.PASSED if least else Verdict.FAILED)
    else:
        assert outcome is Verdict.UNKNOWN


def leaves(result: Result) -> list[Result]:
    return [leaf for part in result.parts for leaf in leaves(part)] if result.parts else [result]


@given(TREES, st.sets(st.sampled_from([*"abcd", "all", "any"])))
def test_force_opens_only_by_names_that_may_be_overridden_and_names_each_that_it_needed(
    gate: Gate, names: set[str]
) -> None:
    before = gate.judge(Facts())
    after = override(before, names)
    assert after.outcome >= before.outcome
    told = overridden(after)
    assert set(told) <= names
    assert bool(told) == (after.outcome is Verdict.OVERRIDDEN)
    # What is told is enough: force that may override nothing else opens as well.
    assert override(before, set(told)).outcome.opens == after.outcome.opens
    if before.outcome is Verdict.PASSED:
        assert after == before
    if not names:
        assert after == before


@given(TREES)
def test_what_is_not_evaluated_never_opens(gate: Gate) -> None:
    outcome = gate.judge(Facts()).outcome
    assert outcome.opens == (outcome is Verdict.PASSED)
