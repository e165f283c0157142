"""The documents: one frozen class for each kind of file, with the file's own field names, in the file's order.

Fields that a later gitreg or a person added are kept in ``extra`` and written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform

from gitreg.documents.deferred import Deferred

FORMAT = 1
NEWER_FORMAT = f"this gitreg reads format {FORMAT}"
"""What is said of a document of a newer format, and how the index's readers know it again."""
DEFAULT_STAGES = ("staging", "production")
DEFAULT_PREFIX = "models"
CARD_FIELDS = ("description", "license", "audience", "use_cases", "limitations", "trade_offs", "ethics")
"""What a model's card says in a text each (:class:`ModelDocument`)."""
_LISTS = frozenset({"tags", "inputs", "links", "stages", "replicas", "command", "versions"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Frozen:
    """What ``@dataclass(frozen=True, kw_only=True)`` makes of a class, by looking at it once.

    A dataclass compiles its methods anew in each process: ten of them take as long as Python takes to start.
    """

    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]
        cls._names = tuple(dict.fromkeys((*cls._names, *own)))

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - set(self._names)
        missing = [name for name in self._names if name not in values and not hasattr(type(self), name)]
        if unknown or missing:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)} / needs {', '.join(missing)}")
        self.__dict__.update(values)

    def but(self, **values: Any) -> Self:
        """Give a copy with other values for some fields."""
        return type(self)(**{**self.__dict__, **values})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; use but({name}=...)")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names)

    __hash__ = None  # type: ignore[assignment] # mappings among the fields have none either

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._names)})"


class _Data(_Frozen):
    """Fields to and from plain data. What is empty by default and empty is not written."""

    extra: Mapping[str, Any] = _NOTHING

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build from what :mod:`gitreg.documents.schemas` found sound."""
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in data.items():
            if key in cls._names and key != "extra":
                known[key] = value if type(value) is str else cls._read(key, value)
            elif key not in ("format", "kind"):
                extra[key] = value
        made = cls.__new__(cls)  # what is sound names all it has to, and nothing else
        made.__dict__.update(known, extra=extra)
        return made

    def to_data(self) -> dict[str, Any]:
        """Give the plain data, in canonical order."""
        out = {}
        for name in self._names:
            value = getattr(self, name)
            empty = value is None or value is False or value in ((), {})
            # A required field has no default, so that an empty list of files is written.
            if name != "extra" and not (empty and value == getattr(type(self), name, self)):
                out[name] = self._write(value)
        return out | dict(self.extra)

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) and name in _LISTS else value

    @staticmethod
    def _write(value: Any) -> Any:
        if isinstance(value, _Data):
            return value.to_data()
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, Mapping):
            return {key: _Data._write(item) if isinstance(item, _Data) else item for key, item in value.items()}
        return value


class Document(_Data):
    """A file of the registry."""

    kind: ClassVar[str]

    def to_data(self) -> dict[str, Any]:
        """Give the whole file as plain data, in canonical order."""
        return {"format": FORMAT, "kind": self.kind} | super().to_data()


class RegistryDocument(Document):
    """``gitreg.yaml``: the registry's settings."""

    kind: ClassVar[str] = "registry"
    id: str | None = None
    description: str | None = None
    branch: str
    remote: str | None = None
    prefix: str = DEFAULT_PREFIX
    store: str | None = None
    replicas: tuple[str, ...] = ()
    chunking: str | None = None
    stages: tuple[str, ...] = DEFAULT_STAGES
    policies: Mapping[str, Any] = _NOTHING
    people: Mapping[str, Any] = _NOTHING
    mirrors: Mapping[str, str] = _NOTHING


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
    metadata: Mapping[str, Any] = _NOTHING


