"""A bucket that is a folder: objects are read-only files, by their keys.

``tmp/`` holds what is being written. A file is written there, synced, and only then takes its name; the folders' own
entries are synced by `sync`. (Order and checks as in "All File Systems Are Not Created Equal", OSDI 2014.)
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from gitreg.blobs import copying
from gitreg.blobs.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.faults import in_words
from gitreg.blobs.progress import Progress

_TEMPORARY = "tmp/"
_SAVE = "save to the store"
_READ = "read the store"
_CLEAN = "clean up the store"


class FolderBucket:
    """Objects as files below a folder, which is made by the first write.

    Parameters
    ----------
    root:
        An absolute path.
    """

    local = True

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = "file://" + quote(os.fsencode(root))
        self._unsynced: set[Path] = set()
        self._lock = Lock()

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""
        with in_words(_READ, self.root):
            descriptor = self._open(key)
            try:
                end = os.fstat(descriptor).st_size if stop is None else stop
                return copying.read_range(descriptor, start, max(start, end))
            finally:
                os.close(descriptor)

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        found = {}
        with in_words(_READ, self.root):
            for key in keys:
                with suppress(FileNotFoundError):
                    found[key] = _info(key, os.lstat(self._path(key)))
        return found

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket."""
        with in_words(_READ, self.root):
            for parent, _, names in os.walk(self.root / prefix):
                folder = os.path.relpath(parent, self.root)
                for name in sorted(names):
                    with suppress(FileNotFoundError):  # removed at this moment
                        yield _info(f"{folder}/{name}", os.lstat(os.path.join(parent, name)))

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        with in_words(_READ, self.root):
            path = self._path(key)
            return path if os.path.lexists(path) else None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer) -> None:
        """See Bucket."""
        with in_words(_SAVE, self.root), self._temporary() as (path, descriptor):
            copying.write_all(descriptor, data, 0)
            os.fsync(descriptor)
            self._publish(path, key)

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket. Blocks are shared where the file system can."""
        with in_words(_SAVE, self.root), self._temporary() as (path, descriptor):
            digest, size = copying.copy_hashed(source, descriptor, progress, durable=True)
            key = name(digest)
            info = self.find([key]).get(key)
            if info is None or info.size != size:
                self._publish(path, key)
        return digest, size

    def move(self, key: str, to: str) -> None:
        """See Bucket."""
        with in_words(_CLEAN, self.root):
            try:
                with suppress(PermissionError):  # another user's file: it keeps its time
                    os.utime(self._path(key))
                self._publish(self._path(key), to)
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""
        with in_words(_CLEAN, self.root):
            for key in keys:
                self._path(key).unlink(missing_ok=True)

    def sync(self) -> None:
        """See Bucket."""
        with self._lock:
            folders, self._unsynced = self._unsynced, set()
        with in_words(_SAVE, self.root):
            for folder in sorted(folders):
                copying.sync_folder(folder)

    # -- what is left behind -----------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket."""
        with in_words(_CLEAN, self.root), self._temporary() as (_, descriptor):
            return os.fstat(descriptor).st_mtime

    def unfinished(self) -> Iterator[ObjectInfo]:
        """See Bucket."""
        yield from self.list(_TEMPORARY)

    def discard(self, left: ObjectInfo) -> None:
        """See Bucket."""
        self.delete([left.key])

    # -- files -------------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self.root / key

    def _open(self, key: str) -> int:
        try:
            return copying.open_regular(self._path(key))
        except FileNotFoundError:
            raise NoSuchObjectError(key) from None

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, int]]:
        """Make a file that takes a key's place when it is published, and is thrown away where it is not."""
        folder = self.root / _TEMPORARY
        path = folder / os.urandom(8).hex()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, flags)
        try:
            os.fchmod(descriptor, 0o444)  # whatever the umask: a store may be a team's
            yield path, descriptor
        finally:
            os.close(descriptor)
            with suppress(OSError):  # published, or removed later by gc
                path.unlink()

    def _publish(self, path: Path, key: str) -> None:
        """Give a file its place; `sync` makes that survive a loss of power."""
        target = self._path(key)
        try:
            os.rename(path, target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
            with self._lock:
                self._unsynced.update(folder for folder in target.parents if folder.is_relative_to(self.root))
        with self._lock:
            self._unsynced.add(target.parent)


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    """Describe a file; what is no regular file is no object, and is told apart by a size that no object has."""
    return ObjectInfo(key, status.st_size if stat.S_ISREG(status.st_mode) else -1, status.st_mtime)
