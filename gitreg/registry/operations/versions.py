"""Versions: saved, annotated, yanked and deleted."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from gitreg.documents.files import write
from gitreg.documents.layout import Key
from gitreg.documents.types import AnnotationDocument, ArtifactRecord, Document, ModelDocument, VersionDocument
from gitreg.errors import AlreadyExists, InvalidInput, NotFound, Refused
from gitreg.names import (
    ARCHIVED,
    as_number,
    check_artifact,
    check_list,
    check_model,
    check_utf8,
    check_version,
    fold,
    is_number,
    parse_reference,
    slug,
)
from gitreg.policy.promotion import check_stage_is_known
from gitreg.registry.operations.models import new_model, unique
from gitreg.registry.operations.stages import emptied_stage, take_stage
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.state.references import resolve
from gitreg.registry.state.runs_and_artifacts import artifact_names, resolve_artifact
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.writing.changes import Changes, Edits, differences

_LONGEST_FILE_NAME = 250  # bytes of "<model>@<version>": with Git's ".lock" it is one file name


@dataclass(frozen=True)
class NewVersion:
    """The content of a version that has no number yet.

    Parameters
    ----------
    name:
        The name of the version; None: its number is its name.
    created_at:
        The time at which it was made, in RFC 3339.
    inputs:
        References to the versions of models or artifacts of this registry that it was made from.
    run:
        The run and the step that made it.
    links:
        The artifact versions that are linked to it, as ``name@version``.
    artifacts:
        The file sets by name.
    stage:
        The stage to take in the same commit.
    message:
        The body of the commit message.
    """

    model: str
    name: str | None = None
    created_at: str = ""
    created_by: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None
    inputs: tuple[str, ...] = ()
    run: Mapping[str, Any] | None = None
    links: tuple[str, ...] = ()
    artifacts: Mapping[str, ArtifactRecord] = field(default_factory=dict)
    stage: str | None = None
    message: str = ""


def save_version(
    snapshot: Snapshot, new: NewVersion, *, given: Sequence[int] = (), context: PromotionContext = UNKNOWN
) -> Changes:
    """Return the changes that add a version, and its model if that is not registered yet.

    Parameters
    ----------
    given:
        Numbers that are in use without a record on the branch (a tag without a record).
    context:
        The context of the promotion, which the policy of the stage is evaluated in.

    Returns
    -------
    Changes:
        No files if a version of that name exists with the same artifacts.

    Raises
    ------
    AlreadyExists
        A version of that name has other content, other metadata or another stage.
    InvalidInput
        A name is not valid, or the stage is unknown.
    NotFound
        An input does not exist.
    Refused
        The stage is taken, or its policy forbids the promotion.
    """
    model = check_model(new.model)
    existing = find_existing(snapshot, model, new.name) if new.name is not None else None
    if existing is not None:
        _check_same(existing, new)
        return Changes(version=(model, existing.version))
    record = new_record(snapshot, new, max([snapshot.highest_number(model), *given]) + 1)
    name = record.version
    edits = Edits(snapshot)
    if snapshot.find_model(model) is None:
        edits.write(Key("model", model), new_model(snapshot, model, new.created_at))
    edits.write(Key("model_version", model, name), record)
    trailers: tuple[tuple[str, str], ...] = (("Model", model), ("Version", name))
    subject = f"Save {model}@{name}"
    if new.stage is not None:
        check_stage_is_known(new.stage, snapshot.settings.stages)
        version = ModelVersion(record, AnnotationDocument(), record_digest(record), None, ())
        later = f"gitreg promote {model}@{new.name or 'N'} {new.stage} --force"
        by_hand = f"save it without a stage, then `{later}` (in Python: registry.promote(..., force=True))"
        trailers = take_stage(edits, snapshot, version, new.stage, force=False, context=context, instead=by_hand)
        subject += f" as {new.stage}"
    return Changes(edits.files, subject, new.message, (("Operation", "save"), *trailers), version=(model, name))


def new_record(snapshot: Snapshot, new: NewVersion, number: int) -> VersionDocument:
    """Return the record of a version that does not exist yet.

    Raises
    ------
    AlreadyExists, InvalidInput, NotFound
        A name is taken or not valid, or an input does not exist (see :func:`save_version`).
    """
    model = check_model(new.model)
    name = str(number) if new.name is None else check_new_name(snapshot, model, new.name)
    if len(f"{slug(model).rpartition('/')[2]}@{slug(name)}") > _LONGEST_FILE_NAME:
        raise InvalidInput(
            f"{model}@{name} is too long for the name of a tag", hint="shorten the model's or the version's name"
        )
    for artifact in new.artifacts:
        check_artifact(artifact)
    return VersionDocument(
        model=model,
        version=name,
        number=number,
        created_at=new.created_at,
        created_by=new.created_by,
        description=new.description,
        tags=unique(new.tags),
        metadata=new.metadata,
        source=new.source,
        inputs=tuple(dict.fromkeys(resolve_input(snapshot, reference) for reference in new.inputs)),
        run=new.run,
        links=new.links,
        artifacts=new.artifacts,
    )


def resolve_input(snapshot: Snapshot, reference: str) -> str:
    """Return the permanent reference ``name@version`` of an input: a version of a model, or else of an artifact.

    Raises
    ------
    NotFound
        The reference names neither.
    """
    try:
        return resolve(snapshot, reference, withdrawn=True).reference
    except NotFound:
        name = reference.partition("@")[0]
        if name not in artifact_names(snapshot):
            raise
    return resolve_artifact(snapshot, reference).reference


def check_saveable(snapshot: Snapshot, new: NewVersion, *, context: PromotionContext = UNKNOWN) -> None:
    """Raise the error that a version would meet whatever its files are, before gigabytes of them are copied.

    Raises
    ------
    GitregError
        The same errors as :func:`save_version`.
    """
    if new.name is None or find_existing(snapshot, check_model(new.model), new.name) is None:
        context = replace(context, files_follow=True)
        changes = save_version(snapshot, replace(new, artifacts={}), context=context)
        for key, document in changes.files.items():
            if isinstance(document, Document):
                write(key, document)
        check_utf8(changes.body, "the message")


def record_digest(record: VersionDocument) -> str:
    """Return the digest of a record's file as it stands in a pointer: ``sha256:`` and 64 hexadecimal digits."""
    content = write(Key("model_version", record.model, record.version), record)
    return f"sha256:{sha256(content).hexdigest()}"


