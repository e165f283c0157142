"""Artifacts: objects and files that are saved on their own, linked to versions of models, and loaded again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gitreg import materializers
from gitreg.documents.types import ArtifactDocument, ArtifactRecord
from gitreg.errors import IntegrityError, InvalidInput, NotFound, UnsafeCode
from gitreg.names import nfc
from gitreg.registry.artifacts import store_artifact
from gitreg.registry.collections import find_artifact
from gitreg.registry.metadata import to_json
from gitreg.sdk.active import active_run, opened
from gitreg.sdk.sealed import sealed_artifact

if TYPE_CHECKING:
    from gitreg.registry.snapshot import ModelVersion
    from gitreg.sdk.model import Model
    from gitreg.sdk.registry import Registry

FILE, FOLDER = "path", "folder"
"""What is said, where a materializer's name stands, of a file and of a folder that a caller has as such."""


class ArtifactType(StrEnum):
    """What an artifact is to the versions of models that it is linked to."""

    DATA = "data"
    MODEL = "model"
    DEPLOYMENT = "deployment"


class ArtifactVersion:
    """One version of an artifact. What it says never changes.

    Parameters
    ----------
    document:
        Its file.
    registry:
        An open registry; None opens the one of the current folder for each call.
    uses:
        What a run that loads it has used; None means itself alone.
    """

    def __init__(
        self,
        document: ArtifactDocument,
        registry: Registry | None = None,
        *,
        uses: Sequence[ArtifactDocument | ModelVersion] | None = None,
    ) -> None:
        self.document = document
        self._registry = registry
        self._uses = uses

    def __repr__(self) -> str:
        return f"ArtifactVersion({self.reference!r})"

    @property
    def id(self) -> str:
        """What it is called before it has a number, and ever after: 32 hexadecimal digits."""
        return self.document.id

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.document.artifact

    @property
    def version(self) -> str | None:
        """The version's name; None while the run that makes it has not ended and no name was asked for."""
        return self.document.version

    @property
    def number(self) -> int | None:
        """Its place in the order of the artifact's versions; None while the run that makes it has not ended."""
        return self.document.number if self.document.version is not None else None

    @property
    def reference(self) -> str:
        """What finds it again: ``name@version``, or its id while it has no version."""
        return self.document.reference if self.document.version is not None else self.id

    @property
    def type(self) -> ArtifactType:
        """What it is to the models that it is linked to."""
        return ArtifactType(self.document.type)

    @property
    def metadata(self) -> dict[str, Any]:
        """What was said of it when it was saved."""
        return dict(self.document.metadata)

    @property
    def digest(self) -> str:
        """The digest of its files."""
        return self.document.digest

    @property
    def size(self) -> int:
        """The size of its files, in bytes."""
        return self.document.size

    @property
    def run(self) -> dict[str, Any] | None:
        """The run and the step that made it."""
        return dict(self.document.run) if self.document.run else None

    def path(self, *, unsafe_code: bool = False) -> Path:
        """Give the read-only folder of the cache with its files, every byte verified.

        Parameters
        ----------
        unsafe_code:
            Whether files that can run code when they are loaded are given, too.

        Raises
        ------
        Refused
            It holds such files, and the registry is not trusted for code.
        IntegrityError
            The store's bytes are not what the record says.
        """
        from gitreg.sdk.loading import load_files, note_input

        with opened(self._registry) as registry:
            found = load_files(
                registry, self.document.record, model=self.name, what=self.reference, unsafe_code=unsafe_code
            )
            for used in [self.document] if self._uses is None else self._uses:
                note_input(registry, used)
        return found

    def load(self, *, unsafe_pickle: bool = False, expected: Any = None) -> Any:
        """Give the object that was saved; of a file or a folder, its read-only path.

        Parameters
        ----------
        unsafe_pickle:
            Whether what was pickled, or is other code, may be loaded: that runs whatever its author put there.
        expected:
            The class that is wanted, where the files leave a choice.

        Raises
        ------
        Refused
            It is pickled, or holds types that its format does not trust, and ``unsafe_pickle`` is not given.
        IntegrityError
            The store's bytes are not what the record says.
        """
        try:
            folder = self.path(unsafe_code=unsafe_pickle)
        except UnsafeCode as error:
            raise error.allowed_by("unsafe_pickle=True") from error
        how = self.document.materializer or FOLDER
        if how == FOLDER:
            return folder
        return materializers.read(folder, how, unsafe_pickle=unsafe_pickle, expected=expected)


