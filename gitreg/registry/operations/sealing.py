"""Sealing of drafts: the run, its artifacts and its versions become records on the branch, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.types import (
    CARD_FIELDS,
    AnnotationDocument,
    ArtifactDocument,
    ArtifactRecord,
    DraftDocument,
    RunDocument,
)
from gitreg.errors import AlreadyExists, InvalidInput, Refused
from gitreg.names import ARCHIVED, check_artifact, check_model, check_written_version, fold, is_number
from gitreg.policy.promotion import check_stage_is_known
from gitreg.registry.drafts import Draft, is_sealed
from gitreg.registry.operations.models import new_model, unique
from gitreg.registry.operations.stages import take_stage
from gitreg.registry.operations.versions import NewVersion, find_existing, new_record, record_digest
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.state.runs_and_artifacts import (
    artifact_versions,
    find_artifact,
    find_run,
    next_number,
    resolve_artifact,
)
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.writing.changes import Changes, Edits, refuse_sealed

Given = Callable[[str], Sequence[int]]
"""A function from a model's name to the numbers that are in use without a record."""


def seal(snapshot: Snapshot, draft: Draft, *, given: Given, context: PromotionContext) -> Changes:
    """Return the changes that write a run, its artifacts and its versions, and move stages as the draft asks.

    If a version of a name exists already, its record stays: links, metadata and tags of the draft go to its annotation.

    Parameters
    ----------
    draft:
        The draft of the run; its run document has the status to write.

    Returns
    -------
    Changes:
        No files if the draft is sealed already.

    Raises
    ------
    AlreadyExists
        Another run of that name exists, or an artifact version of that name with other content.
    InvalidInput
        A name is not valid, or a stage is unknown.
    Refused
        A stage is taken, or its policy forbids the promotion.
    """
    run = draft.run
    if is_sealed(draft, snapshot):
        return Changes()
    if find_run(snapshot, run.pipeline, run.run) is not None:
        raise AlreadyExists(f"there is a run {draft.name} already", hint="give the run another name")
    edits = Edits(snapshot)
    artifacts = add_artifacts(snapshot, edits, draft.artifacts.values())
    places = {key: each.reference for key, each in artifacts.items()}
    sealing = _Sealing(snapshot, edits, draft, artifacts, given, context)
    for key, document in draft.versions.items():
        places[key] = sealing.add(document).reference
    made = tuple(dict.fromkeys(places[key] for key in draft.versions))
    edits.write(Key("run", run.pipeline, run.run), _final(run, places, made))
    subject = f"Seal {draft.name}" + (f": {', '.join(made)}" if made else "")
    trailers = (("Operation", "seal"), ("Run", draft.name), *sealing.trailers)
    first = sealing.first
    return Changes(edits.files, subject, trailers=trailers, version=(first.model, first.version) if first else None)


def check_artifact_version(snapshot: Snapshot, name: str, version: str | None) -> None:
    """Raise an error if an artifact version of these names could not be sealed.

    Parameters
    ----------
    name:
        The name of the artifact.
    version:
        The name of the version; None: the version will be named by its number.

    Raises
    ------
    InvalidInput
        A name is not valid, or the version is named by a number.
    AlreadyExists
        The name of the version differs only in case from another one of the artifact.
    """
    check_artifact(name)
    if version is None:
        return
    check_written_version(version)
    if is_number(version):
        raise InvalidInput(
            f"a version of an artifact cannot be named the number {version!r}",
            hint="numbers are given by themselves; leave the name out",
        )
    twins = (str(each.version) for each in artifact_versions(snapshot, name))
    for twin in twins:
        if twin != version and fold(twin) == fold(version):
            raise AlreadyExists(
                f"{version!r} differs from the version {twin!r} of {name} only in case; on macOS and Windows they are "
                "one file",
                hint="choose another name",
            )


