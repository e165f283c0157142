"""A bucket that is a folder: objects are read-only files, by their keys.

``tmp/`` holds what is being written. A file is written there, synced, and only then takes its name; the folders' own
entries are synced by `sync`. (Order and checks as in "All File Systems Are Not Created Equal", OSDI 2014.)
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from gitreg.blobs import copying
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.faults import in_words
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.progress import Progress

Answer = TypeVar("Answer")

_TEMPORARY = "tmp/"
_ATTEMPTS = 20  # to do something in a folder that others make at the same moment
_SAVE = "save to the store"
_READ = "read the store"
_CLEAN = "clean up the store"
_NO_REGULAR_FILE = {errno.EINVAL, errno.ELOOP, errno.ENXIO}  # what opening a folder or pipe, link, socket gives


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

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket. What is no regular file holds no bytes: then it is not what its name says."""
        with in_words(_READ, self.root):
            try:
                descriptor = copying.open_regular(self._path(key))
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None
            except OSError as error:
                if error.errno in _NO_REGULAR_FILE:
                    return b""
                raise
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
            for parent, _, names in os.walk(self.root / prefix, onerror=_unless_gone):
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

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
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
                    os.utime(self._path(key), follow_symlinks=False)
                self._publish(self._path(key), to)
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""
        with in_words(_CLEAN, self.root):
            for key in keys:
                self._path(key).unlink(missing_ok=True)

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. The files were synced before they took their names: here it is the names.

        Several folders at once: a file system with a journal writes it once for all who wait for it (26 folders of
        ext4: 6 ms, and 62 one after another).
        """
        folders = {self._path(folder) for folder in {key.rpartition("/")[0] for key in keys}}
        folders |= {parent for folder in folders for parent in folder.parents if parent.is_relative_to(self.root)}
        with in_words(_SAVE, self.root), threads() as pool:
            for _ in ahead(pool, copying.sync_folder, sorted(folders)):
                pass

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

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, int]]:
        """Make a file that takes a key's place when it is published, and is thrown away where it is not."""
        folder = self.root / _TEMPORARY
        path = folder / os.urandom(8).hex()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = self._in(folder, lambda: os.open(path, flags))
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
            self._in(target.parent, lambda: os.rename(path, target))
        except IsADirectoryError as error:
            raise IsADirectoryError(error.errno, error.strerror, str(target)) from None  # that is what is in the way

    def _in(self, folder: Path, act: Callable[[], Answer]) -> Answer:
        """Do something in a folder, which is made where it is not there.

        It may take several attempts: who makes the folder at the same moment replaces ours while it is empty.
        """
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                return act()
            with suppress(FileNotFoundError):
                self._make(folder)
        return act()

    def _make(self, folder: Path) -> None:
        """Make a folder that is as open as the one it lies in, whatever the umask: a store may be a team's."""
        if folder == self.root:
            absent = [each for each in (folder, *folder.parents) if not each.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            for each in absent:
                with suppress(PermissionError):  # to read what it may write to
                    copying.sync_folder(each.parent)
            return
        self._make(folder.parent)
        if folder.exists():
            return
        temporary = self.root / _TEMPORARY
        if folder != temporary:
            self._make(temporary)
        # It gets its name when it is open to all: a writer that is killed before locks nobody out.
        aside = (self.root if folder == temporary else temporary) / f".{os.urandom(8).hex()}"
        aside.mkdir()
        try:
            aside.chmod(stat.S_IMODE(folder.parent.stat().st_mode))
            os.rename(aside, folder)
        except OSError:
            aside.rmdir()
            if not folder.exists():  # else another process has made it, and written to it
                raise


def _unless_gone(error: OSError) -> None:
    """Let a listing that cannot be whole fail, but for folders that are not there, or no more."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    """Describe a file; what is no regular file is no object, and is told apart by a size that no object has."""
    return ObjectInfo(key, status.st_size if stat.S_ISREG(status.st_mode) else -1, status.st_mtime)