# -- saving ------------------------------------------------------------------------------------------------------------


def save_artifact(
    data: Any,
    name: str,
    version: str | None = None,
    *,
    artifact_type: str = ArtifactType.DATA,
    metadata: Mapping[str, Any] | None = None,
    unsafe_pickle: bool = False,
    registry: Registry | None = None,
) -> ArtifactVersion:
    """Save an object, or the files of a path, as a version of an artifact.

    In a run it becomes part of the run's draft, and is linked to the version of the model that the step, the pipeline
    or the run works on; it takes its number when the run ends well. Outside of one it is committed at once. zenml 0.98
    has the same function in ``zenml.artifacts.utils``.

    Parameters
    ----------
    data:
        The object; a `pathlib.Path` means the file or folder there.
    version:
        The version's name; None takes the next number.
    artifact_type:
        ``data``, ``model`` or ``deployment``.
    unsafe_pickle:
        Whether an object that no safe format holds may be pickled.

    Raises
    ------
    AlreadyExists
        A version of that name holds something else. (The very same: nothing is stored and nothing raised.)
    InvalidInput
        A name is none, or the object is of a type that nothing writes safely.
    """
    run = active_run()
    if run is not None and registry is None:
        return run.artifacts.save(
            data, name, version, artifact_type=artifact_type, metadata=metadata, unsafe_pickle=unsafe_pickle
        )
    from gitreg.registry.operations.artifacts import save_artifact as operation

    with opened(registry) as here, stored(here, data, artifact_type, unsafe_pickle=unsafe_pickle) as (record, how):
        document = new_document(here, name, version, record, how, metadata)
        here.commit(lambda snapshot: operation(snapshot, document))
        found = find_artifact(here.snapshot(), name, version or document.id)
        assert found is not None
        return ArtifactVersion(found, registry)


@contextmanager
def stored(
    registry: Registry, data: Any, artifact_type: str, *, unsafe_pickle: bool, draft: bool = False
) -> Iterator[tuple[ArtifactRecord, str]]:
    """Put an object's files into the store; what refers to them is to be committed in the block.

    Gives the record of the files, and the materializer's name.
    """
    from gitreg.blobs import NO_PROGRESS

    with TemporaryDirectory(prefix="gitreg-") as folder, registry.saving(NO_PROGRESS, draft=draft) as saving:
        if isinstance(data, Path):
            source = registry.ambient.folder / data
            how = FOLDER if source.is_dir() else FILE
        else:
            source = Path(folder)
            how = materializers.write(data, source, unsafe_pickle=unsafe_pickle)
        record = store_artifact(saving, [source], artifact_type, registry.verdicts)
        saving.hold()
        yield record, how
        # A garbage collection that began before the commit may have taken what it did not see used.
        if saving.lost() and (
            store_artifact(saving, [source], artifact_type, registry.verdicts) != record or saving.lost()
        ):
            raise IntegrityError("what was saved is gone from the store", hint="save it again")


def new_document(
    registry: Registry,
    name: str,
    version: str | None,
    record: ArtifactRecord,
    materializer: str,
    metadata: Mapping[str, Any] | None,
    run: Mapping[str, Any] | None = None,
) -> ArtifactDocument:
    """Give the document of an artifact version that has no number yet."""
    return ArtifactDocument(
        artifact=nfc(name),
        version=nfc(version) if version is not None else None,
        number=1,
        id=uuid.uuid4().hex,
        created_at=registry.ambient.timestamp(),
        created_by=str(registry.writer().author),
        type=str(record.type),
        materializer=materializer,
        metadata=to_json(metadata or {}),
        run=run,
        size=record.size,
        digest=record.digest,
        scan=record.scan,
        contents=record.contents,
        files=record.files,
    )


# -- finding and loading -----------------------------------------------------------------------------------------------