def add_artifacts(
    snapshot: Snapshot, edits: Edits, documents: Iterable[ArtifactDocument]
) -> dict[str, ArtifactDocument]:
    """Add artifact versions to the edits, each with the next number, and return them by id.

    A version that exists already with the same content is not written again.

    Raises
    ------
    AlreadyExists
        A version of that name has other content.
    InvalidInput
        A name is not valid.
    """
    found: dict[str, ArtifactDocument] = {}
    numbers: dict[str, int] = {}
    for each in documents:
        check_artifact_version(snapshot, each.artifact, each.version)
        same = find_artifact(snapshot, each.artifact, each.version) if each.version is not None else None
        if each.version is not None:
            pending = edits.files.get(Key("artifact", each.artifact, each.version))
            same = pending if isinstance(pending, ArtifactDocument) else same
        if same is not None:
            if (same.digest, same.type) != (each.digest, each.type):
                raise AlreadyExists(
                    f"{same.reference} already exists with other content", hint="choose another version's name"
                )
            found[each.id] = same
            continue
        number = numbers.get(each.artifact) or next_number(snapshot, each.artifact)
        numbers[each.artifact] = number + 1
        final = each.but(version=each.version if each.version is not None else str(number), number=number)
        edits.write(Key("artifact", final.artifact, str(final.version)), final)
        found[each.id] = final
    return found


def linked(
    version: ModelVersion | None, documents: Sequence[ArtifactDocument], own: Mapping[str, ArtifactRecord]
) -> tuple[tuple[str, ...], dict[str, ArtifactRecord]]:
    """Return the links and the file sets that are new to a version.

    Parameters
    ----------
    version:
        The version; None: it does not exist yet.
    documents:
        The artifact versions in the order of linking: of two with the same name, the last one counts.
    own:
        The version's own file sets by name.

    Returns
    -------
    tuple:
        The links as ``name@version``, and the file sets by artifact name.

    Raises
    ------
    Refused
        The version was sealed with an artifact of the same name.
    """
    known = version.links if version else ()
    links = tuple(dict.fromkeys(each.reference for each in documents if each.reference not in known))
    if version is not None:
        refuse_sealed(version, {"links": links})
        own = {name: each for name, each in own.items() if not _is_sealed(version, name, each)}
    records = {**own, **{each.artifact: each.record for each in documents if each.reference in links}}
    return links, records


def _is_sealed(version: ModelVersion, name: str, record: ArtifactRecord) -> bool:
    """Return whether a version was sealed with the same file set under this name."""
    sealed = version.sealed.get(name)
    return sealed is not None and (sealed.type, sealed.digest) == (record.type, record.digest)


