"""Functions that load the files of a version, verified, from the cache or into a folder of the caller."""

from __future__ import annotations

import warnings
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from gitreg.blobs.manifest import Manifest
from gitreg.errors import InvalidInput, NotFound
from gitreg.names import check_local, nfc
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.state.manifests import choose_artifact, manifest_of
from gitreg.sdk.current_run import active_run
from gitreg.sdk.verbs.admission import Admission
from gitreg.sdk.verbs.find import find_version
from gitreg.suggestions import nearest

if TYPE_CHECKING:
    from gitreg.blobs.cache.cache import Cache
    from gitreg.documents.types import ArtifactDocument, ArtifactRecord
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import Session

NO_BUCKET = "a bucket is no folder: load, then copy"
"""The hint for a URL that is given as the folder of a load."""


def load(
    session: Session,
    reference: str,
    dest: Path | None = None,
    *,
    artifact: str | None = None,
    file: str | None = None,
    link: bool = False,
    at: str | None = None,
    unsafe_code: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Return the folder with the files of a version (:meth:`gitreg.Registry.load`)."""
    if dest is not None:
        check_local(dest, NO_BUCKET)
    if link and dest is None:
        raise InvalidInput(
            "--link needs DEST: links are made in a folder of yours",
            hint="name DEST, or leave --link away: nothing is copied",
        )
    version = find_version(session, reference, at=at)
    tell_yanked(version)
    record = choose_artifact(version, artifact)
    folder = load_files(
        session,
        record,
        dest,
        model=version.model,
        what=version.reference,
        file=file,
        link=link,
        unsafe_code=unsafe_code,
        progress=progress or NO_PROGRESS,
    )
    note_input(session, version)
    return folder


def load_files(
    session: Session,
    record: ArtifactRecord,
    dest: Path | None = None,
    *,
    model: str,
    what: str,
    file: str | None = None,
    link: bool = False,
    unsafe_code: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Path:
    """Return the folder with the files of an artifact, every byte verified against its record.

    Parameters
    ----------
    model:
        The name of the model that has the artifact, or of the artifact itself; trust for code depends on it.
    what:
        The name of the version or artifact in errors.
    dest, file, link, unsafe_code:
        As for :meth:`gitreg.Registry.load`.
    """
    if dest is not None:
        check_local(dest, NO_BUCKET)
    cache = session.environment.cache()
    admission = Admission(session, record, model=model, what=what, unsafe_code=unsafe_code)
    if dest is None and file is None and (found := cache.find(record.digest)):
        admission.check(lambda: manifest_in(session, cache, record))
        admission.look(found)
        return found
    manifest = manifest_in(session, cache, record)
    paths = None if file is None else _matching(manifest, file, what)
    admission.check(lambda: manifest, paths)
    if dest is not None and not link:
        folder = session.environment.folder / dest
        admit = admission.look if admission.is_pending else None
        cache.export(manifest, session.stores, folder, paths, admit=admit, progress=progress)
        return folder
    if dest is None or admission.is_pending:
        found = cache.checkout(manifest, session.stores, paths, progress=progress)
        admission.look(found)
        if dest is None:
            return found
    folder = session.environment.folder / dest
    cache.link(manifest, session.stores, folder, paths, progress=progress)
    return folder


def open_file(
    session: Session,
    reference: str,
    path: str,
    *,
    artifact: str | None = None,
    unsafe_code: bool = False,
    progress: Progress | None = None,
) -> BinaryIO:
    """Open one file of a version (:meth:`gitreg.Registry.open_file`)."""
    version = find_version(session, reference)
    tell_yanked(version)
    cache = session.environment.cache()
    record = choose_artifact(version, artifact)
    manifest = manifest_in(session, cache, record)
    entry = manifest.find(path)
    if entry is None:
        near = nearest(path, [each.path for each in manifest.files], most=1)
        raise NotFound(
            f"{version.reference} has no file {path!r}",
            hint=None if near else f"`gitreg show {version.reference}` lists its files",
            correction=(path, near[0]) if near else None,
        )
    admission = Admission(session, record, model=version.model, what=version.reference, unsafe_code=unsafe_code)
    opened = cache.open(manifest, session.stores, entry.path, progress=progress or NO_PROGRESS)
    try:
        admission.check_file(entry, opened)
    except BaseException:
        opened.close()
        raise
    note_input(session, version)
    return opened


def manifest_in(session: Session, cache: Cache, record: ArtifactRecord) -> Manifest:
    """Return the manifest of an artifact: from its record, else from the cache, else from the store."""
    if record.files is None and (known := cache.manifest(record.digest)):
        return known
    return manifest_of(record, session.stores)


def tell_yanked(version: ModelVersion) -> None:
    """Warn whoever called the method of the registry if the version is yanked."""
    if version.yanked:
        warnings.warn(f"{version.reference} {version.withdrawal}", stacklevel=4)


def note_input(session: Session, used: ArtifactDocument | ModelVersion) -> None:
    """Note an input in the active run, if there is one and it is a run of the same registry."""
    run = active_run()
    if run is not None and run.session.is_same(session):
        run.artifacts.note_input(used, session.snapshot())


def _matching(manifest: Manifest, wanted: str, what: str) -> set[str]:
    """Return the paths of the files that are called so by path or name; where none is, those that match the pattern."""
    wanted = nfc(wanted)
    names = {entry.path: {nfc(entry.path), nfc(PurePosixPath(entry.path).name)} for entry in manifest.files}
    found = {path for path, of_file in names.items() if wanted in of_file}
    found = found or {path for path, of_file in names.items() if any(fnmatchcase(name, wanted) for name in of_file)}
    if not found:
        raise NotFound(f"no file of {what} matches {wanted!r}", hint=f"see `gitreg show {what}`")
    return found
