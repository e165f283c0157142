"""Promotions, rollbacks and archiving of versions, and moves of aliases."""

from __future__ import annotations

from gitreg.documents.layout import Key
from gitreg.documents.types import AliasDocument, StageDocument
from gitreg.errors import InvalidInput, NotFound, Refused
from gitreg.names import ARCHIVED, check_alias, fold
from gitreg.policy.promotion import BY_FORCE, Candidate, TargetStage, check_promotion, check_stage_is_known
from gitreg.registry import promotion
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.state.references import resolve
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.state.stage_history import stage_history
from gitreg.registry.writing.changes import Changes, Edits


def promote(
    snapshot: Snapshot,
    reference: str,
    stage: str,
    *,
    force: bool = False,
    reason: str = "",
    context: PromotionContext = UNKNOWN,
) -> Changes:
    """Return the changes that put a version into a stage; with ``force``, the former holder is archived.

    No file changes if the version is in the stage already. A version is in one stage at most: it leaves its former one.

    Parameters
    ----------
    context:
        The context of the promotion, which the stage's policy is evaluated in.

    Raises
    ------
    NotFound, InvalidInput
        The version or the stage does not exist.
    Refused
        A rule forbids the promotion (:func:`gitreg.policy.promotion.check_promotion`), or the stage's policy does
        (:func:`gitreg.registry.promotion.enforce.enforce`).
    """
    version = resolve(snapshot, reference, withdrawn=True)
    check_stage_is_known(stage, snapshot.settings.stages)
    pointer = snapshot.find_stage(version.model, stage)
    if version.stage == stage and pointer and pointer.digest in (None, version.digest):
        return Changes(version=(version.model, version.version))
    edits = Edits(snapshot)
    trailers = take_stage(edits, snapshot, version, stage, force=force, reason=reason, context=context)
    return Changes(
        edits.files,
        f"Promote {version.reference} to {stage}",
        reason,
        (("Operation", "promote"), *trailers),
        version=(version.model, version.version),
        emptied=emptied_stage(snapshot, version, stage),
    )


def emptied_stage(snapshot: Snapshot, version: ModelVersion, stage: str) -> str | None:
    """Return the stage that a version leaves empty for another one; None where it is an earlier one, as is usual."""
    stages = snapshot.settings.stages
    return None if version.stage in (None, ARCHIVED, *stages[: stages.index(stage) + 1]) else version.stage


def take_stage(
    edits: Edits,
    snapshot: Snapshot,
    version: ModelVersion,
    stage: str,
    *,
    force: bool,
    reason: str = "",
    context: PromotionContext,
    instead: str = BY_FORCE,
) -> tuple[tuple[str, str], ...]:
    """Add a version's move into a stage to the edits, and return the trailers of the commit that describe it.

    Parameters
    ----------
    instead:
        The hint where another version is in the stage.

    Raises
    ------
    Refused
        A rule or the stage's policy forbids the promotion.
    """
    model = version.model
    pointer = snapshot.find_stage(model, stage)
    holder = snapshot.find_version(model, pointer.version) if pointer else None
    past = stage_history(snapshot, model, stage)
    check_promotion(
        Candidate(version.version, version.reference, version.yanked),
        TargetStage(stage, holder.version if holder else None, past.undone),
        force=force,
        instead=instead,
    )
    overridden = _ask_policy(snapshot, version, Key("stage", model, stage), context, force=force)
    document = StageDocument(
        version=version.version,
        digest=version.digest,
        previous=past.before(version.version),
        reason=reason or None,
    )
    edits.write(Key("stage", model, stage), document)
    edits.leave_stages(version, but=stage)
    if version.archived:
        edits.annotate(version, archived=False)
    if holder and holder.version != version.version:
        edits.annotate(holder, archived=True)
    trailers = [("Model", model), ("Version", version.version), ("Stage", stage)]
    if holder:
        trailers.append(("From", holder.version))
    return (*trailers, *overridden)


def _ask_policy(
    snapshot: Snapshot,
    version: ModelVersion,
    pointer: Key,
    context: PromotionContext,
    *,
    force: bool = False,
    rollback: bool = False,
) -> list[tuple[str, str]]:
    """Return the trailers for the gates that were overridden; raise Refused if the policy of the pointer forbids it."""
    if not snapshot.settings.policies:
        return []
    back = rollback and promotion.stage_entries.may_return(snapshot, version, pointer.name, context)
    overridden = promotion.enforce.enforce(snapshot, version, pointer, context, force=force, rollback=back)
    return [("Overridden", name) for name in overridden]


