"""A bucket in a local folder: each object is a read-only file whose path is its key.

A file is written and synced in ``tmp/``, and only then renamed to its key; the folders' own entries are synced by
`sync`. (Order and checks as in "All File Systems Are Not Created Equal", OSDI 2014.)
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

from gitreg import system
from gitreg.blobs import file_io
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.blobs.parallel import ahead, threads
from gitreg.progress import NO_PROGRESS, Progress

Answer = TypeVar("Answer")

_TEMPORARY = "tmp/"
_ATTEMPTS = 20  # while other processes create the same folder
_SAVE = "save to the store"
_READ = "read the store"
_CLEAN = "clean up the store"
_NO_REGULAR_FILE = {errno.EINVAL, errno.ELOOP, errno.ENXIO}  # errors of opening a folder or pipe, link, socket


class FolderBucket:
    """Objects as files below a folder; the first write creates the folder.

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
        """See Bucket. Anything but a regular file reads as empty, so that its digest does not match."""
        with readable_os_errors(_READ, self.root):
            try:
                descriptor = file_io.open_regular(self._path(key))
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None
            except OSError as error:
                if error.errno in _NO_REGULAR_FILE:
                    return b""
                raise
            try:
                end = os.fstat(descriptor).st_size if stop is None else stop
                return file_io.read_range(descriptor, start, max(start, end))
            finally:
                os.close(descriptor)

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        found = {}
        with readable_os_errors(_READ, self.root):
            for key in keys:
                with suppress(FileNotFoundError):
                    found[key] = _info(key, os.lstat(self._path(key)))
        return found

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket."""
        with readable_os_errors(_READ, self.root):
            for parent, _, names in os.walk(self.root / prefix, onerror=_unless_gone):
                folder = os.path.relpath(parent, self.root).replace(os.sep, "/")
                for name in sorted(names):
                    with suppress(FileNotFoundError):  # removed at this moment
                        yield _info(f"{folder}/{name}", os.lstat(os.path.join(parent, name)))

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        with readable_os_errors(_READ, self.root):
            path = self._path(key)
            return path if os.path.lexists(path) else None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """See Bucket."""
        with readable_os_errors(_SAVE, self.root), self._temporary() as (path, descriptor):
            file_io.write_all(descriptor, data, 0)
            system.sync(descriptor)
            self._publish(path, key)

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket. The copy shares blocks with its source (reflink) if the file system supports it.

        An object that exists is read, and replaced where it has rotten.
        """
        with readable_os_errors(_SAVE, self.root), self._temporary() as (path, descriptor):
            digest, size = file_io.copy_hashed(source, descriptor, progress, durable=True)
            key = name(digest)
            if self._sha256(key) != digest:
                self._publish(path, key)
        return digest, size

    def _sha256(self, key: str) -> str | None:
        """Return the sha256 of an object; None if it does not exist or is no regular file."""
        try:
            descriptor = file_io.open_regular(self._path(key))
        except OSError as error:
            if error.errno in {errno.ENOENT, *_NO_REGULAR_FILE}:
                return None
            raise
        try:
            return file_io.hash_file(descriptor, NO_PROGRESS)[0]
        finally:
            os.close(descriptor)

    def move(self, key: str, to: str) -> None:
        """See Bucket."""
        with readable_os_errors(_CLEAN, self.root):
            try:
                with suppress(PermissionError):  # another user's file keeps its mtime
                    os.utime(self._path(key), follow_symlinks=False)
                self._publish(self._path(key), to)
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""
        with readable_os_errors(_CLEAN, self.root):
            for key in keys:
                self._path(key).unlink(missing_ok=True)

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. The files were synced before their renames; this syncs the folders' entries.

        Several folders are synced at once: a journaling file system writes its journal once for all waiting threads
        (26 folders on ext4: 6 ms, against 62 ms one after another).
        """
        folders = {self._path(folder) for folder in {key.rpartition("/")[0] for key in keys}}
        folders |= {parent for folder in folders for parent in folder.parents if parent.is_relative_to(self.root)}
        with readable_os_errors(_SAVE, self.root), threads() as pool:
            for _ in ahead(pool, file_io.sync_folder, sorted(folders)):
                pass

    # -- leftovers ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket."""
        with readable_os_errors(_CLEAN, self.root), self._temporary() as (_, descriptor):
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
        """Create a temporary file, and remove it at the end unless it was published."""
        folder = self.root / _TEMPORARY
        path = folder / os.urandom(8).hex()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | system.CLOSED_TO_CHILDREN
        descriptor = self._in(folder, lambda: os.open(path, flags))
        try:
            system.set_mode(descriptor, 0o444)  # whatever the umask: a store may be a team's
            yield path, descriptor
        finally:
            os.close(descriptor)
            with suppress(OSError):  # published, or removed later by gc
                path.unlink()

    def _publish(self, path: Path, key: str) -> None:
        """Rename a file to its key; `sync` makes the rename survive a power failure."""
        target = self._path(key)
        try:
            self._in(target.parent, lambda: os.rename(path, target))
        except IsADirectoryError as error:
            raise IsADirectoryError(error.errno, error.strerror, str(target)) from None  # name the obstacle

    def _in(self, folder: Path, act: Callable[[], Answer]) -> Answer:
        """Call a function that needs a folder; create the folder if it is missing.

        This may take several attempts: another process that creates the folder may replace ours while it is empty.
        """
        for _ in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                return act()
            with suppress(FileNotFoundError):
                self._make(folder)
        return act()

    def _make(self, folder: Path) -> None:
        """Create a folder with its parent's permissions, whatever the umask: a team may share the store."""
        if folder == self.root:
            absent = [each for each in (folder, *folder.parents) if not each.exists()]
            folder.mkdir(parents=True, exist_ok=True)
            for each in absent:
                with suppress(PermissionError):  # a parent that is writable but not readable
                    file_io.sync_folder(each.parent)
            return
        self._make(folder.parent)
        if folder.exists():
            return
        temporary = self.root / _TEMPORARY
        if folder != temporary:
            self._make(temporary)
        # The rename comes after the chmod: a process that is killed in between leaves no folder that locks others out.
        aside = (self.root if folder == temporary else temporary) / f".{os.urandom(8).hex()}"
        aside.mkdir()
        try:
            aside.chmod(stat.S_IMODE(folder.parent.stat().st_mode))
            os.rename(aside, folder)
        except OSError:
            aside.rmdir()
            if not folder.exists():  # otherwise another process created it first
                raise


def _unless_gone(error: OSError) -> None:
    """Raise an error of a listing, unless the folder is missing."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    """Return the description of a file; anything but a regular file gets the impossible size -1."""
    return ObjectInfo(key, status.st_size if stat.S_ISREG(status.st_mode) else -1, status.st_mtime)
