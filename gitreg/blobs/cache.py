"""The cache of a machine: artifacts as read-only folders by their digest, shared by its registries and processes.

``artifacts/<hex>/`` holds an artifact's files, ``building/<hex>/`` one that is being made, ``memos/<hex>.json`` what
was verified, ``locks/`` one lock file for each artifact that was made.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gitreg.blobs import copying
from gitreg.blobs.destination import files_to_write
from gitreg.blobs.faults import in_words
from gitreg.blobs.files import FileEntry, check_paths
from gitreg.blobs.manifest import manifest_digest
from gitreg.blobs.memo import Memo
from gitreg.blobs.parallel import in_parallel
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import BlobStore
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
        self, digest: str, files: Sequence[FileEntry], store: BlobStore, *, progress: Progress = NO_PROGRESS
    ) -> Path:
        """Return a read-only folder that holds exactly these files, verified.

        The first call copies them from the store; the next ones only look whether they are as they were when they were
        hashed. What changed since is hashed again, and what is damaged is fetched again.

        Parameters
        ----------
        digest:
            ``sha256:`` and the hexadecimal digest of the files' manifest.

        Raises
        ------
        IntegrityError
            The digest is not that of the files, or the store holds one of them not at all or damaged.
        InvalidInput
            The paths cannot stand in one folder (`check_paths`).
        """
        check_paths(entry.path for entry in files)
        if manifest_digest(files) != digest:
            raise IntegrityError(
                f"the record's files do not have the digest {digest} that it gives for them",
                hint="the record was changed by hand: run gitreg doctor",
            )
        name = _name(digest)
        folder = self._folder / "artifacts" / name
        with in_words(_USE, self._folder):
            if not _is_whole(folder, files, self._memo(name)):
                with self._lock(name):
                    self._make(name, folder, files, store, progress)
        return folder

    def export(
        self, files: Sequence[FileEntry], store: BlobStore, dest: Path, *, progress: Progress = NO_PROGRESS
    ) -> None:
        """Write the files, verified, into the user's own folder; they are the user's to change.

        They come from the cache where it holds them verified, else from a store on this machine, else through the
        cache. Files that are there with the same content stay as they are.

        Raises
        ------
        Refused
            A file of another content, or a symbolic link, is in the way; nothing was written then.
        IntegrityError
            The store holds one of them not at all or damaged; those that were written are whole.
        """
        missing = files_to_write(dest, files, progress)
        name = _name(manifest_digest(files))
        cached = self._folder / "artifacts" / name
        if any(store.local_path(entry.sha256) is None for entry in missing):
            self.checkout(f"sha256:{name}", files, store, progress=progress)
        memo = self._memo(name)

        def write(entry: FileEntry) -> None:
            target = dest / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            local = store.local_path(entry.sha256)
            if _copy_trusted(entry, cached / entry.path, entry.path, target, memo=memo, progress=progress):
                return
            if local and _copy_trusted(entry, local, str(local), target, memo=memo, progress=progress):
                return
            before = local.stat() if local else None
            store.fetch(entry, target, progress=progress)
            if local and before:
                memo.remember_unchanged(str(local), entry.sha256, before, local.stat())

        with in_words("write the files", dest):
            for folder in {(dest / entry.path).parent for entry in missing}:
                copying.remove_leftovers(folder)
            in_parallel(write, missing)
        memo.save()

    def _make(self, name: str, folder: Path, files: Sequence[FileEntry], store: BlobStore, progress: Progress) -> None:
        """Make the artifact's folder whole: mend it in place, or build it aside, going on where a killed one ended."""
        memo = self._memo(name)
        base = folder if folder.is_dir() else self._folder / "building" / name
        base.mkdir(parents=True, exist_ok=True)
        wanted = {entry.path for entry in files}
        for path, status in _listing(base).items():
            if path not in wanted or not stat.S_ISREG(status.st_mode):
                (base / path).unlink()
        in_parallel(lambda entry: _mend(base / entry.path, entry, store, memo, progress), files)
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


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:")


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


def _mend(path: Path, entry: FileEntry, store: BlobStore, memo: Memo, progress: Progress) -> None:
    """Make sure that the file in the cache is what the entry says, read-only, and known to be so."""
    if path.is_dir():  # nothing but folders in it: all else was removed
        for folder, _, _ in os.walk(path, topdown=False):
            os.rmdir(folder)
    elif os.path.lexists(path) and not _seal(path, entry, memo, progress):
        path.unlink()
    if not os.path.lexists(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        store.fetch(entry, path, progress=progress)
        _seal(path, entry, memo, None)


def _seal(path: Path, entry: FileEntry, memo: Memo, verify: Progress | None) -> bool:
    """Take the right to write away and remember the file; False where `verify` finds it damaged."""
    descriptor = copying.open_regular(path)
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


def _copy_trusted(entry: FileEntry, source: Path, name: str, target: Path, *, memo: Memo, progress: Progress) -> bool:
    """Copy a file that was hashed before and did not change since; False where there is none."""
    try:
        descriptor = copying.open_regular(source)
    except OSError:  # not there, or a link: the caller has another way
        return False
    try:
        if not memo.trusts(name, entry.sha256, os.fstat(descriptor)):
            return False
        with copying.replacing(target, executable=entry.executable) as copy:
            size = copying.copy(descriptor, copy, progress)
            if size != entry.size or not memo.trusts(name, entry.sha256, os.fstat(descriptor)):
                raise IntegrityError(f"{source} changed while it was copied", hint="run it again")
        return True
    finally:
        os.close(descriptor)