def find_existing(snapshot: Snapshot, model: str, name: str) -> ModelVersion | None:
    """Return the version of that name or of that number; None if there is none."""
    number = as_number(name)
    if number is not None:
        found = snapshot.find_number(model, number)
        if found is not None:
            return found
    return snapshot.find_version(model, name)


def _check_same(existing: ModelVersion, new: NewVersion) -> None:
    """Raise AlreadyExists if the new version differs from the existing one in content, metadata or stage."""
    hint = "a version never changes: leave the name out for a new number, or annotate it with `gitreg annotate`"
    given = {name: (each.type, each.digest, each.materializer) for name, each in new.artifacts.items()}
    sealed = {name: (each.type, each.digest, each.materializer) for name, each in existing.sealed.items()}
    if given != sealed:
        raise AlreadyExists(f"{existing.reference} already exists with other content", hint=hint)
    differs = {**existing.metadata, **new.metadata} != existing.metadata
    differs = differs or new.description not in (None, existing.description) or not set(new.tags) <= set(existing.tags)
    if differs:
        raise AlreadyExists(f"{existing.reference} already exists with other metadata, tags or description", hint=hint)
    if new.stage is not None and existing.stage != new.stage:
        raise AlreadyExists(
            f"{existing.reference} already exists", hint=f"`gitreg promote {existing.reference} {new.stage}`"
        )


