"""The documents: one frozen class for each kind of file, with the names and the order of the file's fields.

Unknown fields, from a later gitreg or a person, are kept in ``extra`` and written back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from reprlib import Repr
from types import MappingProxyType
from typing import Any, ClassVar, Self, dataclass_transform

from gitreg.documents.deferred import Deferred
from gitreg.units import counted, size_text

FORMAT = 1
NEWER_FORMAT = f"this gitreg reads format {FORMAT}"
"""The message for a document of a newer format; readers of the index recognize such a document by it."""
DEFAULT_STAGES = ("staging", "production")
DEFAULT_PREFIX = "models"
CARD_FIELDS = ("description", "license", "audience", "use_cases", "limitations", "trade_offs", "ethics")
"""The text fields of a model's card (:class:`ModelDocument`)."""
_LISTS = frozenset({"tags", "removed", "removed_tags", "inputs", "links", "stages", "replicas", "command", "versions"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_SHORTENED = Repr()
_SHORTENED.maxlevel = 2
_SHORTENED.maxdict = _SHORTENED.maxtuple = _SHORTENED.maxlist = 3
_SHORTENED.maxstring = _SHORTENED.maxother = 60


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Frozen:
    """The base of frozen classes, like ``@dataclass(frozen=True, kw_only=True)`` but faster to define.

    A dataclass compiles its methods in each process: ten dataclasses take as long as the start of Python.
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
        """Return a copy with other values for some fields."""
        return type(self)(**{**self.__dict__, **values})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; use but({name}=...)")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names)

    __hash__ = None  # type: ignore[assignment] # some fields are mappings, which have no hash

    def __repr__(self) -> str:
        fields = ((name, getattr(self, name)) for name in self._names)
        shown = (
            f"{name}={_SHORTENED.repr(value)}" for name, value in fields if value != getattr(type(self), name, None)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class _Data(_Frozen):
    """The base of classes that convert to and from plain data; empty optional fields are not written."""

    extra: Mapping[str, Any] = _NOTHING

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the object for plain data that :mod:`gitreg.documents.schemas` has validated."""
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in data.items():
            if key in cls._names and key != "extra":
                known[key] = value if type(value) is str else cls._read(key, value)
            elif key not in ("format", "kind"):
                extra[key] = value
        made = cls.__new__(cls)  # valid data has all required fields
        made.__dict__.update(known, extra=extra)
        return made

    def to_data(self) -> dict[str, Any]:
        """Return the plain data, in canonical order."""
        out = {}
        for name in self._names:
            value = getattr(self, name)
            empty = value is None or value is False or value in ((), {})
            # A field without a default is required, and is written even if it is empty.
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
        """Return the content of the file as plain data, in canonical order."""
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
    """``model.yaml``: the fields of the model's card."""

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
    def _read(cls, name: str, value: Any) -> Any:  # noqa: ARG003 # each value is one already
        return value

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the object for valid data; a fast path, because versions have many files."""
        if len(data) > 2:  # more than the two required fields
            return super().from_data(data)
        made = cls.__new__(cls)
        made.__dict__.update(data)
        return made

    def to_data(self) -> dict[str, Any]:
        """Return the plain data; a fast path, because versions have many files."""
        if len(self.__dict__) == 2:  # size and sha256, the required fields
            return {"size": self.size, "sha256": self.sha256}
        out: dict[str, Any] = {"size": self.size, "sha256": self.sha256}
        if self.executable:
            out["executable"] = True
        out.update(self.extra)
        return out


class ArtifactRecord(_Data):
    """A named set of files.

    ``files`` is None if the manifest is a blob of its own. ``artifact`` is the reference ``name@version`` if the set
    was saved as an artifact version; ``materializer`` is the name of the materializer that turns the files into an
    object again. ``scan`` is the version number of the rules by which the files were scanned; ``contents`` lists the
    files that are not plain data.
    """

    type: str = "model"
    size: int
    digest: str
    artifact: str | None = None
    materializer: str | None = None
    scan: int | None = None
    contents: Mapping[str, Any] = _NOTHING
    files: Mapping[str, FileRecord] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.type!r}, {amount_text([self])})"

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
    """The annotation of a sealed version; ``links`` and ``artifacts`` are those that were added after the seal.

    ``removed`` and ``removed_tags`` are the metadata keys and tags of the record that do not hold any more.
    """

    kind: ClassVar[str] = "annotation"
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = _NOTHING
    removed: tuple[str, ...] = ()
    removed_tags: tuple[str, ...] = ()
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
    """The record of an artifact version, which never changes.

    In a draft, ``version`` is None unless a name was given, and ``number`` is the position in the draft.
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

    def __repr__(self) -> str:
        name = self.artifact if self.version is None else self.reference
        return f"{type(self).__name__}({name!r}, {self.type!r}, {amount_text([self])})"

    @property
    def reference(self) -> str:
        """The reference ``name@version``, as in links."""
        return f"{self.artifact}@{self.version}"

    @property
    def artifacts(self) -> dict[str, ArtifactRecord]:
        """The file set by the artifact's name, in the form that versions of models have."""
        return {self.artifact: self.record}

    @property
    def record(self) -> ArtifactRecord:
        """The entry for this artifact in the record of a model version that it is linked to."""
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
    """The record of a run: its code, its environment, and the inputs and outputs of each step."""

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
    """A version in the draft of a run, not sealed yet: its content when the run succeeds."""

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
    """The pointer of a stage: the version that is in the stage, and the one before it."""

    kind: ClassVar[str] = "stage"
    version: str
    digest: str | None = None
    previous: str | None = None
    rolled_back_from: str | None = None
    reason: str | None = None


class AliasDocument(Document):
    """The pointer of an alias: its version."""

    kind: ClassVar[str] = "alias"
    version: str
    digest: str | None = None


class ApprovalDocument(Document):
    """The approval by a person of a version for a stage, or of a change of the settings (``subject``).

    ``signature`` is a signature by an SSH key, over all other fields.
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


def amount_text(artifacts: Collection[ArtifactRecord | ArtifactDocument]) -> str:
    """Return the number of files and their size as text; the size alone where a record leaves the files out."""
    size = size_text(sum(each.size for each in artifacts)) if artifacts else ""
    if any(each.files is None for each in artifacts) or not artifacts:
        return size
    return f"{counted(sum(len(each.files or ()) for each in artifacts), 'file')}, {size}"
