"""``current.model``: save models in a run, and load them."""

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
    Saved,
    draft_reference,
    files_of,
    find,
    reference_to,
)
from gitreg.names import check_model
from gitreg.registry.metadata import to_json
from gitreg.sdk.artifacts import stored
from gitreg.sdk.loading import load_files
from gitreg.sdk.opened import PathLike

if TYPE_CHECKING:
    from gitreg.registry.snapshot import ModelVersion
    from gitreg.sdk.under_way import Run


class Models:
    """What a function or step with ``@model`` has as ``current.model``. Threads may share it; they take turns.

    The shape is that of metaflow-checkpoint 0.2.14.

    Parameters
    ----------
    run:
        What it saves into: published when that ends well.
    temp_dir_root:
        The folder for what is loaded without a path; None takes the system's for temporary files.
    published:
        Versions that an earlier try of the same work published: what is saved again is not made again.

    Attributes
    ----------
    loaded:
        By name, the folders of what was loaded; ``loaded.info`` says what it is.
    saved:
        The references that were handed out.
    """

    def __init__(
        self, run: Run, *, temp_dir_root: PathLike | None = None, published: Iterable[ModelVersion] = ()
    ) -> None:
        self.run = run
        self.loaded = Loaded()
        self.saved: list[dict[str, Any]] = []
        self._temp_dir_root = temp_dir_root
        self._published = list(published)
        self._lock = Lock()

    def save(
        self, path: PathLike, label: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Save a file or a folder as a new version of a model.

        The files are in the store when this returns; the version is published, and takes its number, when the task
        (the function, the pipeline) has ended well.

        Parameters
        ----------
        label:
            The model's name; None takes that of the flow, the pipeline or the function.
        metadata:
            What there is to say of it: JSON values.

        Returns
        -------
        dict:
            A reference of plain values: keep it, pass it on, give it to :meth:`load`. It says the version's name as
            soon as there is one.

        Raises
        ------
        NotFound
            There is nothing at the path.
        InvalidInput
            The label can be no model's name, or a value of the metadata is none that JSON knows: its key is named.
        """
        run = self.run
        model = check_model(run.pipeline if label is None else label)
        said = to_json(metadata or {})
        if not isinstance(path, str | os.PathLike):
            raise InvalidInput(f"a {type(path).__name__} is no path", hint="give a text or a pathlib.Path")
        files = Path(os.path.abspath(path))
        with self._lock, stored(run.registry, files, "model", unsafe_pickle=False, draft=True) as (record, _):
            document = DraftDocument(
                model=model,
                created_at=run.registry.ambient.timestamp(),
                created_by=run.draft.run.created_by,
                metadata=said,
                step=run.step.name if run.step else None,
                artifacts={ARTIFACT: record},
            )
            reference = self._reuse(document) or self._begin(document)
            self.saved.append(reference)
        return reference

    def _begin(self, document: DraftDocument) -> dict[str, Any]:
        run = self.run
        run.note_effects()
        reference = draft_reference(run, document)
        run.versions.hand_out(Saved(run.versions.begin(document), reference))
        return reference

    def _reuse(self, document: DraftDocument) -> dict[str, Any] | None:
        """Take the version that an earlier try made of the same."""
        digest = document.artifacts[ARTIFACT].digest
        for each in self._published:
            if (each.model, files_of(each).digest, each.metadata) == (document.model, digest, document.metadata):
                self._published.remove(each)
                return reference_to(each)
        return None

    @property
    def outdated(self) -> list[ModelVersion]:
        """What an earlier try published and this one did not save again."""
        return list(self._published)

    def load(self, reference: Any, path: PathLike | None = None, *, unsafe_code: bool = False) -> str:
        """Give a folder of the caller's own with the files of a version; each call gives another one.

        Parameters
        ----------
        reference:
            What :meth:`save` returned, or a reference to a version as a text: ``iris@production``.
        path:
            The folder; None makes a temporary one, which is removed when the process ends.
        unsafe_code:
            Whether files that can run code when they are loaded are given, too.

        Raises
        ------
        NotFound
            There is no such version.
        Refused
            A file of another content is in the way; or a file can run code when it is loaded, ``unsafe_code`` is not
            given, and the registry is not trusted for code.
        IntegrityError
            The store's bytes are not what the record says.
        """
        with self._lock:
            version = find(self.run.registry, self.run, reference)
            return self._load(version.reference, version, path, unsafe_code=unsafe_code)

    def load_named(self, wanted: Load, known: Callable[[str], Any], *, unsafe_code: bool) -> None:
        """Load what ``@model(load=...)`` names.

        Parameters
        ----------
        known:
            Gives what the flow or the function has under a name; None where it has nothing.
        unsafe_code:
            Whether files that can run code when they are loaded are loaded, too.

        Raises
        ------
        GitregError
            As :meth:`load` does.
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
        folder = Path(os.path.abspath(path)) if path is not None else self._temporary(name)
        if version.number:
            registry.load(version.reference, folder, unsafe_code=unsafe_code)
        else:
            load_files(
                registry,
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


class Loaded(Mapping[str, str]):
    """By name, the folder of each model that was loaded.

    Attributes
    ----------
    info:
        By the same names, what each is: its reference, with what was said of it under ``metadata``.
    """

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}
        self.info: dict[str, dict[str, Any]] = {}

    def add(self, name: str, folder: Path, info: dict[str, Any]) -> None:
        """Take in what was loaded; of one name the newest counts."""
        self._folders[name] = str(folder)
        self.info[name] = info

    def __getitem__(self, name: str) -> str:
        return self._folders[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


def _remove(folder: Path, process: int) -> None:
    """Remove a temporary folder, unless this is a forked child of the process that made it."""
    import shutil

    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
