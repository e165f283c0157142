"""Artifacts: objects and files that are saved by themselves, linked to versions of models, and loaded again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gitreg.documents.types import ArtifactDocument, ArtifactRecord, amount_text
from gitreg.errors import IntegrityError, InvalidInput, NotFound, UnsafeCode
from gitreg.names import nfc
from gitreg.progress import NO_PROGRESS
from gitreg.registry.operations import artifacts
from gitreg.registry.state.manifests import store_artifact
from gitreg.registry.state.runs_and_artifacts import find_artifact
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.current_run import active_run
from gitreg.sdk.registry import Registry, opened
from gitreg.sdk.verbs.load import load_files, note_input
from gitreg.sdk.verbs.objects import FILE, FOLDER, read_object, write_object
from gitreg.sdk.verbs.sealed import sealed_artifact

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import Session


class Linkable(Protocol):
    """A version of a model that an artifact can be linked to (:class:`gitreg.Model`)."""

    def link(self, registry: Registry, artifact: str) -> None:
        """Link an artifact version, by its id or reference, to the version."""


class ArtifactType(StrEnum):
    """The types of artifacts: data, model and deployment."""

    DATA = "data"
    MODEL = "model"
    DEPLOYMENT = "deployment"


class ArtifactVersion:
    """One version of an artifact. Its record never changes.

    Parameters
    ----------
    document:
        Its record.
    registry:
        An open registry; None takes that of the active run, else opens that of the current folder for each call.
    uses:
        The artifact versions and model versions that a run notes as inputs when it loads this one; None means this one
        alone.

    Examples
    --------
    >>> labels = get_artifact_version("labels", registry=registry)
    >>> labels.reference, labels.number, labels.size
    ('labels@1', 1, 36)
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
        return f"ArtifactVersion({self.reference!r}, {str(self.type)!r}, {amount_text([self.document])})"

    @property
    def id(self) -> str:
        """The id: 32 hexadecimal digits, valid before and after the version has a number."""
        return self.document.id

    @property
    def name(self) -> str:
        """The name of the artifact."""
        return self.document.artifact

    @property
    def version(self) -> str | None:
        """The name of the version; None while the run that makes it has not ended, unless it was named."""
        return self.document.version

    @property
    def number(self) -> int | None:
        """The number of the version, in the order of the artifact's versions; None while it has no version name."""
        return self.document.number if self.document.version is not None else None

    @property
    def reference(self) -> str:
        """The reference: ``name@version``, or the id while it has no version."""
        return self.document.reference if self.document.version is not None else self.id

    @property
    def type(self) -> ArtifactType:
        """The type of the artifact: data, model or deployment."""
        return ArtifactType(self.document.type)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata that was saved with it."""
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
        """The pipeline, the run and the step that made it; None if no run made it."""
        return dict(self.document.run) if self.document.run else None

    def path(self, *, unsafe_code: bool = False) -> Path:
        """Return the read-only folder of the cache with its files, every byte verified.

        Parameters
        ----------
        unsafe_code:
            True to return also files that can run code when they are loaded.

        Returns
        -------
        pathlib.Path:
            A read-only folder.

        Raises
        ------
        Refused
            A file can run code when it is loaded, ``unsafe_code`` is False, and the registry is not trusted for code.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> labels = get_artifact_version("labels", registry=registry)
        >>> [path.name for path in labels.path().iterdir()]
        ['data.json']
        """
        with opened(self._registry) as registry:
            found = load_files(
                registry.session, self.document.record, model=self.name, what=self.reference, unsafe_code=unsafe_code
            )
            for used in [self.document] if self._uses is None else self._uses:
                note_input(registry.session, used)
        return found

    def load(self, *, unsafe_pickle: bool = False, expected: Any = None) -> Any:
        """Return the object that was saved; for a file or a folder, its read-only path.

        Parameters
        ----------
        unsafe_pickle:
            True to load also pickles and other code: that runs any code that their author put there.
        expected:
            The class of the result, if the files allow several.

        Returns
        -------
        Any:
            An object of the type that was saved, equal to it.

        Raises
        ------
        Refused
            The object is pickled, or has types that its format does not trust, and ``unsafe_pickle`` is False.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> labels = get_artifact_version("labels", registry=registry)
        >>> labels.load()
        {'classes': ['setosa', 'virginica']}
        """
        try:
            folder = self.path(unsafe_code=unsafe_pickle)
        except UnsafeCode as error:
            raise error.allowed_by("unsafe_pickle=True") from error
        return read_object(folder, self.document.materializer or FOLDER, unsafe_pickle=unsafe_pickle, expected=expected)


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
    """Save an object, or the files of a path, as a version of an artifact and return it.

    In a run, it becomes part of the run's draft, is linked to the version that the step, the pipeline or the run works
    on, and gets its number when the run ends well. Outside of a run it is committed at once. zenml 0.98 has the same
    function in ``zenml.artifacts.utils``.

    Parameters
    ----------
    data:
        The object; a `pathlib.Path` stands for the file or folder at that path.
    name:
        The name of the artifact.
    version:
        The name of the version; None takes the next number.
    artifact_type:
        ``data``, ``model`` or ``deployment``.
    metadata:
        JSON values by key.
    unsafe_pickle:
        True to pickle an object that no safe format supports.
    registry:
        An open registry; None takes that of the active run, else opens that of the current folder.

    Returns
    -------
    ArtifactVersion:
        Its handle; in a run, it has a number once the run has ended well.

    Raises
    ------
    AlreadyExists
        There is a version of that name with other content. (If all is the same, nothing is stored, and nothing is
        raised.)
    InvalidInput
        A name is invalid, or no safe format supports the type of the object.

    Examples
    --------
    >>> save_artifact({"rows": 150}, "table", metadata={"source": "garden"}).reference
    'table@1'
    >>> save_artifact(Path("vocabulary.txt"), "words").reference
    'words@1'
    """
    run = active_run()
    if run is not None and registry is None:
        saved: ArtifactVersion = run.artifacts.save(
            data, name, version, artifact_type=artifact_type, metadata=metadata, unsafe_pickle=unsafe_pickle
        )
        return saved
    with opened(registry) as target:
        session, url = target.session, target.session.store_url
        with stored(session, data, artifact_type, unsafe_pickle=unsafe_pickle) as (record, materializer):
            document = new_document(session, name, version, record, materializer, metadata)
            session.commit(session.into(url, lambda snapshot: artifacts.save_artifact(snapshot, document)))
        found = find_artifact(session.snapshot(), name, version or document.id)
        assert found is not None
        return ArtifactVersion(found, registry)


@contextmanager
def stored(
    session: Session, data: Any, artifact_type: str, *, unsafe_pickle: bool, draft: bool = False
) -> Iterator[tuple[ArtifactRecord, str]]:
    """Store the files of an object, and yield their record and the materializer's name.

    The record has to be committed before the block ends.

    Raises
    ------
    IntegrityError
        Files were lost from the store meanwhile and could not be stored again.
    """
    session.writer()  # who may not commit stores nothing
    with ExitStack() as stack, session.saving(NO_PROGRESS, draft=draft) as saving:
        if isinstance(data, Path):
            source = session.environment.folder / data
            materializer = FOLDER if source.is_dir() else FILE
        else:
            source, materializer = write_object(data, stack, unsafe_pickle=unsafe_pickle)
        record = store_artifact(saving, [source], artifact_type, session.verdicts)
        saving.hold()
        yield record, materializer
        # A garbage collection that began before the commit may have moved files that it found unreachable.
        if saving.lost() and (
            store_artifact(saving, [source], artifact_type, session.verdicts) != record or saving.lost()
        ):
            raise IntegrityError("what was saved is gone from the store", hint="save it again")


def new_document(
    session: Session,
    name: str,
    version: str | None,
    record: ArtifactRecord,
    materializer: str,
    metadata: Mapping[str, Any] | None,
    run: Mapping[str, Any] | None = None,
) -> ArtifactDocument:
    """Return the record of a new artifact version that has no number yet."""
    return ArtifactDocument(
        artifact=nfc(name),
        version=nfc(version) if version is not None else None,
        number=1,
        id=uuid.uuid4().hex,
        created_at=session.environment.timestamp(),
        created_by=str(session.writer().author),
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
    """Return an artifact version by name (default: the latest version), by id, or by the first digits of the id.

    In a run, the artifacts of the run's draft are searched first.

    Returns
    -------
    ArtifactVersion:
        Its handle; ``load()`` returns the object.

    Raises
    ------
    NotFound
        There is no such artifact version.
    InvalidInput
        Several ids begin with these digits.

    Examples
    --------
    >>> get_artifact_version("labels").number
    1
    """
    reference = name_id_or_prefix if version is None else f"{name_id_or_prefix}@{version}"
    run = active_run()
    if run is not None and registry is None:
        found: ArtifactVersion | None = run.artifacts.find(name_id_or_prefix, version)
        if found is not None:
            return found
    with opened(registry) as source:
        return ArtifactVersion(sealed_artifact(source.session, reference), registry)


def load_artifact(
    name_id_or_prefix: str,
    version: str | int | None = None,
    *,
    unsafe_pickle: bool = False,
    registry: Registry | None = None,
) -> Any:
    """Return the object of an artifact version (:func:`get_artifact_version`, :meth:`ArtifactVersion.load`).

    Returns
    -------
    Any:
        The object that was saved; for a file or a folder, its read-only path.

    Raises
    ------
    NotFound
        There is no such artifact version.
    Refused
        The object is pickled, or has types that its format does not trust, and ``unsafe_pickle`` is False.
    IntegrityError
        The bytes in the store differ from the record.

    Examples
    --------
    >>> load_artifact("labels")
    {'classes': ['setosa', 'virginica']}
    """
    return get_artifact_version(name_id_or_prefix, version, registry=registry).load(unsafe_pickle=unsafe_pickle)


def artifact_of(
    version: ModelVersion, name: str, selector: str | None, session: Session, kept: Registry | None
) -> ArtifactVersion | None:
    """Return an artifact of a version of a model; None if it has none of that name.

    Parameters
    ----------
    selector:
        The version of the artifact; None means the newest that is linked.
    kept:
        The registry that the returned handle uses; None opens one for each call.

    Raises
    ------
    IntegrityError
        The artifact's digest differs from the one that the version's record states.
    """
    name, selector = nfc(name), selector and nfc(selector)
    record = version.artifacts.get(name)
    if selector is not None and (record is None or record.artifact != f"{name}@{selector}"):
        named = f"{name}@{selector}" in version.links
        document = sealed_artifact(session, f"{name}@{selector}") if named else None
        return ArtifactVersion(document, kept, uses=(document, version)) if document else None
    if record is None:
        return None
    document = sealed_artifact(session, record.artifact) if record.artifact else _inline(version, name, record)
    if document.digest != record.digest:
        raise IntegrityError(
            f"{document.reference} is not what {version.reference} says of it", hint="run `gitreg doctor`"
        )
    return ArtifactVersion(document, kept, uses=(document, version) if record.artifact else (version,))


def _inline(version: ModelVersion, name: str, record: ArtifactRecord) -> ArtifactDocument:
    """Return a record for an artifact that has no version of its own, built from the record of its model's version."""
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
    artifact_version_id: str | ArtifactVersion, model: Linkable | None = None, *, registry: Registry | None = None
) -> None:
    """Link an artifact version to a version of a model; linking it twice changes nothing.

    Parameters
    ----------
    artifact_version_id:
        The id, ``name@version``, or the handle of the artifact version.
    model:
        The version of a model; a version of a new name is created. None takes the one that the step works on.
    registry:
        An open registry; None takes that of the active run, else opens that of the current folder.

    Raises
    ------
    NotFound
        There is no such artifact version, or no version of that number or stage.
    InvalidInput
        No model is given, and no active run works on one.

    Examples
    --------
    >>> link_artifact_to_model("labels@1", Model("iris", "production"))
    >>> Model("iris", "production").load_artifact("labels")
    {'classes': ['setosa', 'virginica']}
    """
    named = artifact_version_id.id if isinstance(artifact_version_id, ArtifactVersion) else str(artifact_version_id)
    run = active_run()
    if run is not None and registry is None:
        run.artifacts.link(named, model)
        return
    if model is None:
        raise InvalidInput("no model is given to link to", hint="link_artifact_to_model(id, model=Model('iris', '7'))")
    with opened(registry) as target:
        model.link(target, named)


def require(found: ArtifactVersion | None, name: str, version: str) -> ArtifactVersion:
    """Return the artifact, or raise if it is None.

    Raises
    ------
    NotFound
        The artifact is None.
    """
    if found is None:
        raise NotFound(f"{version} has no artifact {name!r}", hint=f"see `gitreg show {version}`")
    return found
