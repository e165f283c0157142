"""Files into the store and their artifact's record, and from a record to its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitreg.blobs import (
    BlobStore,
    FileEntry,
    Progress,
    collect,
    describe,
    manifest_digest,
    manifest_text,
    parse_manifest,
)
from gitreg.documents.types import ArtifactRecord, FileRecord
from gitreg.errors import IntegrityError, InvalidInput, NotFound
from gitreg.registry.snapshot import ModelVersion

ARTIFACT_TYPES = ("model", "data", "deployment")
LISTED_FILES = 1000
"""Up to so many files stand in the record itself; past it the manifest is a blob in the store."""

_LARGEST_MANIFEST = 2**30  # bytes


def store_artifact(store: BlobStore, sources: Sequence[Path], artifact_type: str, progress: Progress) -> ArtifactRecord:
    """Put files and folders into the store as one artifact.

    Raises
    ------
    InvalidInput, NotFound
        A source is no file or folder that can be kept (:func:`gitreg.blobs.collect`).
    """
    entries = store.put(collect(sources), progress=progress)
    record = artifact_record(entries, artifact_type)
    if record.files is None:
        store.put_bytes(manifest_text(entries))
    return record


def describe_artifact(sources: Sequence[Path], artifact_type: str, progress: Progress) -> ArtifactRecord:
    """Say what :func:`store_artifact` would record, without storing anything."""
    return artifact_record(describe(collect(sources), progress=progress), artifact_type)


def artifact_record(entries: Sequence[FileEntry], artifact_type: str) -> ArtifactRecord:
    """Give the record of an artifact that holds these files.

    Raises
    ------
    InvalidInput
        There is no such type of artifact.
    """
    if artifact_type not in ARTIFACT_TYPES:
        raise InvalidInput(f"{artifact_type!r} is no type of artifact", hint=f"use {', '.join(ARTIFACT_TYPES)}")
    files = {
        entry.path: FileRecord(size=entry.size, sha256=entry.sha256, executable=entry.executable)
        for entry in sorted(entries, key=lambda entry: entry.path.encode())
    }
    return ArtifactRecord(
        type=artifact_type,
        size=sum(entry.size for entry in entries),
        digest=manifest_digest(entries),
        files=files if len(files) <= LISTED_FILES else None,
    )


def files_of(artifact: ArtifactRecord, store: BlobStore) -> list[FileEntry]:
    """Give an artifact's files; where the record does not list them, from the manifest in the store.

    Raises
    ------
    IntegrityError
        The manifest is missing, or the files are not those whose digest the record gives.
    """
    if artifact.files is None:
        return parse_manifest(store.read_bytes(artifact.digest.removeprefix("sha256:"), limit=_LARGEST_MANIFEST))
    files = [FileEntry(path, entry.size, entry.sha256, entry.executable) for path, entry in artifact.files.items()]
    if manifest_digest(files) != artifact.digest:
        raise IntegrityError(
            f"the files that the record lists do not have the digest {artifact.digest[:19]}... that it gives for them",
            hint="the record was changed by hand; run `gitreg doctor`",
        )
    return files


def choose_artifact(version: ModelVersion, name: str | None) -> ArtifactRecord:
    """Give the artifact that is meant: the one named, else ``model``, else the only one.

    Raises
    ------
    NotFound
        The version has no artifact of that name, or none at all.
    InvalidInput
        There are several, none is called ``model``, and none was named.
    """
    artifacts = version.artifacts
    if not artifacts:
        raise NotFound(f"{version.reference} has no artifact", hint="it was made without files")
    if name is None:
        name = next(iter(artifacts)) if len(artifacts) == 1 else "model"
        if name not in artifacts:
            raise InvalidInput(
                f"{version.reference} has the artifacts {', '.join(artifacts)}", hint="name one with --artifact"
            )
    if name not in artifacts:
        raise NotFound(f"{version.reference} has no artifact {name!r}", hint=f"it has {', '.join(artifacts)}")
    return artifacts[name]
