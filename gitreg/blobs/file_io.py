"""File copies and hashes in constant memory, in parallel; a final name never shows wrong or partial content."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from gitreg import system
from gitreg.errors import OvertakenError
from gitreg.progress import Progress

PARTIAL = ".gitreg-{}.partial"
"""Name pattern of a file or folder that is not complete yet."""

_A_DAY = 86_400.0  # seconds
_STEP = 8 << 20  # bytes copied before they are hashed
_BUFFER = 256 << 10  # bytes hashed at a time; fits the processor's cache

# Errors of the kernel's copy for unsupported pairs of files (two file systems, some network mounts): read and write.
_NO_KERNEL_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM, errno.ETXTBSY}


NO_HARDLINK = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP}
"""Errors of a file system that cannot create a hardlink to a file."""


def open_regular(path: Path | str) -> int:
    """Open a regular file for reading and return its descriptor; links are not followed, pipes do not block.

    Raises
    ------
    OSError
        As from `os.open`; EINVAL if the path is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | system.NO_LINK | system.NO_WAIT | system.CLOSED_TO_CHILDREN)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
    return descriptor


def hash_file(descriptor: int, progress: Progress) -> tuple[str, int]:
    """Return the sha256 of a whole file, and its number of bytes."""
    digest, position, buffer = sha256(), 0, bytearray(_BUFFER)
    view = memoryview(buffer)
    while count := system.read_into(descriptor, buffer, position):
        digest.update(view[:count])
        position += count
        progress.advance(count)
    return digest.hexdigest(), position


def copy(source: int, target: int, progress: Progress) -> int:
    """Copy one open file to another, with shared blocks if the file system supports it; return the number of bytes."""
    end = 0
    for position in _copy(source, target):
        progress.advance(position - end)
        end = position
    return end


def copy_hashed(source: int, target: int, progress: Progress, *, durable: bool) -> tuple[str, int]:
    """Copy one open file to another and hash the copy.

    The target is read back and hashed, close behind the copy: the digest is that of the bytes actually written. The
    hash runs in the caller's thread, copy and fsync in another one; all of them release the GIL.

    Parameters
    ----------
    source:
        Descriptor of the file to copy.
    target:
        Descriptor of an empty file, open for reading and writing.
    durable:
        True to fsync the target.

    Returns
    -------
    The sha256 of the target and its number of bytes.
    """
    ends: SimpleQueue[int | None] = SimpleQueue()
    failed: list[BaseException] = []
    given_up: list[bool] = []

    def write() -> None:
        try:
            for end in _copy(source, target):
                ends.put(end)
                if given_up:
                    return
            ends.put(None)  # before the fsync, so that hashing need not wait for the disk
            if durable:
                system.sync(target)
        except BaseException as error:  # handed to the thread that waits below
            failed.append(error)
            ends.put(None)

    writer = Thread(target=write, name="gitreg-copy")
    digest, position, buffer = sha256(), 0, bytearray(_BUFFER)
    view = memoryview(buffer)
    writer.start()
    try:
        while (end := ends.get()) is not None:
            while position < end:
                count = system.read_into(target, view[: min(_BUFFER, end - position)], position)
                if not count:
                    raise OSError(errno.EIO, "the copy is shorter than what was written to it")
                digest.update(view[:count])
                position += count
                progress.advance(count)
    finally:
        given_up.append(True)
        writer.join()
    if failed:
        raise failed[0]
    return digest.hexdigest(), position


def _copy(source: int, target: int) -> Iterator[int]:
    """Copy step by step, or by sharing blocks at once; yield the number of bytes copied so far."""
    if system.clone(source, target):
        yield os.fstat(target).st_size
        return
    end = 0
    with suppress(AttributeError):  # neither macOS nor Windows has copy_file_range
        try:
            while count := os.copy_file_range(source, target, _STEP, end, end):
                end += count
                yield end
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    buffer = bytearray(_BUFFER)
    view = memoryview(buffer)
    while count := system.read_into(source, buffer, end):
        write_all(target, view[:count], end)
        end += count
        yield end


def read_range(descriptor: int, start: int, stop: int) -> bytes:
    """Return the bytes from start to stop; fewer if the file ends earlier."""
    data = system.read_at(descriptor, stop - start, start)
    if len(data) == stop - start or not data:
        return data
    parts = [data]  # one call reads at most 2 GiB, and less at the end
    start += len(data)
    while start < stop and (data := system.read_at(descriptor, stop - start, start)):
        parts.append(data)
        start += len(data)
    return b"".join(parts)


def write_all(target: int, data: bytes | bytearray | memoryview, start: int) -> None:
    """Write all bytes at an offset, in several calls if needed: an almost full disk accepts a part first."""
    view = memoryview(data)
    while view:
        count = system.write_at(target, view, start)
        view, start = view[count:], start + count


