"""The cache's contents, the eviction of least recently used artifacts, and the verification of all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.cache.layout import CacheLayout, listing
from gitreg.blobs.cache.memo import size_in
from gitreg.blobs.file_io import hash_file, open_regular
from gitreg.blobs.files import FileEntry
from gitreg.blobs.os_errors import in_words
from gitreg.blobs.progress import NO_PROGRESS, Progress

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


class Checked(NamedTuple):
    """The result of `verify` for one artifact.

    Parameters
    ----------
    damaged:
        Paths of files that are damaged, missing or unexpected; if there are any, the artifact was removed.
    """

    digest: str
    size: int
    damaged: Sequence[str]


def kept(shelf: CacheLayout) -> list[CachedArtifact]:
    """Return the artifacts in the cache, the most recently used first."""
    with in_words("read the cache", shelf.root):
        found = [_kept(shelf, name, shelf.artifact(name), built=True) for name in shelf.names()]
        found += [_kept(shelf, name, shelf.building(name), built=False) for name in shelf.names("building")]
    return sorted(found, key=lambda each: each.used, reverse=True)


def prune(shelf: CacheLayout, limit: int | None, *, unused_for: float = IN_USE) -> list[CachedArtifact]:
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
    with in_words("prune the cache", shelf.root):
        if not shelf.root.exists():  # the cache was never used
            return removed
        cached = kept(shelf)
        total, most = sum(each.size for each in cached), _fifth_of_disk(shelf.root) if limit is None else limit
        now = shelf.now()
        for each in reversed(cached):
            leftover = each.files is None
            if (total > most or leftover) and _remove(shelf, each, now - unused_for):
                total -= each.size
                removed.append(each)
        shelf.clear_leftovers()
    return removed


def verify(shelf: CacheLayout, *, progress: Progress = NO_PROGRESS) -> Iterator[Checked]:
    """Hash all files of all artifacts again, and yield each artifact's result; damaged artifacts are removed."""
    for name in shelf.names():
        with in_words("verify the cache", shelf.root):
            with shelf.sharing(name) as unchanged:
                if not unchanged:  # being built at this moment, which hashes it
                    continue
                found = _check(shelf, name, progress)
            if found is None:
                continue
            if found.damaged:
                with shelf.changing(name):
                    again = _check(shelf, name, NO_PROGRESS)
                    if again is not None and again.damaged:  # neither evicted nor repaired while we waited
                        shelf.remove(name)
        yield found


def _kept(shelf: CacheLayout, name: str, folder: Path, *, built: bool) -> CachedArtifact:
    files = shelf.memo(name).files if built else {}
    try:
        size = sum(map(size_in, files.values()))
    except (ValueError, AttributeError, IndexError):  # the stat cache is damaged
        files = {}
    if not files:
        files = listing(folder)
        size = sum(map(size_in, files.values()))
    return CachedArtifact(f"sha256:{name}", size, len(files) if built else None, shelf.last_used(name))


def _remove(shelf: CacheLayout, each: CachedArtifact, before: float) -> bool:
    """Remove an artifact unless it was used since a time or is in use now; return whether it was removed."""
    name = each.digest.removeprefix("sha256:")
    with shelf.changing(name, wait=False) as alone:
        if not alone or shelf.last_used(name) > before:
            return False
        shelf.remove(name)
    return True


def _check(shelf: CacheLayout, name: str, progress: Progress) -> Checked | None:
    """Return the result of hashing an artifact's files; None if it was evicted since it was listed."""
    folder = shelf.artifact(name)
    if not os.path.lexists(folder):
        return None
    present, manifest = listing(folder), shelf.manifest(name)
    if manifest is None:
        return Checked(f"sha256:{name}", 0, ["its manifest"])
    damaged = sorted(present.keys() - {entry.path for entry in manifest.files})
    damaged += [entry.path for entry in manifest.files if not _is_good(folder, entry, progress)]
    return Checked(manifest.digest, sum(entry.size for entry in manifest.files), damaged)


def _is_good(folder: Path, entry: FileEntry, progress: Progress) -> bool:
    with suppress(OSError):  # missing, or a link, or the disk cannot read it
        descriptor = open_regular(folder / entry.path)
        try:
            return hash_file(descriptor, progress) == (entry.sha256, entry.size)
        finally:
            os.close(descriptor)
    return False


def _fifth_of_disk(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_frsize * status.f_blocks // _SHARE
