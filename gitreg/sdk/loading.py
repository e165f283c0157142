"""Loading: a version's files, verified, from the cache or into a folder of the caller's own."""

from __future__ import annotations

import warnings
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gitreg.blobs import NO_PROGRESS, Manifest, Progress
from gitreg.errors import NotFound
from gitreg.registry.artifacts import choose_artifact, manifest_of

if TYPE_CHECKING:
    from gitreg.registry.snapshot import ModelVersion
    from gitreg.sdk.registry import Registry


def load(
    registry: Registry,
    reference: str,
    dest: Path | None = None,
    *,
    artifact: str | None = None,
    file: str | None = None,
    progress: Progress = NO_PROGRESS,
) -> Path:
    """Give the folder with a version's files (:meth:`gitreg.Registry.load`)."""
    version = registry.version(reference)
    if version.yanked:
        reason = f": {version.annotation.yank_reason}" if version.annotation.yank_reason else ""
        warnings.warn(f"{version.reference} was yanked{reason}", stacklevel=3)
    record = choose_artifact(version, artifact)
    manifest = manifest_of(record, registry.stores)
    paths = None if file is None else _matching(manifest, file, version)
    cache = registry.ambient.cache()
    if dest is None:
        return cache.checkout(manifest, registry.stores, paths, progress=progress)
    folder = registry.ambient.folder / dest
    cache.export(manifest, registry.stores, folder, paths, progress=progress)
    return folder


def _matching(manifest: Manifest, pattern: str, version: ModelVersion) -> set[str]:
    found = {
        entry.path
        for entry in manifest.files
        if fnmatch(entry.path, pattern) or fnmatch(PurePosixPath(entry.path).name, pattern)
    }
    if not found:
        raise NotFound(
            f"no file of {version.reference} matches {pattern!r}", hint=f"see `gitreg show {version.reference}`"
        )
    return found
