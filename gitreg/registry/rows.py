"""Models and versions as plain data: the one shape that listings print, filters ask and scripts parse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitreg.documents.types import CARD_FIELDS, ArtifactRecord
from gitreg.registry.snapshot import Model, ModelVersion

VERSION_COLUMNS = (
    "model",
    "version",
    "number",
    "stage",
    "aliases",
    "tags",
    "description",
    "created_at",
    "created_by",
    "size",
    "archived",
    "yanked",
    "yank_reason",
    "inputs",
    "digest",
)
"""The fields of a version's row that are no mappings, in its order: the columns that every listing has."""
MODEL_COLUMNS = ("name", "versions", "latest", *CARD_FIELDS, "tags", "created_at")
"""The same of a model's row."""


def version_row(version: ModelVersion) -> dict[str, Any]:
    """Give a version as plain data, annotations laid over the record."""
    return version_facts(version) | {"artifacts": artifact_rows(version.artifacts)}


def version_facts(version: ModelVersion) -> dict[str, Any]:
    """Give the same without its artifacts, which are most of it."""
    record, note = version.record, version.annotation
    return {
        "model": version.model,
        "version": version.version,
        "number": version.number,
        "stage": version.stage,
        "aliases": list(version.aliases),
        "tags": list(version.tags),
        "description": version.description,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "size": version.size,
        "archived": version.archived,
        "yanked": version.yanked,
        "yank_reason": note.yank_reason,
        "metadata": version.metadata,
        "inputs": list(record.inputs),
        "source": dict(record.source) if record.source else None,
        "run": dict(record.run) if record.run else None,
        "digest": version.digest,
    }


def artifact_rows(artifacts: Mapping[str, ArtifactRecord]) -> dict[str, Any]:
    """Give artifacts by name as plain data."""
    return {name: artifact_row(artifact) for name, artifact in artifacts.items()}


def artifact_row(artifact: ArtifactRecord) -> dict[str, Any]:
    """Give an artifact as plain data; ``files`` is None where the manifest is a blob of its own."""
    files = artifact.files
    return {
        "type": artifact.type,
        "size": artifact.size,
        "digest": artifact.digest,
        "files": None if files is None else {path: entry.to_data() for path, entry in files.items()},
    }


def model_row(model: Model) -> dict[str, Any]:
    """Give a model as plain data."""
    document = model.document
    return {
        "name": document.name,
        "versions": model.versions,
        "latest": model.latest,
        "stages": dict(model.stages),
        **{field: getattr(document, field) for field in CARD_FIELDS},
        "tags": list(document.tags),
        "metadata": dict(document.metadata),
        "created_at": document.created_at,
    }
