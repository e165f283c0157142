"""What a stage's policy demands of a version, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gitreg.policy.evidence import Evidence
from gitreg.policy.gates import Gate
from gitreg.policy.results import Outcome, Result, overridden, override

RULES = ("from", "promoters")
"""The rules that ``overridable`` may name beside the gates."""
SETTINGS, ALIASES = "settings", "aliases"
"""The names among the policies that are no stages: who may change who may do what, and who may set any alias."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Who may put which versions into a stage.

    Parameters
    ----------
    origins:
        The stages of which the version must hold one now; empty: it may come from anywhere.
    promoters:
        The e-mails of those who may; empty: anyone.
    protected:
        Whether the stage is entered by pull request only.
    overridable:
        The names of rules and gates that force may override.
    gates:
        All of them must pass.
    """

    stage: str
    origins: tuple[str, ...] = ()
    promoters: tuple[str, ...] = ()
    protected: bool = False
    overridable: frozenset[str] = frozenset()
    gates: tuple[Gate, ...] = ()

    def for_rollback(self) -> Policy:
        """Give what of it counts where a stage is given back to who held it: who does it, and by which way."""
        return replace(self, origins=(), gates=())


class Decision(NamedTuple):
    """What a policy makes of a version.

    Parameters
    ----------
    reference:
        The version.
    stage:
        What the policy is of: the stage, or ``aliases`` where an alias is set.
    protected:
        Whether the stage is entered by pull request only; that refuses no version.
    results:
        What became of each rule and gate.
    """

    reference: str
    stage: str
    protected: bool
    results: tuple[Result, ...]

    @property
    def allowed(self) -> bool:
        """Whether the version may enter."""
        return all(result.outcome.opens for result in self.results)

    @property
    def unmet(self) -> list[Result]:
        """The rules and gates in the way."""
        return [result for result in self.results if not result.outcome.opens]

    @property
    def overridden(self) -> list[str]:
        """The names of what force overrides."""
        return list(dict.fromkeys(name for result in self.results for name in overridden(result)))

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "reference": self.reference,
            "stage": self.stage,
            "allowed": self.allowed,
            "protected": self.protected,
            "overridden": self.overridden,
            "results": [result.row() for result in self.results],
        }


def decide(policy: Policy, evidence: Evidence, *, force: bool = False) -> Decision:
    """Judge a version by a policy.

    Parameters
    ----------
    policy:
        That of the branch which the promotion is committed upon.
    evidence:
        May be of another snapshot: of a proposal, say.
    force:
        Whether what the policy calls overridable is overridden, where it does not pass.
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
        results.append(Result("from", "from", Outcome.PASSED if good else Outcome.FAILED, sentence, facts))
    if policy.promoters:
        results.append(_promoter(policy, evidence))
    return results


def _promoter(policy: Policy, evidence: Evidence) -> Result:
    who = evidence.promoter
    facts = {"promoters": list(policy.promoters), "promoter": who}
    verb = {SETTINGS: "change that", ALIASES: "set aliases"}.get(policy.stage, "promote")
    if who is None:
        sentence = f"who promotes is not known here; {_or(policy.promoters)} may"
        return Result("promoters", "promoters", Outcome.UNKNOWN, sentence, facts)
    if evidence.person(who) in map(evidence.person, policy.promoters):
        return Result("promoters", "promoters", Outcome.PASSED, f"{who} may {verb}", facts)
    sentence = f"{who} may not {verb}; {_or(policy.promoters)} may"
    return Result("promoters", "promoters", Outcome.FAILED, sentence, facts)


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(names)
