"""The documents: one frozen class for each kind of file, with the file's own field names, in the file's order.

Fields that a later gitreg or a person added are kept in ``extra`` and written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

FORMAT = 1
DEFAULT_STAGES = ("staging", "production")
DEFAULT_PREFIX = "models"


@dataclass(frozen=True, kw_only=True)
class _Data:
    """Fields to and from plain data. What is empty by default and empty is not written."""

    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build from what :mod:`gitreg.documents.schemas` found sound."""
        names = _field_names(cls)
        known = {key: cls._read(key, value) for key, value in data.items() if key in names}
        extra = {key: value for key, value in data.items() if key not in names and key not in ("format", "kind")}
        return cls(**known, extra=extra)

    def to_data(self) -> dict[str, Any]:
        """Give the plain data, in canonical order."""
        out = {}
        for each in fields(self):
            value = getattr(self, each.name)
            default = each.default if each.default_factory is MISSING else each.default_factory()
            empty = value is None or value is False or value in ((), {})
            if each.name != "extra" and not (empty and value == default):
                out[each.name] = self._write(value)
        return out | dict(self.extra)

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) and name in ("tags", "inputs", "stages") else value

    @staticmethod
    def _write(value: Any) -> Any:
        if isinstance(value, _Data):
            return value.to_data()
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, Mapping):
            return {key: _Data._write(item) if isinstance(item, _Data) else item for key, item in value.items()}
        return value


def _field_names(cls: type[_Data]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls) if f.name != "extra")


@dataclass(frozen=True, kw_only=True)
class Document(_Data):
    """A file of the registry."""

    kind: ClassVar[str]

    def to_data(self) -> dict[str, Any]:
        """Give the whole file as plain data, in canonical order."""
        return {"format": FORMAT, "kind": self.kind} | super().to_data()


@dataclass(frozen=True, kw_only=True)
class RegistryDocument(Document):
    """``gitreg.yaml``: the registry's settings."""

    kind: ClassVar[str] = "registry"
    description: str | None = None
    branch: str
    prefix: str = DEFAULT_PREFIX
    store: str | None = None
    stages: tuple[str, ...] = DEFAULT_STAGES
    mirrors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelDocument(Document):
    """``model.yaml``: the card's fields."""

    kind: ClassVar[str] = "model"
    name: str
    created_at: str | None = None
    description: str | None = None
    license: str | None = None
    audience: str | None = None
    use_cases: str | None = None
    limitations: str | None = None
    trade_offs: str | None = None
    ethics: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FileRecord(_Data):
    """One file of an artifact: its size in bytes and its sha256 in hexadecimal."""

    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, kw_only=True)
class ArtifactRecord(_Data):
    """A named set of files. ``files`` is None where the manifest is a blob of its own."""

    type: str = "model"
    size: int
    digest: str
    files: Mapping[str, FileRecord] | None = None

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "files":
            return {path: FileRecord.from_data(entry) for path, entry in value.items()}
        return value


@dataclass(frozen=True, kw_only=True)
class VersionDocument(Document):
    """The record of a model version, sealed by its tag."""

    kind: ClassVar[str] = "model_version"
    model: str
    version: str
    number: int
    created_at: str
    created_by: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    inputs: tuple[str, ...] = ()
    artifacts: Mapping[str, ArtifactRecord] = field(default_factory=dict)

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "artifacts":
            return {artifact: ArtifactRecord.from_data(entry) for artifact, entry in value.items()}
        return super()._read(name, value)


@dataclass(frozen=True, kw_only=True)
class AnnotationDocument(Document):
    """What is said of a version after it was sealed."""

    kind: ClassVar[str] = "annotation"
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    archived: bool = False
    yanked: bool = False
    yank_reason: str | None = None
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class StageDocument(Document):
    """Which version holds a stage, and which held it before."""

    kind: ClassVar[str] = "stage"
    version: str
    digest: str | None = None
    previous: str | None = None
    rolled_back_from: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class AliasDocument(Document):
    """Which version an alias names."""

    kind: ClassVar[str] = "alias"
    version: str
    digest: str | None = None


DOCUMENTS: Mapping[str, type[Document]] = {
    cls.kind: cls
    for cls in (RegistryDocument, ModelDocument, VersionDocument, AnnotationDocument, StageDocument, AliasDocument)
}
