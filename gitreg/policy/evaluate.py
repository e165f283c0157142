"""The policy of a stage and its decision on a version: the result of all rules and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from gitreg import cards
from gitreg.policy.evidence import Evidence
from gitreg.policy.gates.base import Gate
from gitreg.policy.results import Result, Verdict, nested, overridden, override
from gitreg.units import counted

RULES = ("from", "promoters")
"""The rules that ``overridable`` may name, besides gates."""
SETTINGS, ALIASES = "settings", "aliases"
"""The names of the two policies that are not of a stage: changes of permissions in ``gitreg.yaml``, and aliases."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The policy of a stage: the rules and gates for a version that is to enter it.

    Parameters
    ----------
    stage:
        The stage, ``aliases`` or ``settings``.
    models:
        The globs on names of models that the policy is for; empty: it is for all.
    origins:
        The stages of which the version must be in one now; empty: no such rule.
    promoters:
        The e-mails of the people who may promote; empty: everybody may.
    protected:
        True if a version can enter the stage by pull request only.
    overridable:
        The names of the rules and gates that ``force`` may override.
    gates:
        The gates, which must all pass.
    """

    stage: str
    models: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    promoters: tuple[str, ...] = ()
    protected: bool = False
    overridable: frozenset[str] = frozenset()
    gates: tuple[Gate, ...] = ()

    def for_rollback(self) -> Policy:
        """Return the policy for a rollback: promoters and ``protected`` stay, origins and gates do not apply."""
        return replace(self, origins=(), gates=())


def is_for(patterns: Sequence[str], model: str) -> bool:
    """Return whether one of the globs matches a model's name; without globs, each name does."""
    return not patterns or any(model == pattern or fnmatchcase(model, pattern) for pattern in patterns)


def policy_for(policies: Mapping[str, Sequence[Policy]], stage: str, model: str) -> Policy:
    """Return the first policy of a stage, or of ``aliases``, that is for a model; where none is, one without rules."""
    fitting = (policy for policy in policies.get(stage, ()) if is_for(policy.models, model))
    return next(fitting, Policy(stage=stage))


class Decision(NamedTuple):
    """The decision of a policy on a version.

    Parameters
    ----------
    reference:
        The version.
    stage:
        The stage of the policy, or ``aliases``.
    protected:
        True if a version can enter the stage by pull request only; that does not refuse a version.
    results:
        The result of each rule and gate.
    """

    reference: str
    stage: str
    protected: bool
    results: tuple[Result, ...]

    def __repr__(self) -> str:
        met = f"{len(self.results) - len(self.unmet)} of {counted(len(self.results), 'rule')} met"
        return f"Decision({self.reference!r}, {self.stage!r}, {'allowed' if self.allowed else 'refused'}, {met})"

    def _repr_html_(self) -> str:
        rows = [
            ("- " * depth + result.name, result.outcome.word, result.sentence) for depth, result in nested(self.results)
        ]
        facts = {
            "stage": self.stage,
            "decision": "allowed" if self.allowed else "refused",
            "protected": "by pull request only" if self.protected else None,
        }
        tables = [cards.notebook.Table(("rule", "result", "reason"), rows)]
        return cards.notebook.render("Decision", self.reference, facts=facts, tables=tables)

    @property
    def allowed(self) -> bool:
        """Return whether the version may enter."""
        return all(result.outcome.opens for result in self.results)

    @property
    def unmet(self) -> list[Result]:
        """The results of the rules and gates that refuse the version."""
        return [result for result in self.results if not result.outcome.opens]

    @property
    def overridden(self) -> list[str]:
        """The names of the rules and gates that force overrides."""
        return list(dict.fromkeys(name for result in self.results for name in overridden(result)))

    def row(self) -> dict[str, Any]:
        """Return the decision as plain data."""
        return {
            "reference": self.reference,
            "stage": self.stage,
            "allowed": self.allowed,
            "protected": self.protected,
            "overridden": self.overridden,
            "results": [result.row() for result in self.results],
        }


def decide(policy: Policy, evidence: Evidence, *, force: bool = False) -> Decision:
    """Return the decision of a policy on a version.

    Parameters
    ----------
    policy:
        The policy on the branch that the promotion is committed on.
    evidence:
        The facts; they may come from another snapshot, for example from a proposal.
    force:
        True if rules and gates that do not pass are overridden, as far as the policy lists them as overridable.

    Returns
    -------
    Decision
        The result of each rule, then of each gate in the order of the policy.
    """
    results = [*_rules(policy, evidence), *(gate.judge(evidence) for gate in policy.gates)]
    if force:
        results = [override(result, policy.overridable) for result in results]
    return Decision(evidence.reference, policy.stage, policy.protected, tuple(results))


def _rules(policy: Policy, evidence: Evidence) -> list[Result]:
    results = []
    if policy.origins:
        now = evidence.stage_now
        good = now in (*policy.origins, policy.stage)
        sentence = f"it is in {now or 'no stage'}" + ("" if good else f"; it has to come from {_or(policy.origins)}")
        facts = {"from": list(policy.origins), "stage": now}
        results.append(Result("from", "from", Verdict.PASSED if good else Verdict.FAILED, sentence, facts))
    if policy.promoters:
        results.append(_promoter(policy, evidence))
    return results


def _promoter(policy: Policy, evidence: Evidence) -> Result:
    who = evidence.promoter
    facts = {"promoters": list(policy.promoters), "promoter": who}
    verb = {SETTINGS: "change that", ALIASES: "set aliases"}.get(policy.stage, "promote")
    if who is None:
        sentence = f"who promotes is not known here; {_or(policy.promoters)} may"
        return Result("promoters", "promoters", Verdict.UNKNOWN, sentence, facts)
    if evidence.person(who) in map(evidence.person, policy.promoters):
        return Result("promoters", "promoters", Verdict.PASSED, f"{who} may {verb}", facts)
    sentence = f"{who} may not {verb}; {_or(policy.promoters)} may"
    return Result("promoters", "promoters", Verdict.FAILED, sentence, facts)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(names)
