"""Scans for files that can run code, on request: of files of this machine, or of a version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.blobs.files import collect
from gitreg.contents.scanner import scan_path
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.state.manifests import choose_artifact
from gitreg.sdk.verbs.find import find_version
from gitreg.sdk.verbs.load import manifest_in

if TYPE_CHECKING:
    from gitreg.contents import Finding
    from gitreg.sdk.session import Session


class Scanned(NamedTuple):
    """A file and the scanner's verdict on it."""

    path: str
    finding: Finding


def scan_files(path: Path) -> Iterator[Scanned]:
    """Yield the files of a path on this machine, in order, each with its verdict.

    Raises
    ------
    NotFound, InvalidInput
        The path is no file or folder that could be saved.
    """
    for file in collect([path]):
        yield Scanned(file.path, scan_path(file.source))


def scan_version(
    session: Session, reference: str, artifact: str | None = None, *, progress: Progress = NO_PROGRESS
) -> Iterator[Scanned]:
    """Yield the files of a version's artifact, verified, each with its verdict.

    Raises
    ------
    NotFound
        There is no such version or artifact.
    IntegrityError
        The bytes in the store differ from the record.
    """
    record = choose_artifact(find_version(session, reference), artifact)
    cache = session.environment.cache()
    manifest = manifest_in(session, cache, record)
    folder = cache.checkout(manifest, session.stores, progress=progress)
    for entry in manifest.files:
        yield Scanned(entry.path, scan_path(folder / entry.path))
