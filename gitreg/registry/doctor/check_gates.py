"""The check of stage holders: versions that the policy refuses, and repairs that must not move their refs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from gitreg.policy.evaluate import Decision
from gitreg.registry.promotion.stage_holders import is_refused, pointer, sentence
from gitreg.registry.rules.problem import Problem


def problems_of_gates(decisions: Collection[Decision]) -> Iterator[Problem]:
    """Yield a problem for each holder of a stage that the policy refuses."""
    for decision in filter(is_refused, decisions):
        model = decision.reference.rpartition("@")[0]
        remedy = f"`gitreg rollback {model} {decision.stage}`; or let it meet the policy, and promote it again"
        yield Problem(pointer(decision).path, sentence(decision), remedy)


def without_refused(problems: Collection[Problem], refused: Collection[str]) -> list[Problem]:
    """Return the problems, without the repair of refs in ``refused``: their stage has a holder that was refused."""
    return [
        replace(each, repair=None, remedy=_LEFT) if each.where.rpartition(" ")[2] in refused else each
        for each in problems
    ]


_LEFT = "it stays while the policy refuses who holds the stage"