def check_new_name(snapshot: Snapshot, model: str, name: str) -> str:
    """Return the valid name of a new version of a model.

    Raises
    ------
    InvalidInput
        The name is not valid for a version, or it is a number.
    AlreadyExists
        The name belongs to a deleted version, or differs only in case from that of another version.
    """
    if is_number(name):
        hint = f"leave it out: the next number is {snapshot.highest_number(model) + 1}"
        raise InvalidInput(f"{model} has no version {name}, and a new version gets its number from gitreg", hint=hint)
    name = check_version(name, stages=snapshot.settings.stages, aliases=tuple(snapshot.aliases(model)))
    taken = snapshot.names_taken(model)
    if name in taken:
        raise AlreadyExists(f"{model}@{name} was deleted, and its name stays taken", hint="choose another name")
    twin = next((other for other in taken if fold(other) == fold(name)), None)
    if twin is not None:
        raise AlreadyExists(
            f"{name!r} differs from the version {twin!r} only in case; on macOS and Windows they are one file",
            hint="choose another name",
        )
    return name


def annotate(
    snapshot: Snapshot,
    reference: str,
    *,
    description: str | None = None,
    tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    remove_metadata: Sequence[str] = (),
    stage: str | None = None,
    force: bool = False,
    context: PromotionContext = UNKNOWN,
) -> Changes:
    """Return the changes that annotate a version and, if a stage is given, promote it in the same commit.

    Metadata is merged by key, keys and tags are added and removed, a description replaces the former one. The record
    is sealed: the annotation names what of it does not hold any more. Removing what is not there changes nothing.

    Raises
    ------
    NotFound, InvalidInput
        The version or the stage does not exist, or a key or a tag is both set and removed.
    Refused
        The version cannot take the stage.
    """
    version = resolve(snapshot, reference, withdrawn=True)
    tags, remove_tags = unique(tags), unique(remove_tags, "remove_tags")
    check_list(remove_metadata, "remove_metadata")
    metadata = metadata or {}
    both = [f"metadata.{key}" for key in metadata if key in remove_metadata]
    both += [f"the tag {tag!r}" for tag in tags if tag in remove_tags]
    if both:
        raise InvalidInput(f"{both[0]} is both set and removed", hint="do one of them")
    edits = Edits(snapshot)
    note = version.annotation
    record = version.record
    changed = note.but(
        tags=unique([tag for tag in (*note.tags, *tags) if tag not in record.tags and tag not in remove_tags]),
        metadata={**{key: value for key, value in note.metadata.items() if key not in remove_metadata}, **metadata},
        removed=_removed(note.removed, metadata, remove_metadata, record.metadata),
        removed_tags=_removed(note.removed_tags, tags, remove_tags, record.tags),
    )
    if description is not None:
        kept = "" if record.description is not None else None  # the record's has to be hidden
        changed = changed.but(description=description or kept)
    if changed != note:
        fields = ("tags", "metadata", "removed", "removed_tags", "description")
        edits.annotate(version, **{name: getattr(changed, name) for name in fields})
    found = differences(version, version._replace(annotation=changed))
    subject = f"Annotate {version.reference}"
    trailers: tuple[tuple[str, str], ...] = (("Model", version.model), ("Version", version.version))
    operation, emptied = "annotate", None
    if stage == ARCHIVED:
        edits.leave_stages(version)
        edits.annotate(version, archived=True)
        operation, subject = "archive", f"Archive {version.reference}"
    elif stage is not None and version.stage != stage:
        check_stage_is_known(stage, snapshot.settings.stages)
        emptied = emptied_stage(snapshot, version, stage)
        version = version._replace(annotation=changed)  # gates evaluate the new annotation
        trailers = take_stage(edits, snapshot, version, stage, force=force, context=context)
        operation, subject = "promote", f"Promote {version.reference} to {stage}"
    return Changes(
        edits.files,
        subject,
        trailers=(("Operation", operation), *trailers),
        version=(version.model, version.version),
        differences=found,
        emptied=emptied,
    )


