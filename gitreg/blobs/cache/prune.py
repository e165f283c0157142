"""The cache's contents, the eviction of least recently used artifacts, and the verification of all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.cache.artifact_stats import size_in
from gitreg.blobs.cache.layout import CacheLayout, listing
from gitreg.blobs.file_io import hash_file, open_regular
from gitreg.blobs.files import FileEntry
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.progress import NO_PROGRESS, Progress

IN_USE = 24 * 3600.0
"""Seconds after its last use during which an artifact is not evicted: the user may still read it."""

_SHARE = 5  # by default the cache takes a fifth of its disk


class CachedArtifact(NamedTuple):
    """An artifact in the cache.

    Parameters
    ----------
    digest:
        Digest of its manifest, ``sha256:...``; a part of an artifact (`load --file`) has a digest of its own.
    size:
        In bytes.
    files:
        Number of files; None if the artifact is incomplete.
    used:
        Time of its last use, in seconds since 1970.
    """

    digest: str
    size: int
    files: int | None
    used: float


class CacheCheck(NamedTuple):
    """The result of `verify` for one artifact.

    Parameters
    ----------
    damaged:
        Paths of files that are damaged, missing or unexpected; if there are any, the artifact was removed.
    """

    digest: str
    size: int
    damaged: Sequence[str]


def cached_artifacts(layout: CacheLayout) -> list[CachedArtifact]:
    """Return the artifacts in the cache, the most recently used first."""
    with readable_os_errors("read the cache", layout.root):
        found = [_described(layout, name, layout.artifact(name), built=True) for name in layout.names()]
        found += [_described(layout, name, layout.building(name), built=False) for name in layout.names("building")]
    return sorted(found, key=lambda each: each.used, reverse=True)


def prune(layout: CacheLayout, limit: int | None, *, unused_for: float = IN_USE) -> list[CachedArtifact]:
    """Evict the least recently used artifacts until the cache fits its limit.

    Artifacts that were used lately, or are being built or read at this moment, stay, even beyond the limit.

    Parameters
    ----------
    limit:
        Size limit in bytes; None means a fifth of the disk.
    unused_for:
        Seconds since its last use before an artifact may be evicted.

    Returns
    -------
    The evicted artifacts, the least recently used first.
    """
    removed: list[CachedArtifact] = []
    with readable_os_errors("prune the cache", layout.root):
        if not layout.root.exists():  # the cache was never used
            return removed
        cached = cached_artifacts(layout)
        total, most = sum(each.size for each in cached), _fifth_of_disk(layout.root) if limit is None else limit
        now = layout.now()
        for each in reversed(cached):
            leftover = each.files is None
            if (total > most or leftover) and _remove(layout, each, now - unused_for):
                total -= each.size
                removed.append(each)
        layout.clear_leftovers()
    return removed


def verify(layout: CacheLayout, *, progress: Progress = NO_PROGRESS) -> Iterator[CacheCheck]:
    """Hash all files of all artifacts again, and yield each artifact's result; damaged artifacts are removed."""
    for name in layout.names():
        with readable_os_errors("verify the cache", layout.root):
            with layout.sharing(name) as unchanged:
                if not unchanged:  # being built at this moment, which hashes it
                    continue
                found = _check(layout, name, progress)
            if found is None:
                continue
            if found.damaged:
                with layout.changing(name):
                    again = _check(layout, name, NO_PROGRESS)
                    if again is not None and again.damaged:  # neither evicted nor repaired while we waited
                        layout.remove(name)
        yield found


def _described(layout: CacheLayout, name: str, folder: Path, *, built: bool) -> CachedArtifact:
    files = layout.stats(name).files if built else {}
    try:
        size = sum(map(size_in, files.values()))
    except (ValueError, AttributeError, IndexError):  # the stat cache is damaged
        files = {}
    if not files:
        files = listing(folder)
        size = sum(map(size_in, files.values()))
    return CachedArtifact(f"sha256:{name}", size, len(files) if built else None, layout.last_used(name))


def _remove(layout: CacheLayout, each: CachedArtifact, before: float) -> bool:
    """Remove an artifact unless it was used since a time or is in use now; return whether it was removed."""
    name = each.digest.removeprefix("sha256:")
    with layout.changing(name, wait=False) as alone:
        if not alone or layout.last_used(name) > before:
            return False
        layout.remove(name)
    return True


def _check(layout: CacheLayout, name: str, progress: Progress) -> CacheCheck | None:
    """Return the result of hashing an artifact's files; None if it was evicted since it was listed."""
    folder = layout.artifact(name)
    if not os.path.lexists(folder):
        return None
    present, manifest = listing(folder), layout.manifest(name)
    if manifest is None:
        return CacheCheck(f"sha256:{name}", 0, ["its manifest"])
    damaged = sorted(present.keys() - {entry.path for entry in manifest.files})
    damaged += [entry.path for entry in manifest.files if not _is_good(folder, entry, progress)]
    return CacheCheck(manifest.digest, sum(entry.size for entry in manifest.files), damaged)


def _is_good(folder: Path, entry: FileEntry, progress: Progress) -> bool:
    with suppress(OSError):  # missing, or a link, or the disk cannot read it
        descriptor = open_regular(folder / entry.path)
        try:
            return hash_file(descriptor, progress) == (entry.sha256, entry.size)
        finally:
            os.close(descriptor)
    return False


def _fifth_of_disk(folder: Path) -> int:
    return shutil.disk_usage(folder).total // _SHARE