def begin_sync(descriptor: int, start: int, length: int) -> None:
    """Start writing a range of a file to the disk in the background, so that a later fsync has little to do.

    Linux starts the writing when it is told that the pages are not needed; dirty pages stay in memory.
    """
    with suppress(AttributeError, OSError):  # not on macOS, and not on every file system
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def writing(target: Path | str, *, executable: bool, fresh: bool) -> AbstractContextManager[int]:
    """Return a context manager with a descriptor to write a new file; if the body fails, no file remains.

    Parameters
    ----------
    fresh:
        True if the folder is private to this process: then the file is written under its own name, at half the cost.

    Raises
    ------
    OvertakenError
        Something with that name exists by the end of the body; it is left alone.
    """
    return _creating(target, executable) if fresh else _partial(Path(target), executable, take_name)


def _new_file(path: Path | str, executable: bool) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | system.CLOSED_TO_CHILDREN
    return os.open(path, flags, 0o777 if executable else 0o666)


@contextmanager
def _creating(target: Path | str, executable: bool) -> Iterator[int]:
    descriptor = _new_file(target, executable)
    try:
        yield descriptor
    except BaseException:
        with suppress(PermissionError):  # Windows removes no open file, and whoever builds the folder starts anew
            os.unlink(target)
        raise
    finally:
        os.close(descriptor)


def replacing(target: Path) -> AbstractContextManager[int]:
    """Return a context manager with a descriptor to write a file that replaces the target when the body succeeds."""
    return _partial(target, False, system.replace)


@contextmanager
def _partial(target: Path, executable: bool, finish: Callable[[Path, Path], None]) -> Iterator[int]:
    """Write a file under a temporary name, which survives a `kill -9` until `remove_leftovers` removes it."""
    partial, descriptor = begin(target.parent, lambda path: _new_file(path, executable))
    # Kept until the rename, where that is possible; closing the other one reports errors of network mounts.
    lock = os.dup(descriptor) if system.POSIX else None
    try:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        finish(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def take_name(partial: Path, target: Path) -> None:
    """Rename a file within its file system, without replacing anything.

    Raises
    ------
    OvertakenError
        The target exists; it is left alone.
    """
    try:
        os.link(partial, target, follow_symlinks=False)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise OvertakenError(target) from None
    except OSError as error:
        if error.errno not in NO_HARDLINK:
            raise
        if os.path.lexists(target):
            raise OvertakenError(target) from None
        os.rename(partial, target)  # such a file system offers nothing better
    else:
        partial.unlink()


def begin(parent: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Create a file or folder with a partial name, and lock it; the lock shows that its writer is alive.

    Parameters
    ----------
    make:
        Creates a file or folder at a path, opens it and returns the descriptor.

    Returns
    -------
    Its path, and the descriptor that keeps the lock until it is closed.
    """
    attempts = 100
    while True:
        attempts -= 1
        path = parent / PARTIAL.format(os.urandom(8).hex())
        try:
            descriptor = make(path)
        except FileNotFoundError:  # removed as a leftover before it was opened
            if not attempts:
                raise
            continue
        with suppress(OSError):  # a file system without locks
            if system.POSIX:  # on Windows an open file cannot be removed
                system.lock(descriptor)
        if os.path.lexists(path):
            return path, descriptor
        os.close(descriptor)  # removed as a leftover before it was locked


def remove_leftovers(folder: Path) -> None:
    """Remove the partial files and folders of killed writers from a folder; those of live writers are locked."""
    if not system.POSIX:
        _remove_leftovers(folder)
        return
    for partial in folder.glob(PARTIAL.format("*")):
        with suppress(OSError):  # its writer holds the lock, or has just finished
            descriptor = os.open(partial, os.O_RDONLY | system.NO_LINK | system.CLOSED_TO_CHILDREN)
            try:
                if not system.lock(descriptor, wait=False):
                    continue
                if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    _remove_folder(partial)
                else:
                    partial.unlink()
            finally:
                os.close(descriptor)


def _remove_leftovers(folder: Path) -> None:
    """Remove partial files that no process has open, and folders of yesterday, which no process may still fill."""
    for partial in folder.glob(PARTIAL.format("*")):
        with suppress(OSError):
            if not partial.is_dir():
                partial.unlink()
            elif time.time() - partial.stat().st_mtime > _A_DAY:
                _remove_folder(partial)


def _remove_folder(folder: Path) -> None:
    from shutil import rmtree  # slow to import; there is seldom anything to remove

    rmtree(folder)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk, if its file system supports that."""
    if not system.POSIX:
        return
    descriptor = os.open(folder, os.O_RDONLY | system.A_FOLDER | system.CLOSED_TO_CHILDREN)
    try:
        system.sync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
