"""Return whether a version may take a stage, or an alias, by the policy of the branch that it is committed upon."""

from __future__ import annotations

from collections.abc import Callable

from gitreg.documents.layout import Key
from gitreg.errors import GitregError, Protected, Refused
from gitreg.policy.deciding import ALIASES, SETTINGS, Decision, Policy
from gitreg.policy.deciding import decide as judge
from gitreg.policy.parsing import parse_policies
from gitreg.policy.promotion import Candidate, Post, check_promotion
from gitreg.policy.results import Outcome, Result
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.evidence import SnapshotEvidence
from gitreg.registry.snapshot import ModelVersion, Snapshot
from gitreg.registry.tenure import tenure

NO_STAGES = (SETTINGS, ALIASES)
"""The names that no stage may have."""


def policies(snapshot: Snapshot) -> dict[str, Policy]:
    """Give the policies of a registry by stage.

    Raises
    ------
    InvalidDocument
        One is not understood. All are read, whichever is asked for: one for a stage that is misspelled guards nothing.
    """
    settings = snapshot.settings
    return snapshot.remember("policies", lambda: parse_policies(settings.policies, settings.people, settings.stages))


def policy_of(snapshot: Snapshot, pointer: Key) -> Policy:
    """Return the policy of a stage, or that of all aliases.

    A stage that an old registry calls as the policy of something else is called has none.

    Raises
    ------
    InvalidDocument
        The policies are not understood.
    """
    known, stage = policies(snapshot), pointer.name
    if pointer.kind == "alias":
        return known.get(ALIASES, Policy(stage=ALIASES))
    return Policy(stage=stage) if stage in NO_STAGES else known.get(stage, Policy(stage=stage))


def decide(
    base: Snapshot,
    head: Snapshot,
    version: ModelVersion,
    pointer: Key,
    circumstances: Circumstances,
    *,
    force: bool = False,
    rollback: bool = False,
) -> Decision:
    """Judge a version that is to take a stage, or an alias.

    Parameters
    ----------
    base:
        The target branch: its policy, keys, stages and history count.
    head:
        What is to be: the version, its card and its approvals come from there. For a direct promotion, the same.
    version:
        As the head has it.
    pointer:
        The stage, or the alias.
    force:
        Whether what the policy calls overridable is overridden.
    rollback:
        Whether the stage is given back to a version that its gates let in before: they are not asked again.

    Raises
    ------
    InvalidDocument
        The base's policies are not understood.
    """
    policy = policy_of(base, pointer)
    evidence = SnapshotEvidence(base, head, version, pointer, circumstances)
    return judge(policy.for_rollback() if rollback else policy, evidence, force=force)


def enforce(
    snapshot: Snapshot,
    version: ModelVersion,
    pointer: Key,
    circumstances: Circumstances,
    *,
    force: bool = False,
    rollback: bool = False,
) -> list[str]:
    """Refuse a move that the policy forbids; give the names of what force overrode.

    Raises
    ------
    Refused
        A rule or gate does not pass.
    Protected
        It would pass, but the stage is entered by pull request only.
    InvalidDocument
        The policies are not understood.
    """
    if circumstances.proposing and not force:  # whoever checks the proposal decides
        policies(snapshot)
        return []
    decision = decide(snapshot, snapshot, version, pointer, circumstances, force=force, rollback=rollback)
    if circumstances.proposing:
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
    """Return in words that a version may not take a stage, or be called by an alias."""
    return f"{reference} may not {'enter' if pointer.kind == 'stage' else 'be called'} {pointer.name}"


def explained_by(reference: str, pointer: Key) -> str:
    """Return the hint that names the command which explains a decision."""
    asked = pointer.name if pointer.kind == "stage" else f"--alias {pointer.name}"
    return f"`gitreg why {reference} {asked}` explains each rule and gate"


def refusal(decision: Decision, pointer: Key) -> Refused:
    """Return the error that says why a version may not take a stage, or an alias."""
    first, *more = decision.unmet
    told = f" (and {', '.join(result.name for result in more)})" if more else ""
    return Refused(
        f"{barred(decision.reference, pointer)}: {first.name}: {first.sentence}{told}",
        hint=explained_by(decision.reference, pointer),
    )


def explain(
    snapshot: Snapshot, version: ModelVersion, stage: str, circumstances: Circumstances, *, force: bool = False
) -> Decision:
    """Say what a promotion would meet: what every registry demands, and the stage's policy.

    Raises
    ------
    InvalidDocument
        The policies are not understood.
    """
    pointer = snapshot.find_stage(version.model, stage)
    holder = snapshot.find_version(version.model, pointer.version) if pointer else None
    undone = tenure(snapshot, version.model, stage).undone
    candidate = Candidate(version.version, version.reference, version.yanked)
    post = Post(stage, holder.version if holder else None, undone)
    free = f"{stage} is free" if holder is None else f"{holder.reference} holds {stage}"
    if holder is not None and holder.version != version.version:
        free += ", and may be archived" if force else ", from which a rollback took it out"
    basic = (
        _tried("available", "it was not yanked", lambda: check_promotion(candidate, post, force=True)),
        _tried("vacant", free, lambda: check_promotion(candidate._replace(yanked=False), post, force=force)),
    )
    decision = decide(snapshot, snapshot, version, Key("stage", version.model, stage), circumstances, force=force)
    return decision._replace(results=(*basic, *decision.results))


def _tried(name: str, good: str, check: Callable[[], None]) -> Result:
    try:
        check()
    except GitregError as error:
        sentence = f"{error.message}; {error.hint}" if error.hint else error.message
        return Result(name, name, Outcome.FAILED, sentence)
    return Result(name, name, Outcome.PASSED, good)
