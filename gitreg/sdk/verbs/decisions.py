"""Functions that decide on promotions without making them, and judge those that were made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitreg.documents.layout import Key
from gitreg.names import check_alias
from gitreg.policy.promotion import check_stage_is_known
from gitreg.registry.promotion.enforce import decide, explain
from gitreg.registry.promotion.signatures import signed
from gitreg.registry.promotion.stage_holders import holder_decisions
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.sdk.verbs.holders import candidate, holders
from gitreg.sdk.verbs.sealed import fetch_tags

if TYPE_CHECKING:
    from gitreg.policy.evaluate import Decision
    from gitreg.registry.promotion.signatures import VersionSignature
    from gitreg.sdk.session import Session


def why(session: Session, reference: str, stage: str, *, force: bool = False) -> Decision:
    """Return the decision on a promotion (:meth:`gitreg.Registry.why`)."""
    version = candidate(session, reference, withdrawn=True)
    snapshot = session.snapshot()
    check_stage_is_known(stage, snapshot.settings.stages)
    return explain(snapshot, version, stage, session.context(), force=force)


def why_alias(session: Session, reference: str, alias: str, *, force: bool = False) -> Decision:
    """Return the decision on setting an alias (:meth:`gitreg.Registry.why_alias`)."""
    version = candidate(session, reference)
    snapshot = session.snapshot()
    check_alias(alias, stages=snapshot.settings.stages)
    return decide(snapshot, snapshot, version, Key("alias", version.model, alias), session.context(), force=force)


def standing(session: Session, version: ModelVersion) -> list[Decision]:
    """Return the policies' decisions on a version as it stands, by what is known here: no store is asked.

    They are on the stage that it holds, or else on each stage with gates.
    """
    snapshot, context = session.snapshot(), replace(session.context(), source=None)
    stages = [version.stage] if version.stage in snapshot.settings.stages else snapshot.settings.stages
    pointers = [Key("stage", version.model, stage) for stage in stages if stage is not None]
    decisions = [decide(snapshot, snapshot, version, pointer, context) for pointer in pointers]
    return [decision for decision in decisions if decision.results]


def judge_holders(session: Session, reference: str | None = None) -> list[Decision]:
    """Return the policy's decision on the last entry of each holder of a stage, where a policy applied.

    Each entry is evaluated again, as :func:`gitreg.registry.promotion.stage_entries.entry_decision` describes.

    Parameters
    ----------
    reference:
        The version to ask about; None asks about all holders.
    """
    asked = None if reference is None else {each.reference for each in holders(session, [reference])}
    return list(holder_decisions(session.branch.snapshot(), session.context(), asked))


def signers(session: Session, reference: str | None = None) -> list[VersionSignature]:
    """Return the signers of a version, or of all versions, by the public keys that the registry names."""
    snapshot = session.snapshot()
    found = holders(session, [] if reference is None else [reference], warn=False)
    versions = [each for each in found if isinstance(each, ModelVersion)]
    if session.is_mirror:
        fetch_tags(session, versions)
    return [signed(session.branch, snapshot, each) for each in versions]
