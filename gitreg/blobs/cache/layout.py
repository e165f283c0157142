"""The layout of the cache on disk, and its locks.

For each artifact, by the sha256 of its manifest::

    artifacts/<hex>/    its files
    building/<hex>/     the same while it is being built
    manifests/<hex>     its manifest
    memos/<hex>.json    the stat cache of its files; its mtime is the time of the artifact's last use
    locks/<hex>         a lock, shared for reading the artifact, exclusive for building or removing it
    removed/            files that are being deleted

Times are those of the file system, so that machines with different clocks can share a cache.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg import system
from gitreg.blobs.cache.artifact_stats import ArtifactStats, StatKey, read_stats, stat_key, write_stats
from gitreg.blobs.file_io import remove_leftovers, replacing, write_all
from gitreg.blobs.manifest import Manifest
from gitreg.errors import GitregError


class CacheLayout:
    """The folders of a cache, created at the first use."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._in_place: dict[str, ArtifactStats] = {}  # of artifacts that may not be written, verified by this process

    def artifact(self, name: str) -> Path:
        """Return the folder of an artifact's files."""
        return self.root / "artifacts" / name

    def building(self, name: str) -> Path:
        """Return the folder in which an artifact is built."""
        return self.root / "building" / name

    def names(self, folder: str = "artifacts") -> list[str]:
        """Return the sorted names of the complete artifacts, or of those in ``building``."""
        with suppress(FileNotFoundError):
            return sorted(os.listdir(self.root / folder))
        return []

    # -- stat cache and manifest -------------------------------------------------------------------------------------

    def stats(self, name: str) -> ArtifactStats:
        """Return the stat cache of an artifact."""
        return self._in_place.get(name) or read_stats(self._stats_file(name))

    def is_whole(self, name: str) -> bool:
        """Return whether an artifact's files are exactly those in its stat cache, unchanged and without extra files."""
        stats = self.stats(name)
        return bool(stats.files) and stats.holds and listing(self.artifact(name)) == stats.files

    def note(self, name: str, manifest: Manifest, stats: ArtifactStats) -> None:
        """Write the stat cache of an artifact, and its manifest if that is missing or damaged."""
        for path in (self._stats_file(name), self._manifest(name)):
            path.parent.mkdir(parents=True, exist_ok=True)
        if _content(self._manifest(name)) != manifest.text:  # missing or damaged: a power failure may empty it
            with replacing(self._manifest(name)) as descriptor:
                write_all(descriptor, manifest.text, 0)
        write_stats(self._stats_file(name), stats)

    def note_in_place(self, name: str, files: dict[str, StatKey]) -> None:
        """Keep the stat cache of some files in memory: their artifact may not be written."""
        known = self.stats(name)
        self._in_place[name] = ArtifactStats({**(known.files if known.holds else {}), **files})

    def manifest(self, name: str) -> Manifest | None:
        """Return the manifest of an artifact; None if it is missing or damaged."""
        try:
            manifest = Manifest.parse(self._manifest(name).read_bytes())
        except (OSError, GitregError):
            return None
        return manifest if manifest.hex == name else None

    def note_use(self, name: str) -> None:
        """Record the use of an artifact, for eviction; a read-only cache is never evicted from this machine."""
        with suppress(OSError):
            os.utime(self._stats_file(name))

    def last_used(self, name: str) -> float:
        """Return the time of an artifact's last use in seconds since 1970; without a stat cache, its folder's mtime."""
        for path in (self._stats_file(name), self.artifact(name), self.building(name)):
            with suppress(FileNotFoundError):
                return path.stat().st_mtime
        return 0.0

    def now(self) -> float:
        """Return the present time in seconds since 1970, by the same clock as `last_used`."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / "now"
        path.touch()
        return path.stat().st_mtime

    def _stats_file(self, name: str) -> Path:
        return self.root / "memos" / f"{name}.json"

    def _manifest(self, name: str) -> Path:
        return self.root / "manifests" / name

    def is_writable(self, name: str) -> bool:
        """Return whether this process may change an artifact: not if it is another user's, or on a read-only disk."""
        folders = (self.artifact(name), self.root / "memos", self.root / "locks")
        return all(os.access(path, os.W_OK) for path in folders if path.exists())

    # -- locks -------------------------------------------------------------------------------------------------------

    @contextmanager
    def sharing(self, name: str) -> Iterator[bool]:
        """Lock an artifact for reading, without waiting; yield False if it is being changed, or was never built.

        An artifact that may not be written is read without a lock where there is none, or none that may be opened.
        """
        try:
            descriptor = os.open(self._lock(name), os.O_RDONLY | system.CLOSED_TO_CHILDREN)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            yield not self.is_writable(name)
            return
        try:
            yield _locked(descriptor, shared=True, wait=False)
        finally:
            os.close(descriptor)

    @contextmanager
    def changing(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Lock an artifact exclusively; yield whether that succeeded.

        Parameters
        ----------
        wait:
            True to wait for the lock; otherwise False is yielded if another process has it.
        """
        path = self._lock(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | system.CLOSED_TO_CHILDREN, 0o666)
            try:
                locked = _locked(descriptor, wait=wait)
                if wait and not locked:  # the lock file was removed with its artifact while we waited
                    continue
                yield locked
                return
            finally:
                os.close(descriptor)

    def _lock(self, name: str) -> Path:
        return self.root / "locks" / name

    # -- removing ----------------------------------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Remove an artifact, complete or not, its stat cache and manifest; the caller holds its lock."""
        removed = self.root / "removed"
        removed.mkdir(exist_ok=True)
        for folder in (self.artifact(name), self.building(name)):
            with suppress(FileNotFoundError):
                os.rename(folder, removed / os.urandom(8).hex())
        lock = [self._lock(name)] if system.POSIX else []  # Windows removes no open file
        for path in (self._stats_file(name), self._manifest(name), *lock):
            path.unlink(missing_ok=True)
        self.clear_leftovers()

    def clear_leftovers(self) -> None:
        """Delete removed artifacts, and the partial files of killed processes."""
        from shutil import rmtree  # slow to import

        removed = self.root / "removed"
        with suppress(FileNotFoundError):
            for name in os.listdir(removed):
                rmtree(removed / name, ignore_errors=True)
        for folder in ("memos", "manifests"):
            remove_leftovers(self.root / folder)


def _content(path: Path) -> bytes | None:
    """Return a file's bytes; None if it is missing or unreadable."""
    with suppress(OSError):
        return path.read_bytes()
    return None


def _locked(descriptor: int, *, shared: bool = False, wait: bool) -> bool:
    return system.lock(descriptor, shared=shared, wait=wait) and os.fstat(descriptor).st_nlink > 0


def listing(folder: Path) -> dict[str, StatKey]:
    """Return inode, size and ctime of every file below a folder, by its path; links are not followed."""
    found: dict[str, StatKey] = {}
    pending = [""]
    while pending:
        prefix = pending.pop()
        with _scanned(folder / prefix) as entries, suppress(FileNotFoundError):
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{prefix}{entry.name}/")
                else:
                    found[prefix + entry.name] = stat_key(entry.stat(follow_symlinks=False))
    return found


@contextmanager
def _scanned(folder: Path) -> Iterator[Iterable[os.DirEntry[str]]]:
    """Yield the entries of a folder; none if it is missing, a link, or being repaired by another process."""
    if not system.POSIX:
        entries = [] if folder.is_symlink() or not folder.is_dir() else list(os.scandir(folder))
        yield entries
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | system.A_FOLDER | system.NO_LINK | system.CLOSED_TO_CHILDREN)
    except (FileNotFoundError, NotADirectoryError):
        yield ()
        return
    try:
        with os.scandir(descriptor) as found:  # by descriptor: then the kernel looks up one name per file, not a path
            yield found
    finally:
        os.close(descriptor)
