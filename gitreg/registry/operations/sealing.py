"""Sealing a draft: all that a run made becomes records on the branch, in one commit."""

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
from gitreg.registry.changes import Changes, Edits, refuse_sealed
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.collections import artifact_versions, find_artifact, find_run, next_number, resolve_artifact
from gitreg.registry.drafts import Draft, is_sealed
from gitreg.registry.operations.models import new_model, unique
from gitreg.registry.operations.stages import take_stage
from gitreg.registry.operations.versions import NewVersion, find_existing, new_record, record_digest
from gitreg.registry.snapshot import ModelVersion, Snapshot

Given = Callable[[str], Sequence[int]]
"""Gives the numbers of a model that are taken though no record says so."""


def seal(snapshot: Snapshot, draft: Draft, *, given: Given, circumstances: Circumstances) -> Changes:
    """Write a run, its artifacts and its versions, and move the stages that they were given.

    A version that was made meanwhile under the name that the draft asked for is not made again: what the draft says
    goes to its annotation, as do links to a version that was sealed before the run began.

    Parameters
    ----------
    draft:
        What the run made, its run with the status to write.

    Returns
    -------
    Changes:
        None at all where the run stands there already.

    Raises
    ------
    AlreadyExists
        Another run of the name, or an artifact version of a name with other content, is there.
    InvalidInput
        A name is none, a stage is unknown.
    Refused
        A stage is taken, or its policy forbids it.
    """
    run = draft.run
    if is_sealed(draft, snapshot):
        return Changes()
    if find_run(snapshot, run.pipeline, run.run) is not None:
        raise AlreadyExists(f"there is a run {draft.name} already", hint="give the run another name")
    edits = Edits(snapshot)
    artifacts = add_artifacts(snapshot, edits, draft.artifacts.values())
    places = {key: each.reference for key, each in artifacts.items()}
    sealing = _Sealing(snapshot, edits, draft, artifacts, given, circumstances)
    for key, document in draft.versions.items():
        places[key] = sealing.add(document).reference
    made = tuple(dict.fromkeys(places[key] for key in draft.versions))
    edits.write(Key("run", run.pipeline, run.run), _final(run, places, made))
    subject = f"Seal {draft.name}" + (f": {', '.join(made)}" if made else "")
    trailers = (("Operation", "seal"), ("Run", draft.name), *sealing.trailers)
    first = sealing.first
    return Changes(edits.files, subject, trailers=trailers, version=(first.model, first.version) if first else None)


def check_artifact_version(snapshot: Snapshot, name: str, version: str | None) -> None:
    """Refuse the names of an artifact and its version that could not be sealed.

    Raises
    ------
    InvalidInput
        One of them is none, or the version is a number.
    AlreadyExists
        It differs from another artifact or version only in case.
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
    """Write artifact versions with the numbers that they take, and give them by id.

    One that is there with the very same content is not written again.

    Raises
    ------
    AlreadyExists
        A version of that name holds something else.
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
    """Give the links, and the file sets by name, that a version gains; nothing that it has already.

    Parameters
    ----------
    documents:
        The artifact versions in the order of linking: of one name the last counts.
    own:
        Its own file sets.

    Raises
    ------
    Refused
        The version was sealed with an artifact of one's name.
    """
    known = version.links if version else ()
    links = tuple(dict.fromkeys(each.reference for each in documents if each.reference not in known))
    if version is not None:
        refuse_sealed(version, {"links": links})
        own = {name: each for name, each in own.items() if not _is_sealed(version, name, each)}
    records = {**own, **{each.artifact: each.record for each in documents if each.reference in links}}
    return links, records


def _is_sealed(version: ModelVersion, name: str, record: ArtifactRecord) -> bool:
    """Return whether a version was sealed with these very files under the name."""
    sealed = version.sealed.get(name)
    return sealed is not None and (sealed.type, sealed.digest) == (record.type, record.digest)


class _Sealing:
    """Versions on their way into one commit."""

    def __init__(
        self,
        snapshot: Snapshot,
        edits: Edits,
        draft: Draft,
        artifacts: Mapping[str, ArtifactDocument],
        given: Given,
        circumstances: Circumstances,
    ) -> None:
        self._snapshot = snapshot
        self._edits = edits
        self._draft = draft
        self._artifacts = artifacts
        self._given = given
        self._circumstances = circumstances
        self._numbers: dict[str, int] = {}
        self.trailers: list[tuple[str, str]] = []
        self.first: ModelVersion | None = None

    def add(self, document: DraftDocument) -> ModelVersion:
        """Make a version, or say more of the one that is there."""
        documents = [
            self._artifacts[key] if key in self._artifacts else resolve_artifact(self._snapshot, key)
            for key in document.links
        ]
        model = check_model(document.model)
        there = find_existing(self._snapshot, model, document.version) if document.version is not None else None
        links, records = linked(there, documents, document.artifacts)
        version = self._say_more(there, document, links, records) if there else self._make(document, links, records)
        if document.stage is not None:
            self._move(version, document.stage, force=document.force)
        elif not there:
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
        said = self._edits.annotate(
            version,
            links=(*pending.links, *links),
            artifacts={**pending.artifacts, **records},
            metadata={**pending.metadata, **document.metadata},
            tags=unique([*pending.tags, *(tag for tag in document.tags if tag not in version.record.tags)]),
        )
        return version._replace(annotation=said)

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
        self.trailers += take_stage(
            self._edits, self._snapshot, version, stage, force=force, circumstances=self._circumstances
        )

    def _inputs(self, document: DraftDocument) -> tuple[str, ...]:
        """Give what a version was made from and its run did not make."""
        run = self._draft.run
        steps = run.steps if document.step is None else {document.step: run.steps.get(document.step, {})}
        used = [value for step in steps.values() for value in step.get("inputs", {}).values()]
        given = {value for step in run.steps.values() for value in step.get("outputs", {}).values()}
        whole = dict.fromkeys((*document.inputs, *run.inputs, *used))
        return tuple(each for each in whole if "@" in each and each not in given)  # an id is the draft's own


def _final(run: RunDocument, places: Mapping[str, str], made: tuple[str, ...]) -> RunDocument:
    """Give the run with references where its draft has ids."""

    def translated(step: Mapping[str, Any]) -> dict[str, Any]:
        out = dict(step)
        for name in ("inputs", "outputs"):
            if out.get(name):
                known = {key: places.get(value, value) for key, value in out[name].items()}
                out[name] = {key: value for key, value in known.items() if "@" in value}  # else it was replaced
        if "version" in out:
            out["version"] = places.get(out["version"], out["version"])
        return {field: said for field, said in out.items() if said != {}}

    return run.but(steps={name: translated(step) for name, step in run.steps.items()}, versions=made)