def rollback(
    snapshot: Snapshot, model: str, stage: str, *, reason: str = "", context: PromotionContext = UNKNOWN
) -> Changes:
    """Return the changes that put the former holder back into a stage; yanked and deleted versions are skipped.

    If the stage's gates admitted that version once, only ``promoters`` and ``protected`` of the policy apply; otherwise
    the gates apply as well (:func:`gitreg.registry.promotion.stage_entries.entry_decision`).

    Raises
    ------
    NotFound
        The model does not exist, or no version was ever in the stage.
    Refused
        No former holder can take the stage again, or the stage's policy forbids it.
    """
    snapshot.card_fields(model)
    check_stage_is_known(stage, snapshot.settings.stages)
    past = stage_history(snapshot, model, stage)
    if not past.holders:
        raise NotFound(
            f"no version of {model} was ever in {stage}", hint=f"`gitreg promote {model}@N {stage}` puts one there"
        )
    current = snapshot.find_stage(model, stage)
    for place in past.below():
        target = snapshot.find_version(model, past.holders[place])
        if target is not None and not target.yanked and not (current and target.version == current.version):
            break
    else:
        raise Refused(
            f"{stage} of {model} has no former version to return to: there was none, or it was yanked or deleted",
            hint=f"promote a version instead; `gitreg log {model}@{stage}` lists those that were there",
        )
    _ask_policy(snapshot, target, Key("stage", model, stage), context, rollback=True)
    edits = Edits(snapshot)
    document = StageDocument(
        version=target.version,
        digest=target.digest,
        previous=past.holders[place - 1] if place else None,
        rolled_back_from=current.version if current else None,
        reason=reason or None,
    )
    edits.write(Key("stage", model, stage), document)
    edits.leave_stages(target, but=stage)
    if target.archived:
        edits.annotate(target, archived=False)
    trailers = [("Operation", "rollback"), ("Model", model), ("Version", target.version), ("Stage", stage)]
    if current:
        trailers.append(("From", current.version))
    return Changes(
        edits.files,
        f"Roll {stage} of {model} back to {target.version}",
        reason,
        tuple(trailers),
        version=(model, target.version),
        emptied=emptied_stage(snapshot, target, stage),
    )


def archive(snapshot: Snapshot, reference: str, *, reason: str = "") -> Changes:
    """Return the changes that mark a version as no longer relevant and remove it from its stage.

    Raises
    ------
    NotFound
        The version does not exist.
    """
    version = resolve(snapshot, reference, withdrawn=True)
    edits = Edits(snapshot)
    edits.leave_stages(version)
    edits.annotate(version, archived=True)
    return Changes(
        edits.files,
        f"Archive {version.reference}",
        reason,
        (("Operation", "archive"), ("Model", version.model), ("Version", version.version)),
        version=(version.model, version.version),
    )


def set_alias(
    snapshot: Snapshot,
    reference: str,
    alias: str,
    *,
    force: bool = False,
    context: PromotionContext = UNKNOWN,
) -> Changes:
    """Return the changes that point an alias to a version; no files, and no policy applies, if it does so already.

    Parameters
    ----------
    force:
        True if the gates that the policy of aliases lists as overridable are overridden.
    context:
        The context of the promotion, which the policy of aliases is evaluated in.

    Raises
    ------
    NotFound
        The version does not exist.
    InvalidInput
        The alias could be mistaken for something else (:func:`gitreg.names.check_alias`).
    Refused
        The policy of aliases forbids the move.
    """
    version = resolve(snapshot, reference)
    check_alias(alias, stages=snapshot.settings.stages)
    if snapshot.find_version(version.model, alias, deleted=True) is not None:
        raise InvalidInput(f"{alias!r} is a version of {version.model}", hint="choose another alias")
    twin = next((a for a in snapshot.aliases(version.model) if a != alias and fold(a) == fold(alias)), None)
    if twin is not None:
        raise InvalidInput(
            f"{alias!r} differs from the alias {twin!r} only in case; on macOS and Windows they are one file",
            hint=f"spell it {twin!r}, or choose another alias",
        )
    key, former = Key("alias", version.model, alias), snapshot.find_alias(version.model, alias)
    if former is not None and former.version == version.version and former.digest in (None, version.digest):
        return Changes(version=(version.model, version.version))
    overridden = _ask_policy(snapshot, version, key, context, force=force)
    trailers = [("Operation", "alias"), ("Model", version.model), ("Version", version.version), ("Alias", alias)]
    if former:
        trailers.append(("From", former.version))
    return Changes(
        {key: AliasDocument(version=version.version, digest=version.digest)},
        f"Alias {version.model}@{alias}: {version.version}",
        trailers=(*trailers, *overridden),
        version=(version.model, version.version),
    )


def delete_alias(snapshot: Snapshot, model: str, alias: str) -> Changes:
    """Return the changes that delete an alias; no files if it does not exist.

    Raises
    ------
    NotFound
        The model does not exist.
    """
    snapshot.card_fields(model)
    former = snapshot.find_alias(model, alias)
    if former is None:
        return Changes()
    return Changes(
        {Key("alias", model, alias): None},
        f"Delete the alias {model}@{alias}",
        trailers=(("Operation", "delete-alias"), ("Model", model), ("Alias", alias), ("From", former.version)),
    )
