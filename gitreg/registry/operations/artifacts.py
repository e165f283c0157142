"""Artifact versions outside of runs, and linking them to versions of models."""

from __future__ import annotations

from collections.abc import Sequence

from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactDocument
from gitreg.names import check_model
from gitreg.registry.changes import Changes, Edits
from gitreg.registry.collections import resolve_artifact
from gitreg.registry.operations.models import new_model
from gitreg.registry.operations.sealing import add_artifacts, linked
from gitreg.registry.operations.versions import NewVersion, find_existing, new_record
from gitreg.registry.references import resolve
from gitreg.registry.snapshot import ModelVersion, Snapshot


def save_artifact(snapshot: Snapshot, document: ArtifactDocument) -> Changes:
    """Add a version of an artifact.

    Returns
    -------
    Changes:
        None at all where a version of that name holds the very same.

    Raises
    ------
    AlreadyExists
        A version of that name holds something else.
    InvalidInput
        A name is none.
    """
    edits = Edits(snapshot)
    final = add_artifacts(snapshot, edits, [document])[document.id]
    trailers = (("Operation", "artifact"), ("Artifact", final.reference))
    return Changes(edits.files, f"Save the artifact {final.reference}", trailers=trailers)


def link_artifact(snapshot: Snapshot, artifact: str, reference: str) -> Changes:
    """Link an artifact version to a version of a model, in its annotation; twice is once.

    Parameters
    ----------
    artifact:
        A reference to the artifact version, or its id's first digits.
    reference:
        The version of the model.

    Raises
    ------
    NotFound
        One of them is not there.
    """
    return _link(snapshot, resolve_artifact(snapshot, artifact), resolve(snapshot, reference, withdrawn=True))


def link_artifact_to_name(snapshot: Snapshot, artifact: str, new: NewVersion, *, given: Sequence[int] = ()) -> Changes:
    """Link an artifact version to the version of a name, which is made where it is not there yet.

    Parameters
    ----------
    given:
        Numbers that are taken though no record of the branch says so.

    Raises
    ------
    NotFound
        There is no such artifact version.
    InvalidInput, AlreadyExists
        The name can be no version's.
    """
    document = resolve_artifact(snapshot, artifact)
    model = check_model(new.model)
    there = find_existing(snapshot, model, new.name) if new.name is not None else None
    if there is not None:
        return _link(snapshot, document, there)
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
