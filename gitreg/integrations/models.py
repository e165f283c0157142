"""The object ``current.model``, which saves models in a run and loads models."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Any

from gitreg.documents.types import DraftDocument
from gitreg.errors import InvalidInput, UnsafeCode
from gitreg.integrations.loads import Load, names_and_paths
from gitreg.integrations.references import (
    ARTIFACT,
    DraftReference,
    draft_reference,
    files_of,
    find,
    reference_to,
)
from gitreg.names import check_local, check_model, named_path
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.session import PathLike
from gitreg.sdk.verbs.load import load_files
from gitreg.sdk.zenml.artifacts import stored

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.runs.run import Run


class Models:
    """The models of a function or step with ``@model``, as ``current.model``; threads may share the object.

    The interface follows metaflow-checkpoint 0.2.14.

    Parameters
    ----------
    run:
        The run that versions are saved in; they are published when it succeeds.
    temp_dir_root:
        The folder for models that are loaded without a path; None: the system's folder for temporary files.
    published:
        The versions that an earlier attempt at the same work published; the same content is not published again.

    Attributes
    ----------
    loaded:
        The folders of the loaded models by name; ``loaded.info`` has their references.
    saved:
        The references that :meth:`save` returned.
    """

    def __init__(
        self, run: Run, *, temp_dir_root: PathLike | None = None, published: Iterable[ModelVersion] = ()
    ) -> None:
        self.run = run
        self.loaded = LoadedModels()
        self.saved: list[dict[str, Any]] = []
        self._temp_dir_root = temp_dir_root
        self._published = list(published)
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Models({self.run!r}, {len(self.loaded)} loaded, {len(self.saved)} saved)"

    def save(
        self, path: PathLike, label: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Save a file or a folder as a new version of a model.

        When the method returns, the files are in the store. The version is published, and gets its number, when the
        task (the function, the pipeline) succeeds.

        Parameters
        ----------
        label:
            The name of the model; None: the name of the flow, the pipeline or the function.
        metadata:
            The metadata of the version: JSON values.

        Returns
        -------
        dict:
            A reference of plain values, which can be stored, passed on and given to :meth:`load`. The name of the
            version is written into it as soon as there is one.

        Raises
        ------
        NotFound
            There is no file or folder at the path.
        InvalidInput
            The label is not a valid model name, or a value of the metadata is not a JSON value: the error names its
            key.

        Examples
        --------
        >>> @model
        ... def train() -> str:
        ...     return current.model.save("model.bst", label="flowers")["model"]
        >>> train()
        'flowers'
        >>> registry.version("flowers").reference
        'flowers@1'
        """
        run = self.run
        model = check_model(run.pipeline if label is None else label)
        values = to_json(metadata or {})
        if not isinstance(path, str | os.PathLike):
            raise InvalidInput(f"a {type(path).__name__} is no path", hint="give a text or a pathlib.Path")
        files = Path(os.path.abspath(named_path(path)))
        with self._lock, stored(run.registry.session, files, "model", unsafe_pickle=False, draft=True) as (record, _):
            document = DraftDocument(
                model=model,
                created_at=run.registry.session.environment.timestamp(),
                created_by=run.draft.run.created_by,
                metadata=values,
                step=run.step.name if run.step else None,
                artifacts={ARTIFACT: record},
            )
            reference = self._reuse(document) or self._begin(document)
            self.saved.append(reference)
        return reference

    def _begin(self, document: DraftDocument) -> dict[str, Any]:
        run = self.run
        run.steps.note_effects()
        reference = draft_reference(run, document)
        run.versions.hand_out(DraftReference(run.versions.begin(document), reference))
        return reference

    def _reuse(self, document: DraftDocument) -> dict[str, Any] | None:
        """Return the reference to an equal version that an earlier attempt published; None if there is none."""
        digest = document.artifacts[ARTIFACT].digest
        for each in self._published:
            if (each.model, files_of(each).digest, each.metadata) == (document.model, digest, document.metadata):
                self._published.remove(each)
                return reference_to(each)
        return None

    @property
    def outdated(self) -> list[ModelVersion]:
        """The versions that an earlier attempt published and this one has not saved again."""
        return list(self._published)

    def load(self, reference: Any, path: PathLike | None = None, *, unsafe_code: bool = False) -> str:
        """Return the path of a folder with a copy of the files of a version.

        Parameters
        ----------
        reference:
            A reference that :meth:`save` returned, or a string such as ``iris@production``.
        path:
            The folder; None: a new temporary folder for each call, which is removed when the process ends.
        unsafe_code:
            True if files that can run code when they are loaded are allowed.

        Returns
        -------
        str:
            The folder with the files.

        Raises
        ------
        NotFound
            The version does not exist.
        Refused
            A file with other content is in the folder; or a file can run code when it is loaded, ``unsafe_code`` is
            false, and the registry is not trusted for code.
        IntegrityError
            The bytes in the store differ from the record.

        Examples
        --------
        >>> @model
        ... def look() -> list[str]:
        ...     return os.listdir(current.model.load("iris@production"))
        >>> look()
        ['model.bst']
        """
        with self._lock:
            version = find(self.run.registry, self.run, reference)
            return self._load(version.reference, version, path, unsafe_code=unsafe_code)

    def load_named(self, wanted: Load, known: Callable[[str], Any], *, unsafe_code: bool) -> None:
        """Load the models in ``@model(load=...)`` into :attr:`loaded`.

        Parameters
        ----------
        known:
            A function from a name to the flow's artifact or the function's argument; it returns None if there is none.
        unsafe_code:
            True if files that can run code when they are loaded are allowed.

        Raises
        ------
        GitregError
            The same errors as :meth:`load`.
        """
        for name, path in names_and_paths(wanted):
            reference = known(name)
            version = find(self.run.registry, self.run, name if reference is None else reference)
            try:
                self._load(name, version, path, unsafe_code=unsafe_code)
            except UnsafeCode as error:
                raise error.allowed_by("@model(load=..., unsafe_code=True)") from error

    def _load(self, name: str, version: ModelVersion, path: PathLike | None, *, unsafe_code: bool) -> str:
        registry = self.run.registry
        if path is not None:
            check_local(path, "a bucket is no folder: load, then copy")
        folder = Path(os.path.abspath(named_path(path))) if path is not None else self._temporary(name)
        if version.number:
            registry.load(version.reference, folder, unsafe_code=unsafe_code)
        else:
            load_files(
                registry.session,
                files_of(version),
                folder,
                model=version.model,
                what=version.reference,
                unsafe_code=unsafe_code,
            )
        self.loaded.add(name, folder, reference_to(version))
        return str(folder)

    def _temporary(self, name: str) -> Path:
        import atexit

        root = None if self._temp_dir_root is None else os.path.abspath(self._temp_dir_root)
        if root is not None:
            os.makedirs(root, exist_ok=True)
        folder = Path(mkdtemp(prefix=f"gitreg-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:64]}-", dir=root))
        atexit.register(_remove, folder, os.getpid())
        return folder


class LoadedModels(Mapping[str, str]):
    """The folders of the loaded models by name.

    Attributes
    ----------
    info:
        The references to the loaded models by the same names, each with ``metadata``.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        self.info: dict[str, dict[str, Any]] = {}

    def add(self, name: str, folder: Path, info: dict[str, Any]) -> None:
        """Add a loaded model; it replaces a former one of the same name."""
        self._folders[name] = str(folder)
        self.info[name] = info

    def __getitem__(self, name: str) -> str:
        return self._folders[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


def _remove(folder: Path, process: int) -> None:
    """Remove a temporary folder, unless this process is a forked child of the one that created it."""
    import shutil

    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