def _removed(
    before: Sequence[str], given: Container[str], removed: Sequence[str], sealed: Container[str]
) -> tuple[str, ...]:
    """Return what of a record does not hold any more: as before without what is given, and what is removed of it."""
    return tuple(sorted({each for each in before if each not in given} | {each for each in removed if each in sealed}))


def yank(snapshot: Snapshot, reference: str, *, reason: str = "") -> Changes:
    """Return the changes that yank a version: it loads by name with a warning, but never by latest or a stage.

    Raises
    ------
    NotFound
        The version does not exist.
    InvalidInput
        The reference names no version, stage or alias: a repeated call would yank a second version.
    """
    if parse_reference(reference).selector is None:
        latest = snapshot.latest(parse_reference(reference).model)
        raise InvalidInput(
            f"{reference!r} names no version: the latest is another one after each save",
            hint=None if latest else f"name the version: {reference}@N",
            correction=(reference, latest.reference) if latest else None,
        )
    version = resolve(snapshot, reference, withdrawn=True)
    edits = Edits(snapshot)
    edits.annotate(version, yanked=True, yank_reason=reason or version.annotation.yank_reason)
    return _said(edits, version, "Yank", reason)


def unyank(snapshot: Snapshot, reference: str) -> Changes:
    """Return the changes that undo a yank.

    Raises
    ------
    NotFound
        The version does not exist.
    """
    version = resolve(snapshot, reference, withdrawn=True)
    edits = Edits(snapshot)
    edits.annotate(version, yanked=False, yank_reason=None)
    return _said(edits, version, "Unyank", "")


def delete_version(snapshot: Snapshot, reference: str, *, force: bool = False) -> Changes:
    """Return the changes that delete a version: it is hidden and its weights become garbage; record and number stay.

    Raises
    ------
    NotFound
        The version does not exist.
    Refused
        A stage or an alias points to the version, and ``force`` is false.
    """
    version = resolve(snapshot, reference, withdrawn=True)
    stages = [stage for stage, holder in snapshot.stages(version.model).items() if holder == version.version]
    pointers = [*stages, *version.aliases]
    if pointers and not force:
        raise Refused(
            f"{', '.join(pointers)} of {version.model} points to {version.reference}",
            hint="--force (in Python: force=True) deletes it all the same",
        )
    edits = Edits(snapshot)
    edits.leave_stages(version)
    for alias in version.aliases:
        edits.remove(Key("alias", version.model, alias))
    edits.annotate(version, deleted=True)
    return _said(edits, version, "Delete", "")


def undelete_version(snapshot: Snapshot, reference: str) -> Changes:
    """Return the changes that undo the deletion of a version; a model that was deleted gets its last card back.

    Raises
    ------
    NotFound
        There never was such a version.
    InvalidInput
        The reference names no version.
    """
    model, selector = parse_reference(reference)
    if selector is None:
        gone = snapshot.deleted_names(model)
        which = f"; deleted: {', '.join(gone)}" if gone else ""
        raise InvalidInput(f"{reference!r} names no version", hint=f"name the version: {model}@N{which}")
    number = as_number(selector)
    version = snapshot.find_number(model, number, deleted=True) if number is not None else None
    version = version or snapshot.find_version(model, selector, deleted=True)
    version = version or resolve(snapshot, reference, withdrawn=True)
    edits = Edits(snapshot)
    if version.deleted and snapshot.find_model(version.model) is None:
        cards = snapshot.index.history(snapshot.seq, "model", version.model, "")
        last = next((entry.data for entry in cards if entry.data is not None), None)
        card = ModelDocument.from_data(last) if last else ModelDocument(name=version.model)
        edits.write(Key("model", version.model), card)
    edits.annotate(version, deleted=False)
    return _said(edits, version, "Undelete", "")


def _said(edits: Edits, version: ModelVersion, verb: str, reason: str) -> Changes:
    return Changes(
        edits.files,
        f"{verb} {version.reference}",
        reason,
        (("Operation", verb.lower()), ("Model", version.model), ("Version", version.version)),
        version=(version.model, version.version),
    )