class _Sealing:
    """The versions of a draft that are sealed in one commit."""

    def __init__(
        self,
        snapshot: Snapshot,
        edits: Edits,
        draft: Draft,
        artifacts: Mapping[str, ArtifactDocument],
        given: Given,
        context: PromotionContext,
    ) -> None:
        self._snapshot = snapshot
        self._edits = edits
        self._draft = draft
        self._artifacts = artifacts
        self._given = given
        self._context = context
        self._numbers: dict[str, int] = {}
        self.trailers: list[tuple[str, str]] = []
        self.first: ModelVersion | None = None

    def add(self, document: DraftDocument) -> ModelVersion:
        """Add a version, or annotate the one that exists already, and move its stage."""
        documents = [
            self._artifacts[key] if key in self._artifacts else resolve_artifact(self._snapshot, key)
            for key in document.links
        ]
        model = check_model(document.model)
        existing = find_existing(self._snapshot, model, document.version) if document.version is not None else None
        links, records = linked(existing, documents, document.artifacts)
        version = (
            self._say_more(existing, document, links, records) if existing else self._make(document, links, records)
        )
        if document.stage is not None:
            self._move(version, document.stage, force=document.force)
        elif not existing:
            self.trailers += [("Model", version.model), ("Version", version.version)]
        self.first = self.first or version
        return version

    def _make(
        self, document: DraftDocument, links: tuple[str, ...], records: Mapping[str, ArtifactRecord]
    ) -> ModelVersion:
        snapshot, model, run = self._snapshot, check_model(document.model), self._draft.run
        number = self._numbers.get(model) or max([snapshot.highest_number(model), *self._given(model)]) + 1
        self._numbers[model] = number + 1
        new = NewVersion(
            model=model,
            name=document.version,
            created_at=document.created_at,
            created_by=document.created_by,
            description=document.description,
            tags=document.tags,
            metadata=document.metadata,
            source=run.source,
            inputs=self._inputs(document),
            run={"pipeline": run.pipeline, "run": run.run} | ({"step": document.step} if document.step else {}),
            links=links,
            artifacts=records,
        )
        record = new_record(snapshot, new, number)
        key = Key("model", model)
        if snapshot.find_model(model) is None and key not in self._edits.files:
            card = new_model(snapshot, model, document.created_at)
            fields = {name: value for name, value in document.card.items() if name in CARD_FIELDS}
            self._edits.write(key, card.but(**fields, tags=unique(tuple(document.card.get("tags", ())))))
        self._edits.write(Key("model_version", model, record.version), record)
        return ModelVersion(record, AnnotationDocument(), record_digest(record), None, ())

    def _say_more(
        self,
        version: ModelVersion,
        document: DraftDocument,
        links: tuple[str, ...],
        records: Mapping[str, ArtifactRecord],
    ) -> ModelVersion:
        pending = self._edits.annotation(version)
        annotation = self._edits.annotate(
            version,
            links=(*pending.links, *links),
            artifacts={**pending.artifacts, **records},
            metadata={**pending.metadata, **document.metadata},
            tags=unique([*pending.tags, *(tag for tag in document.tags if tag not in version.record.tags)]),
            removed=tuple(key for key in pending.removed if key not in document.metadata),
            removed_tags=tuple(tag for tag in pending.removed_tags if tag not in document.tags),
        )
        return version._replace(annotation=annotation)

    def _move(self, version: ModelVersion, stage: str, *, force: bool) -> None:
        if stage == ARCHIVED:
            self._edits.leave_stages(version)
            self._edits.annotate(version, archived=True)
            return
        check_stage_is_known(stage, self._snapshot.settings.stages)
        if version.stage == stage:
            return
        if Key("stage", version.model, stage) in self._edits.files:
            raise Refused(
                f"the run {self._draft.name} puts two versions of {version.model} into {stage}",
                hint="`gitreg discard` gives the draft up; set the stage of one version only",
            )
        self.trailers += take_stage(self._edits, self._snapshot, version, stage, force=force, context=self._context)

    def _inputs(self, document: DraftDocument) -> tuple[str, ...]:
        """Return the references of a version's inputs, without those that its own run made."""
        run = self._draft.run
        steps = run.steps if document.step is None else {document.step: run.steps.get(document.step, {})}
        used = [value for step in steps.values() for value in step.get("inputs", {}).values()]
        given = {value for step in run.steps.values() for value in step.get("outputs", {}).values()}
        whole = dict.fromkeys((*document.inputs, *run.inputs, *used))
        return tuple(each for each in whole if "@" in each and each not in given)  # ids of the draft have no "@"


def _final(run: RunDocument, places: Mapping[str, str], made: tuple[str, ...]) -> RunDocument:
    """Return the run with references in place of the ids of its draft."""

    def translated(step: Mapping[str, Any]) -> dict[str, Any]:
        out = dict(step)
        for name in ("inputs", "outputs"):
            if out.get(name):
                known = {key: places.get(value, value) for key, value in out[name].items()}
                out[name] = {key: value for key, value in known.items() if "@" in value}  # drop ids of replaced outputs
        if "version" in out:
            out["version"] = places.get(out["version"], out["version"])
        return {field: entry for field, entry in out.items() if entry != {}}

    return run.but(steps={name: translated(step) for name, step in run.steps.items()}, versions=made)