def get_artifact_version(
    name_id_or_prefix: str, version: str | int | None = None, *, registry: Registry | None = None
) -> ArtifactVersion:
    """Give a version of an artifact: by its name, the latest unless one is named; by its id, or the id's first digits.

    Raises
    ------
    NotFound
        There is none such.
    InvalidInput
        The digits begin the ids of several.
    """
    reference = name_id_or_prefix if version is None else f"{name_id_or_prefix}@{version}"
    run = active_run()
    if run is not None and registry is None and (found := run.artifacts.find(name_id_or_prefix, version)) is not None:
        return found
    with opened(registry) as here:
        return ArtifactVersion(sealed_artifact(here, reference), registry)


def load_artifact(
    name_id_or_prefix: str,
    version: str | int | None = None,
    *,
    unsafe_pickle: bool = False,
    registry: Registry | None = None,
) -> Any:
    """Give the object that an artifact version holds (:func:`get_artifact_version`, :meth:`ArtifactVersion.load`)."""
    return get_artifact_version(name_id_or_prefix, version, registry=registry).load(unsafe_pickle=unsafe_pickle)


def artifact_of(
    version: ModelVersion, name: str, selector: str | None, registry: Registry, kept: Registry | None
) -> ArtifactVersion | None:
    """Give an artifact of a model's version; None where it has none of the name.

    Parameters
    ----------
    selector:
        Which version of the artifact; None means the newest that is linked.
    kept:
        The registry that the answer is to use.
    """
    name, selector = nfc(name), selector and nfc(selector)
    record = version.artifacts.get(name)
    if selector is not None and (record is None or record.artifact != f"{name}@{selector}"):
        named = f"{name}@{selector}" in version.links
        document = sealed_artifact(registry, f"{name}@{selector}") if named else None
        return ArtifactVersion(document, kept, uses=(document, version)) if document else None
    if record is None:
        return None
    document = sealed_artifact(registry, record.artifact) if record.artifact else _inline(version, name, record)
    if document.digest != record.digest:
        raise IntegrityError(
            f"{document.reference} is not what {version.reference} says of it", hint="run `gitreg doctor`"
        )
    return ArtifactVersion(document, kept, uses=(document, version) if record.artifact else (version,))


def _inline(version: ModelVersion, name: str, record: ArtifactRecord) -> ArtifactDocument:
    """Give the document of an artifact that has no version of its own but its model's."""
    return ArtifactDocument(
        artifact=name,
        version=version.version,
        number=version.number,
        id=record.digest.removeprefix("sha256:")[:32],
        created_at=version.record.created_at,
        created_by=version.record.created_by,
        type=record.type,
        materializer=record.materializer,
        run=version.record.run,
        size=record.size,
        digest=record.digest,
        scan=record.scan,
        contents=record.contents,
        files=record.files,
    )


# -- linking -----------------------------------------------------------------------------------------------------------


def link_artifact_to_model(
    artifact_version_id: str | ArtifactVersion, model: Model | None = None, *, registry: Registry | None = None
) -> None:
    """Link an artifact version to a version of a model; twice is once.

    Parameters
    ----------
    artifact_version_id:
        Its id, ``name@version``, or itself.
    model:
        The version; one that has a name and is not there yet is made. None: the one that the step works on.

    Raises
    ------
    NotFound
        There is no such artifact version, or no version of that number or stage.
    InvalidInput
        No model is given, and no run is under way that works on one.
    """
    named = artifact_version_id.id if isinstance(artifact_version_id, ArtifactVersion) else str(artifact_version_id)
    run = active_run()
    if run is not None and registry is None:
        run.artifacts.link(named, model)
        return
    if model is None:
        raise InvalidInput("no model is given to link to", hint="link_artifact_to_model(id, model=Model('iris', '7'))")
    with opened(registry) as here:
        model.link(here, named)


def require(found: ArtifactVersion | None, name: str, version: str) -> ArtifactVersion:
    """Give an artifact that was found.

    Raises
    ------
    NotFound
        It was not.
    """
    if found is None:
        raise NotFound(f"{version} has no artifact {name!r}", hint=f"see `gitreg show {version}`")
    return found
