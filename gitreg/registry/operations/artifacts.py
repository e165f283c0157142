"""Artifact versions that are saved outside of runs, and their links to versions of models."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactDocument
from gitreg.names import check_model
from gitreg.registry.operations.models import new_model
from gitreg.registry.operations.sealing import add_artifacts, linked
from gitreg.registry.operations.versions import NewVersion, find_existing, new_record
from gitreg.registry.state.references import resolve
from gitreg.registry.state.runs_and_artifacts import resolve_artifact
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.writing.changes import Changes, Edits


def save_artifact(snapshot: Snapshot, document: ArtifactDocument) -> Changes:
    """Return the changes that add a version of an artifact.

    Returns
    -------
    Changes:
        No files if a version of that name has the same content.

    Raises
    ------
    AlreadyExists
        A version of that name has other content.
    InvalidInput
        A name is not valid.
    """
    edits = Edits(snapshot)
    final = add_artifacts(snapshot, edits, [document])[document.id]
    trailers = (("Operation", "artifact"), ("Artifact", final.reference))
    return Changes(edits.files, f"Save the artifact {final.reference}", trailers=trailers)


def link_artifact(snapshot: Snapshot, artifact: str, reference: str) -> Changes:
    """Return the changes that link an artifact version to a version of a model, in the annotation of the version.

    A link that exists already changes no file.

    Parameters
    ----------
    artifact:
        A reference to the artifact version, or the first digits of its id.
    reference:
        The version of the model.

    Raises
    ------
    NotFound
        One of the two versions does not exist.
    """
    return _link(snapshot, resolve_artifact(snapshot, artifact), resolve(snapshot, reference, withdrawn=True))


def link_artifact_to_name(snapshot: Snapshot, artifact: str, new: NewVersion, *, given: Sequence[int] = ()) -> Changes:
    """Return the changes that link an artifact version to a named version, which is created if it does not exist.

    Parameters
    ----------
    given:
        Numbers that are in use without a record on the branch.

    Raises
    ------
    NotFound
        The artifact version does not exist.
    InvalidInput, AlreadyExists
        The name cannot be used for a version.
    """
    document = resolve_artifact(snapshot, artifact)
    model = check_model(new.model)
    existing = find_existing(snapshot, model, new.name) if new.name is not None else None
    if existing is not None:
        return _link(snapshot, document, existing)
    edits = Edits(snapshot)
    if snapshot.find_model(model) is None:
        edits.write(Key("model", model), new_model(snapshot, model, new.created_at))
    links, records = linked(None, [document], {})
    record = new_record(snapshot, new, max([snapshot.highest_number(model), *given]) + 1)
    record = record.but(links=links, artifacts=records)
    edits.write(Key("model_version", model, record.version), record)
    name = f"{model}@{record.version}"
    trailers = (("Operation", "link"), ("Model", model), ("Version", record.version), ("Artifact", document.reference))
    subject = f"Save {name}, with {document.reference} linked to it"
    return Changes(edits.files, subject, trailers=trailers, version=(model, record.version))


def _link(snapshot: Snapshot, document: ArtifactDocument, version: ModelVersion) -> Changes:
    links, records = linked(version, [document], {})
    edits = Edits(snapshot)
    if links:
        note = version.annotation
        edits.annotate(version, links=(*note.links, *links), artifacts={**note.artifacts, **records})
    return Changes(
        edits.files,
        f"Link {document.reference} to {version.reference}",
        trailers=(
            ("Operation", "link"),
            ("Model", version.model),
            ("Version", version.version),
            ("Artifact", document.reference),
        ),
        version=(version.model, version.version),
    )
