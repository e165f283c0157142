"""The models and versions as plain data: one shape for listings, filters and scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitreg.documents.types import CARD_FIELDS, ArtifactRecord
from gitreg.registry.state.content_verdicts import contents_row
from gitreg.registry.state.snapshot import ModelCard, ModelVersion

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
"""The fields of a version's row that are no mappings, in order: the columns of every listing."""
MODEL_COLUMNS = ("name", "versions", "latest", *CARD_FIELDS, "tags", "created_at")
"""The columns of every listing of models."""


def artifact_rows(version: ModelVersion) -> dict[str, Any]:
    """Return a version's artifacts by name as plain data; those that were linked later have ``linked: True``."""
    rows = {name: artifact_row(artifact) for name, artifact in version.sealed.items()}
    return rows | {name: artifact_row(artifact) | {"linked": True} for name, artifact in version.linked.items()}


def artifact_row(artifact: ArtifactRecord) -> dict[str, Any]:
    """Return an artifact as plain data; ``files`` is None if the manifest is a blob of its own."""
    files = artifact.files
    return {
        "type": artifact.type,
        "size": artifact.size,
        "digest": artifact.digest,
        "materializer": artifact.materializer,
        "contents": contents_row(artifact.scan, artifact.contents),
        "files": None if files is None else {path: entry.to_data() for path, entry in files.items()},
    }


_FACTS: Mapping[str, Callable[[ModelVersion], Any]] = {
    "model": lambda version: version.model,
    "version": lambda version: version.version,
    "number": lambda version: version.number,
    "stage": lambda version: version.stage,
    "aliases": lambda version: list(version.aliases),
    "tags": lambda version: list(version.tags),
    "description": lambda version: version.description,
    "created_at": lambda version: version.record.created_at,
    "created_by": lambda version: version.record.created_by,
    "size": lambda version: version.size,
    "archived": lambda version: version.archived,
    "yanked": lambda version: version.yanked,
    "yank_reason": lambda version: version.annotation.yank_reason,
    "metadata": lambda version: version.metadata,
    "inputs": lambda version: list(version.record.inputs),
    "source": lambda version: dict(version.record.source) if version.record.source else None,
    "run": lambda version: dict(version.record.run) if version.record.run else None,
    "digest": lambda version: version.digest,
    "artifacts": artifact_rows,
}


def version_row(version: ModelVersion) -> dict[str, Any]:
    """Return a version as plain data, with the annotation overlaid on the record."""
    return {name: fact(version) for name, fact in _FACTS.items()}


class VersionFacts(Mapping[str, Any]):
    """A version's row whose fields are computed on access: a filter needs one or two."""

    def __init__(self, version: ModelVersion) -> None:
        self.version = version

    def __getitem__(self, name: str) -> Any:
        return _FACTS[name](self.version)

    def __iter__(self) -> Iterator[str]:
        return iter(_FACTS)

    def __len__(self) -> int:
        return len(_FACTS)


def model_row(model: ModelCard) -> dict[str, Any]:
    """Return a model as plain data."""
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


def cells(item: Any) -> dict[str, Any]:
    """Return a row, a version or a model as one value for each column; of the artifacts, the names."""
    row: Mapping[str, Any] = item
    if isinstance(item, ModelVersion):
        row = version_row(item)
    elif isinstance(item, ModelCard):
        row = model_row(item)
    return {
        column: value
        for name, each in row.items()
        for column, value in _dotted(name, list(each) if name == "artifacts" else each)
    }


def _dotted(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a value by its name; of a mapping, each value by the dotted name that filters have for it."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _dotted(f"{name}.{key}", each)
    elif value is not None or "." in name:
        yield name, value
