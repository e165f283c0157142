"""The artifacts of versions: storing files and building their records, and listing the files of a record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from gitreg import contents
from gitreg.blobs.files import FileEntry, LocalFile, collect
from gitreg.blobs.hashing import describe
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.save import StoreWriter
from gitreg.contents import RULES, Finding
from gitreg.documents.types import ArtifactRecord, FileRecord
from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound
from gitreg.names import nfc
from gitreg.progress import Progress
from gitreg.registry.state.content_verdicts import ScanCache, recorded
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.suggestions import nearest


class Holder(Protocol):
    """A version that has files in the store: a model version or an artifact version."""

    @property
    def reference(self) -> str:
        """The name of the version in messages."""

    @property
    def artifacts(self) -> Mapping[str, ArtifactRecord]:
        """The artifact records of the version, by name."""


ARTIFACT_TYPES = ("model", "data", "deployment")
LISTED_FILES = 1000
"""The most files that a record lists itself; with more files, the manifest is a blob in the store."""

_LARGEST_MANIFEST = 2**30  # bytes


def store_artifact(
    saving: StoreWriter, sources: Sequence[Path], artifact_type: str, verdicts: ScanCache
) -> ArtifactRecord:
    """Store files and folders as one artifact, scan their contents, and return the artifact's record.

    Raises
    ------
    InvalidInput, NotFound
        A source is no file or folder that can be stored (:func:`gitreg.blobs.files.collect`).
    """
    files = _composed(collect(sources))
    manifest = saving.put(files)
    record = artifact_record(manifest, artifact_type, look_at(files, manifest, verdicts))
    if record.files is None:
        saving.put_manifest(manifest)
    return record


def describe_artifact(
    sources: Sequence[Path], artifact_type: str, progress: Progress, verdicts: ScanCache
) -> ArtifactRecord:
    """Return the record that :func:`store_artifact` would return, without storing anything."""
    files = _composed(collect(sources))
    manifest = Manifest.of(describe(files, progress=progress))
    return artifact_record(manifest, artifact_type, look_at(files, manifest, verdicts))


def _composed(files: Sequence[LocalFile]) -> list[LocalFile]:
    """Return the files with paths in NFC, sorted by path, so that one path has one spelling."""
    return sorted((file._replace(path=nfc(file.path)) for file in files), key=lambda file: file.path.encode())


def look_at(files: Sequence[LocalFile], manifest: Manifest, verdicts: ScanCache) -> dict[str, Finding]:
    """Return the scanner's findings on local files, by path; contents that were scanned before are not read again.

    Raises
    ------
    GitregError
        A file changed since it was hashed.
    """
    sources = {file.path: file for file in files}
    found = verdicts.find_all(entry.sha256 for entry in manifest.files)
    new: dict[str, Finding] = {}
    for entry in manifest.files:
        if entry.sha256 not in found:
            file = sources[entry.path]
            with open(file.source, "rb") as opened:
                finding = contents.scanner.scan(opened)
                status = os.fstat(opened.fileno())
            if (status.st_size, status.st_mtime_ns) != (file.status.st_size, file.status.st_mtime_ns):
                raise GitregError(f"{file.source} changed while it was saved", hint="save when nothing writes to it")
            found[entry.sha256] = new[entry.sha256] = finding
    verdicts.keep(new)
    return {entry.path: found[entry.sha256] for entry in manifest.files}


def artifact_record(manifest: Manifest, artifact_type: str, findings: Mapping[str, Finding]) -> ArtifactRecord:
    """Return the record of an artifact with the files of a manifest.

    Parameters
    ----------
    findings:
        The scanner's findings on the files, by path.

    Raises
    ------
    InvalidInput
        The artifact type is unknown.
    """
    if artifact_type not in ARTIFACT_TYPES:
        raise InvalidInput(f"{artifact_type!r} is no type of artifact", hint=f"use {', '.join(ARTIFACT_TYPES)}")
    files = None
    if len(manifest.files) <= LISTED_FILES:
        files = {
            entry.path: FileRecord(size=entry.size, sha256=entry.sha256, executable=entry.executable)
            for entry in manifest.files
        }
    return ArtifactRecord(
        type=artifact_type,
        size=sum(entry.size for entry in manifest.files),
        digest=manifest.digest,
        scan=RULES,
        contents=recorded(findings),
        files=files,
    )


def manifest_of(artifact: ArtifactRecord, store: StoreReader) -> Manifest:
    """Return the manifest of an artifact: from its record or, where the record lists no files, from the store.

    Raises
    ------
    IntegrityError
        The manifest is missing, or the files do not have the digest in the record.
    """
    return listed_manifest(artifact) or store.read_manifest(artifact.digest, limit=_LARGEST_MANIFEST)


def listed_manifest(artifact: ArtifactRecord) -> Manifest | None:
    """Return the manifest of the files that an artifact's record lists; None where it lists none.

    Raises
    ------
    IntegrityError
        The files do not have the digest in the record.
    """
    if artifact.files is None:
        return None
    manifest = Manifest.of(
        FileEntry(path, entry.size, entry.sha256, entry.executable) for path, entry in artifact.files.items()
    )
    if manifest.digest != artifact.digest:
        raise IntegrityError(
            f"the files that the record lists do not have the digest {artifact.digest[:19]}... that it gives for them",
            hint="the record was changed by hand; run `gitreg doctor`",
        )
    return manifest


def stored_manifest(manifest: Manifest) -> Manifest:
    """Wrap a stored manifest as a set of one file, handled like weights."""
    return Manifest.of([FileEntry("manifest", len(manifest.text), manifest.hex)])


def choose_artifact(version: ModelVersion, name: str | None) -> ArtifactRecord:
    """Return the record of the artifact with a name, or the default artifact for None (`default_artifact`).

    Raises
    ------
    NotFound
        The version has no artifact of that name; or `name` is None and no artifact was sealed.
    InvalidInput
        `name` is None and several sealed artifacts could be meant.
    """
    if name is not None:
        if found := version.artifacts.get(nfc(name)):
            return found
        near = nearest(name, version.artifacts, most=1)
        hint = f"it has {', '.join(version.artifacts)}" if version.artifacts else "it was made without files"
        raise NotFound(
            f"{version.reference} has no artifact {name!r}",
            hint=None if near else hint,
            correction=(name, near[0]) if near else None,
        )
    if default := default_artifact(version):
        return default
    if version.sealed:
        artifacts = ", ".join(version.sealed)
        raise InvalidInput(f"{version.reference} has the artifacts {artifacts}", hint="name one with --artifact")
    linked = ", ".join(version.linked)
    hint = f"linked to it: {linked}; name one with --artifact" if linked else "it was made without files"
    raise NotFound(f"{version.reference} has no sealed artifact", hint=hint)


def default_artifact(version: ModelVersion) -> ArtifactRecord | None:
    """Return the record of the artifact that is meant where none is named; None where several, or none, could be.

    It is, among the sealed artifacts, the one called ``model``, else the only one of type ``model``, else the only one.
    Artifacts that were linked later need a name, so that a link does not change the default.
    """
    sealed = version.sealed
    if "model" in sealed:
        return sealed["model"]
    models = [record for record in sealed.values() if record.type == "model"]
    return next((meant[0] for meant in (models, list(sealed.values())) if len(meant) == 1), None)
