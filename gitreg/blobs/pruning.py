"""Keeping the cache of a machine small and sound: what it holds, what goes first, what is damaged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.copying import hash_file, open_regular
from gitreg.blobs.faults import in_words
from gitreg.blobs.files import FileEntry
from gitreg.blobs.memo import size_in
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.shelf import Shelf, listing

IN_USE = 24 * 3600.0
"""For how many seconds after it was handed out an artifact stays: who asked for it may still read it."""

_SHARE = 5  # the cache takes a fifth of the disk that it lies on, unless it is told


class Kept(NamedTuple):
    """An artifact in the cache.

    Parameters
    ----------
    digest:
        Of its manifest, ``sha256:...``; a part of an artifact (`load --file`) has one of its own.
    size:
        In bytes.
    files:
        How many; None of one that was left half built.
    used:
        When it was last asked for, in seconds since 1970.
    """

    digest: str
    size: int
    files: int | None
    used: float


class Checked(NamedTuple):
    """What `verify` found of an artifact.

    Parameters
    ----------
    damaged:
        The paths of files that are damaged, missing, or do not belong there; the artifact was removed for them.
    """

    digest: str
    size: int
    damaged: Sequence[str]


def kept(shelf: Shelf) -> list[Kept]:
    """List what the cache holds, the most recently used first."""
    with in_words("read the cache", shelf.root):
        found = [_kept(shelf, name, shelf.artifact(name), built=True) for name in shelf.names()]
        found += [_kept(shelf, name, shelf.building(name), built=False) for name in shelf.names("building")]
    return sorted(found, key=lambda each: each.used, reverse=True)


def prune(shelf: Shelf, limit: int | None, *, unused_for: float = IN_USE) -> list[Kept]:
    """Remove what was not used for longest, until the rest fits.

    What was handed out lately, and what is being built or handed out at this moment, stays, even if that is more than
    the limit.

    Parameters
    ----------
    limit:
        Bytes to keep at most; None: a fifth of the disk.
    unused_for:
        Seconds for which it must not have been handed out.

    Returns
    -------
    What was removed.
    """
    removed: list[Kept] = []
    with in_words("prune the cache", shelf.root):
        if not shelf.root.exists():  # nothing was ever kept here
            return removed
        there = kept(shelf)
        total, most = sum(each.size for each in there), _fifth_of_disk(shelf.root) if limit is None else limit
        now = shelf.now()
        for each in reversed(there):
            leftover = each.files is None
            if (total > most or leftover) and _remove(shelf, each, now - unused_for):
                total -= each.size
                removed.append(each)
        shelf.clear_leftovers()
    return removed


def verify(shelf: Shelf, *, progress: Progress = NO_PROGRESS) -> Iterator[Checked]:
    """Hash every file of every artifact again, and remove the artifacts of which one is not what it should be."""
    for name in shelf.names():
        with in_words("verify the cache", shelf.root):
            with shelf.sharing(name) as unchanged:
                if not unchanged:  # being made at this moment, which hashes it
                    continue
                found = _check(shelf, name, progress)
            if found is None:
                continue
            if found.damaged:
                with shelf.changing(name):
                    again = _check(shelf, name, NO_PROGRESS)
                    if again is not None and again.damaged:  # neither pruned nor mended while we waited
                        shelf.remove(name)
        yield found


def _kept(shelf: Shelf, name: str, folder: Path, *, built: bool) -> Kept:
    files = shelf.memo(name).files if built else {}
    try:
        size = sum(map(size_in, files.values()))
    except (ValueError, AttributeError, IndexError):  # a memo that is damaged
        files = {}
    if not files:
        files = listing(folder)
        size = sum(map(size_in, files.values()))
    return Kept(f"sha256:{name}", size, len(files) if built else None, shelf.last_used(name))


def _remove(shelf: Shelf, each: Kept, before: float) -> bool:
    """Remove an artifact that was last used before some time and is not in use now."""
    name = each.digest.removeprefix("sha256:")
    with shelf.changing(name, wait=False) as alone:
        if not alone or shelf.last_used(name) > before:
            return False
        shelf.remove(name)
    return True


def _check(shelf: Shelf, name: str, progress: Progress) -> Checked | None:
    """Hash an artifact's files; None where it was pruned since it was listed, even if one begins to make it again."""
    folder = shelf.artifact(name)
    if not os.path.lexists(folder):
        return None
    there, manifest = listing(folder), shelf.manifest(name)
    if manifest is None:
        return Checked(f"sha256:{name}", 0, ["its manifest"])
    damaged = sorted(there.keys() - {entry.path for entry in manifest.files})
    damaged += [entry.path for entry in manifest.files if not _is_good(folder, entry, progress)]
    return Checked(manifest.digest, sum(entry.size for entry in manifest.files), damaged)


def _is_good(folder: Path, entry: FileEntry, progress: Progress) -> bool:
    with suppress(OSError):  # not there, or a link, or the disk cannot read it
        descriptor = open_regular(folder / entry.path)
        try:
            return hash_file(descriptor, progress) == (entry.sha256, entry.size)
        finally:
            os.close(descriptor)
    return False


def _fifth_of_disk(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_frsize * status.f_blocks // _SHARE
