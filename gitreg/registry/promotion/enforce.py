"""The decisions on versions that are to take a stage or an alias, by the policy of the target branch."""

from __future__ import annotations

from collections.abc import Callable

from gitreg.documents.layout import Key
from gitreg.errors import GitregError, Protected, Refused
from gitreg.policy.evaluate import ALIASES, SETTINGS, Decision, Policy, policy_for
from gitreg.policy.evaluate import decide as judge
from gitreg.policy.parse import parse_policies
from gitreg.policy.promotion import Candidate, TargetStage, check_promotion
from gitreg.policy.results import Result, Verdict
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.snapshot_evidence import SnapshotEvidence
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.state.stage_history import stage_history

NO_STAGES = (SETTINGS, ALIASES)
"""The reserved names of policies that belong to no stage: settings and aliases."""


def policies(snapshot: Snapshot) -> dict[str, tuple[Policy, ...]]:
    """Return the policies of a registry, by stage; of those of a stage, the first that is for a model counts.

    Raises
    ------
    InvalidDocument
        A policy cannot be parsed. All are parsed at once, as a policy of a misspelled stage would guard nothing.
    """
    settings = snapshot.settings
    return snapshot.remember("policies", lambda: parse_policies(settings.policies, settings.people, settings.stages))


def policy_of(snapshot: Snapshot, pointer: Key) -> Policy:
    """Return the policy of a model's stage, or that of its aliases.

    A stage of an old registry with a reserved name has no policy.

    Raises
    ------
    InvalidDocument
        The policies are not understood.
    """
    known, stage = policies(snapshot), pointer.name
    if pointer.kind == "alias":
        return policy_for(known, ALIASES, pointer.model)
    return Policy(stage=stage) if stage in NO_STAGES else policy_for(known, stage, pointer.model)


def decide(
    base: Snapshot,
    head: Snapshot,
    version: ModelVersion,
    pointer: Key,
    context: PromotionContext,
    *,
    force: bool = False,
    rollback: bool = False,
) -> Decision:
    """Return the policy's decision on a version that is to take a stage or an alias.

    Parameters
    ----------
    base:
        The snapshot of the target branch: its policy, keys, stages and history count.
    head:
        The snapshot with the version, its card and its approvals. For a direct promotion, the same as `base`.
    version:
        The version in `head`.
    pointer:
        The key of the stage or alias.
    context:
        The promotion context.
    force:
        True to override the gates that the policy calls overridable.
    rollback:
        True if the stage returns to a version that its gates admitted before; they are not evaluated again.

    Raises
    ------
    InvalidDocument
        The policies of `base` cannot be parsed.
    """
    policy = policy_of(base, pointer)
    evidence = SnapshotEvidence(base, head, version, pointer, context)
    return judge(policy.for_rollback() if rollback else policy, evidence, force=force)


def enforce(
    snapshot: Snapshot,
    version: ModelVersion,
    pointer: Key,
    context: PromotionContext,
    *,
    force: bool = False,
    rollback: bool = False,
) -> list[str]:
    """Raise an error for a move that the policy forbids; return the names of the gates that force overrode.

    Raises
    ------
    Refused
        A rule or gate does not pass.
    Protected
        All gates pass, but the stage is entered by pull request only.
    InvalidDocument
        The policies cannot be parsed.
    """
    if context.proposing and not force:  # the check of the proposal decides
        policies(snapshot)
        return []
    decision = decide(snapshot, snapshot, version, pointer, context, force=force, rollback=rollback)
    if context.proposing:
        return decision.overridden
    if decision.unmet:
        raise refusal(decision, pointer)
    if decision.protected:
        raise Protected(
            f"{pointer.name} is entered by pull request only (`protected` in gitreg.yaml)",
            hint="propose it: `gitreg promote ... --pr`",
        )
    return decision.overridden


def barred(reference: str, pointer: Key) -> str:
    """Return the sentence that a version may not take a stage or an alias."""
    return f"{reference} may not {'enter' if pointer.kind == 'stage' else 'be called'} {pointer.name}"


def explained_by(reference: str, pointer: Key) -> str:
    """Return the hint that names the command which explains a decision."""
    asked = pointer.name if pointer.kind == "stage" else f"--alias {pointer.name}"
    return f"`gitreg why {reference} {asked}` explains each rule and gate"


def refusal(decision: Decision, pointer: Key) -> Refused:
    """Return the error that names the gates against a version in a stage or alias."""
    first, *more = decision.unmet
    others = f" (and {', '.join(result.name for result in more)})" if more else ""
    return Refused(
        f"{barred(decision.reference, pointer)}: {first.name}: {first.sentence}{others}",
        hint=explained_by(decision.reference, pointer),
    )


def explain(
    snapshot: Snapshot, version: ModelVersion, stage: str, context: PromotionContext, *, force: bool = False
) -> Decision:
    """Return the decision on a promotion: first the rules of every registry, then the gates of the stage's policy.

    Raises
    ------
    InvalidDocument
        The policies cannot be parsed.
    """
    pointer = snapshot.find_stage(version.model, stage)
    holder = snapshot.find_version(version.model, pointer.version) if pointer else None
    undone = stage_history(snapshot, version.model, stage).undone
    candidate = Candidate(version.version, version.reference, version.yanked)
    post = TargetStage(stage, holder.version if holder else None, undone)
    free = f"{stage} is free" if holder is None else f"{holder.reference} is in {stage}"
    if holder is not None and holder.version != version.version:
        undo = f"; a rollback took {version.reference} out of it, so no force is needed"
        free += ", and may be archived" if force else undo
    basic = (
        _tried("available", "it was not yanked", lambda: check_promotion(candidate, post, force=True)),
        _tried("vacant", free, lambda: check_promotion(candidate._replace(yanked=False), post, force=force)),
    )
    decision = decide(snapshot, snapshot, version, Key("stage", version.model, stage), context, force=force)
    return decision._replace(results=(*basic, *decision.results))


def _tried(name: str, good: str, check: Callable[[], None]) -> Result:
    try:
        check()
    except GitregError as error:
        sentence = f"{error.message}; {error.hint}" if error.hint else error.message
        return Result(name, name, Verdict.FAILED, sentence)
    return Result(name, name, Verdict.PASSED, good)
