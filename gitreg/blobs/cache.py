"""The cache of a machine: artifacts as read-only folders by their digest, shared by its registries and processes.

``artifacts/<hex>/`` holds an artifact's files, ``building/<hex>/`` one that is being made, ``memos/<hex>.json`` what
was verified, ``locks/`` one lock file for each artifact that was made.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitreg.blobs import copying
from gitreg.blobs.destination import files_to_write
from gitreg.blobs.faults import in_words
from gitreg.blobs.files import FileEntry, check_paths
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.memo import Memo
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.source import Source
from gitreg.blobs.store import Target
from gitreg.errors import IntegrityError

_USE = "use the cache"


class Cache:
    """Verified artifacts on this machine.

    Parameters
    ----------
    folder:
        Where to keep them; made when it is first needed, and safe to delete while nobody uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkout(
        self,
        manifest: Manifest,
        store: Source,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> Path:
        """Return a read-only folder that holds exactly these files, verified.

        The first call copies them from the store; the next ones only look whether they are as they were when they were
        hashed. What changed since is hashed again, and what is damaged is fetched again.

        Parameters
        ----------
        paths:
            Only these of the files; they get a folder of their own. None takes all.

        Raises
        ------
        IntegrityError
            The store holds one of the files not at all or damaged.
        InvalidInput
            The paths cannot stand in one folder (`check_paths`).
        """
        part = manifest if paths is None else Manifest.of(e for e in manifest.files if e.path in paths)
        check_paths(entry.path for entry in part.files)
        folder = self._folder / "artifacts" / part.hex
        with in_words(_USE, self._folder):
            if not _is_whole(folder, part.files, self._memo(part.hex)):
                with self._lock(part.hex):
                    self._make(manifest, part, folder, store, progress)
        return folder

    def export(
        self,
        manifest: Manifest,
        store: Source,
        dest: Path,
        paths: Collection[str] | None = None,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> None:
        """Write the files, verified, into the user's own folder; they are the user's to change.

        They come from the cache where it holds them verified, else from a store on this machine, else through the
        cache. Files that are there with the same content stay as they are.

        Parameters
        ----------
        paths:
            Only these of the files. None takes all.

        Raises
        ------
        Refused
            A file of another content, or a symbolic link, is in the way; nothing was written then.
        IntegrityError
            The store holds one of them not at all or damaged; those that were written are whole.
        """
        part = manifest if paths is None else Manifest.of(e for e in manifest.files if e.path in paths)
        targets = [Target(entry, dest / entry.path) for entry in files_to_write(dest, part.files, progress)]
        if not store.local:
            self.checkout(manifest, store, paths, progress=progress)
        cached = self._folder / "artifacts" / part.hex
        memo = self._memo(part.hex)
        with in_words("write the files", dest), threads() as pool:
            for folder in {target.path.parent for target in targets}:
                folder.mkdir(parents=True, exist_ok=True)
                copying.remove_leftovers(folder)
            copied = ahead(pool, lambda target: _copy_trusted(target, cached, memo, progress), targets)
            absent = [target for target, done in zip(targets, copied, strict=True) if not done]
        if absent:
            store.fetch(manifest, absent, progress=progress)

    def _make(self, manifest: Manifest, part: Manifest, folder: Path, store: Source, progress: Progress) -> None:
        """Make the artifact's folder whole: mend it in place, or build it aside, going on where a killed one ended."""
        memo = self._memo(part.hex)
        base = folder if folder.is_dir() else self._folder / "building" / part.hex
        base.mkdir(parents=True, exist_ok=True)
        wanted = {entry.path for entry in part.files}
        for path, status in _listing(base).items():
            if path not in wanted or not stat.S_ISREG(status.st_mode):
                (base / path).unlink()
        targets = [Target(entry, base / entry.path) for entry in part.files]
        absent = [target for target in targets if not _is_good(target, memo, progress)]
        for parent in {target.path.parent for target in absent}:
            parent.mkdir(parents=True, exist_ok=True)
        store.fetch(manifest, absent, progress=progress)
        for target in absent:
            _seal(target, memo, None)
        memo.save()
        if base != folder:
            folder.parent.mkdir(exist_ok=True)
            os.rename(base, folder)

    def _memo(self, name: str) -> Memo:
        return Memo(self._folder / "memos" / f"{name}.json")

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """One process at a time makes an artifact; the others wait and find it made."""
        from filelock import FileLock

        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{name}.lock"):
            yield


def _is_whole(folder: Path, files: Sequence[FileEntry], memo: Memo) -> bool:
    found = _listing(folder)
    return len(found) == len(files) and all(
        entry.path in found and memo.trusts(entry.path, entry.sha256, found[entry.path]) for entry in files
    )


def _listing(folder: Path) -> dict[str, os.stat_result]:
    """Everything below a folder that is no folder, by its path; links are not followed."""
    found: dict[str, os.stat_result] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(folder / prefix) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{prefix}{entry.name}/")
                    else:
                        found[prefix + entry.name] = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # not made yet, or mended by another process at this moment
            continue
    return found


def _is_good(target: Target, memo: Memo, progress: Progress) -> bool:
    """Whether the file is in the cache and what it should be; what stands in its place is removed."""
    path = target.path
    if path.is_dir():  # nothing but folders in it: all else was removed
        for folder, _, _ in os.walk(path, topdown=False):
            os.rmdir(folder)
    elif os.path.lexists(path):
        if _seal(target, memo, progress):
            return True
        path.unlink()
    return False


def _seal(target: Target, memo: Memo, verify: Progress | None) -> bool:
    """Take the right to write away and remember the file; False where `verify` finds it damaged."""
    entry = target.entry
    descriptor = copying.open_regular(target.path)
    try:
        before = os.fstat(descriptor)
        if memo.trusts(entry.path, entry.sha256, before):
            return True
        os.fchmod(descriptor, 0o555 if entry.executable else 0o444)
        os.fsync(descriptor)  # before the memo says so
        before = os.fstat(descriptor)
        if verify and copying.hash_file(descriptor, verify) != (entry.sha256, entry.size):
            return False
        memo.remember_unchanged(entry.path, entry.sha256, before, os.fstat(descriptor))
        return True
    finally:
        os.close(descriptor)


def _copy_trusted(target: Target, folder: Path, memo: Memo, progress: Progress) -> bool:
    """Copy a file that was hashed before and did not change since; False where there is none."""
    entry = target.entry
    try:
        descriptor = copying.open_regular(folder / entry.path)
    except OSError:  # not there, or a link: the caller has another way
        return False
    try:
        if not memo.trusts(entry.path, entry.sha256, os.fstat(descriptor)):
            return False
        with copying.replacing(target.path, executable=entry.executable) as copy:
            size = copying.copy(descriptor, copy, progress)
            if size != entry.size or not memo.trusts(entry.path, entry.sha256, os.fstat(descriptor)):
                raise IntegrityError(f"{folder / entry.path} changed while it was copied", hint="run it again")
        return True
    finally:
        os.close(descriptor)