class FileRecord(_Data):
    """One file of an artifact: its size in bytes and its sha256 in hexadecimal."""

    size: int
    sha256: str
    executable: bool = False

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return value

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build from sound data: versions have many of these."""
        if len(data) > 2:  # not only the two that each has to have
            return super().from_data(data)
        made = cls.__new__(cls)
        made.__dict__.update(data)
        return made

    def to_data(self) -> dict[str, Any]:
        """Give the plain data: versions have many of these."""
        if len(self.__dict__) == 2:  # size and sha256, which each has
            return {"size": self.size, "sha256": self.sha256}
        out: dict[str, Any] = {"size": self.size, "sha256": self.sha256}
        if self.executable:
            out["executable"] = True
        out.update(self.extra)
        return out


class ArtifactRecord(_Data):
    """A named set of files.

    ``files`` is None where the manifest is a blob of its own. ``artifact`` is the artifact version that it is, as
    ``name@version``, where it was saved as one; ``materializer`` says how its files become an object again. ``scan`` is
    the number of the rules by which the files were looked through; ``contents`` has those that are not plain data.
    """

    type: str = "model"
    size: int
    digest: str
    artifact: str | None = None
    materializer: str | None = None
    scan: int | None = None
    contents: Mapping[str, Any] = _NOTHING
    files: Mapping[str, FileRecord] | None = None

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "files":
            return {path: FileRecord.from_data(entry) for path, entry in value.items()}
        return value


def _artifacts(value: Mapping[str, Any]) -> Mapping[str, ArtifactRecord]:
    return Deferred(lambda: {artifact: ArtifactRecord.from_data(entry) for artifact, entry in value.items()})


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
    metadata: Mapping[str, Any] = _NOTHING
    source: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    inputs: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    artifacts: Mapping[str, ArtifactRecord] = _NOTHING

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return _artifacts(value) if name == "artifacts" else super()._read(name, value)


class AnnotationDocument(Document):
    """What is said of a version after it was sealed; ``links`` and ``artifacts`` are what was linked to it since."""

    kind: ClassVar[str] = "annotation"
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = _NOTHING
    archived: bool = False
    yanked: bool = False
    yank_reason: str | None = None
    deleted: bool = False
    links: tuple[str, ...] = ()
    artifacts: Mapping[str, ArtifactRecord] = _NOTHING

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return _artifacts(value) if name == "artifacts" else super()._read(name, value)


class ArtifactDocument(Document):
    """A version of an artifact that was saved on its own: added once, never changed.

    In a draft it has no version yet unless one was asked for, and its number is its place in the draft.
    """

    kind: ClassVar[str] = "artifact"
    artifact: str
    version: str | None = None
    number: int
    id: str
    created_at: str
    created_by: str | None = None
    type: str = "data"
    materializer: str | None = None
    metadata: Mapping[str, Any] = _NOTHING
    run: Mapping[str, Any] | None = None
    size: int
    digest: str
    scan: int | None = None
    contents: Mapping[str, Any] = _NOTHING
    files: Mapping[str, FileRecord] | None = None

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "files":
            return {path: FileRecord.from_data(entry) for path, entry in value.items()}
        return super()._read(name, value)

    @property
    def reference(self) -> str:
        """The artifact and its version, as it is linked to."""
        return f"{self.artifact}@{self.version}"

    @property
    def artifacts(self) -> dict[str, ArtifactRecord]:
        """Its file set by its name, as versions of models have theirs."""
        return {self.artifact: self.record}

    @property
    def record(self) -> ArtifactRecord:
        """What a version of a model that it is linked to says of it."""
        return ArtifactRecord(
            type=self.type,
            size=self.size,
            digest=self.digest,
            artifact=self.reference,
            materializer=self.materializer,
            scan=self.scan,
            contents=self.contents,
            files=self.files,
        )


class RunDocument(Document):
    """What ran: its code, its surroundings, and step by step what went in and came out."""

    kind: ClassVar[str] = "run"
    pipeline: str
    run: str
    status: str
    created_by: str | None = None
    started_at: str
    ended_at: str | None = None
    duration: float | None = None
    command: tuple[str, ...] = ()
    source: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = _NOTHING
    parameters: Mapping[str, Any] = _NOTHING
    steps: Mapping[str, Mapping[str, Any]] = _NOTHING
    inputs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


class DraftDocument(Document):
    """A version that a run is still making: what it is to be when the run ends well."""

    kind: ClassVar[str] = "draft"
    model: str
    version: str | None = None
    created_at: str
    created_by: str | None = None
    card: Mapping[str, Any] = _NOTHING
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = _NOTHING
    step: str | None = None
    stage: str | None = None
    force: bool = False
    inputs: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    artifacts: Mapping[str, ArtifactRecord] = _NOTHING

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        return _artifacts(value) if name == "artifacts" else super()._read(name, value)


class StageDocument(Document):
    """Which version holds a stage, and which held it before."""

    kind: ClassVar[str] = "stage"
    version: str
    digest: str | None = None
    previous: str | None = None
    rolled_back_from: str | None = None
    reason: str | None = None


class AliasDocument(Document):
    """Which version an alias names."""

    kind: ClassVar[str] = "alias"
    version: str
    digest: str | None = None


class ApprovalDocument(Document):
    """That a person wants a version in a stage, or a change of the settings (``subject``).

    ``signature`` is an SSH key's, over all the other fields.
    """

    kind: ClassVar[str] = "approval"
    registry: str | None = None
    model: str | None = None
    version: str | None = None
    stage: str | None = None
    subject: str | None = None
    base: str | None = None
    digest: str
    who: str
    when: str
    until: str | None = None
    reason: str | None = None
    signature: str


DOCUMENTS: Mapping[str, type[Document]] = {
    cls.kind: cls
    for cls in (
        RegistryDocument,
        ModelDocument,
        VersionDocument,
        AnnotationDocument,
        StageDocument,
        AliasDocument,
        ApprovalDocument,
        ArtifactDocument,
        RunDocument,
        DraftDocument,
    )
}
