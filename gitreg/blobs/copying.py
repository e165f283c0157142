"""Copying and hashing files: constant memory, every core used, nothing wrong ever under a final name."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from gitreg.blobs.progress import Progress
from gitreg.errors import Refused

PARTIAL = ".gitreg-{}.partial"
"""Names of what is being written and has not its own name yet."""

_STEP = 8 << 20  # bytes that are copied before the hash follows
_BUFFER = 256 << 10  # bytes hashed at a time; fits the processor's cache

# The kernel's own copy refuses some pairs of files (on two file systems, on some network mounts): read and write then.
_NO_KERNEL_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM, errno.ETXTBSY}


NO_HARDLINK = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP}
"""What a file system says that gives no hard link to a file."""


class OvertakenError(Refused):
    """Another process was quicker, so that what was looked at before writing has to be looked at again."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"{path} changed while it was to be written", hint="see who else writes there; run it again")


def open_regular(path: Path | str) -> int:
    """Open a regular file for reading and return its descriptor; never follow a link or wait for a pipe's writer.

    Raises
    ------
    OSError
        As `os.open` does; EINVAL where something else than a regular file stands there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
    return descriptor


def hash_file(descriptor: int, progress: Progress) -> tuple[str, int]:
    """Return the sha256 of a file from its first byte to its last, and the number of bytes that were read."""
    digest, position, buffer = sha256(), 0, bytearray(_BUFFER)
    view = memoryview(buffer)
    while count := os.preadv(descriptor, [buffer], position):
        digest.update(view[:count])
        position += count
        progress.advance(count)
    return digest.hexdigest(), position


def copy(source: int, target: int, progress: Progress) -> int:
    """Copy one open file to another, sharing the blocks where the file system can; return the number of bytes."""
    end = 0
    for position in _copy(source, target):
        progress.advance(position - end)
        end = position
    return end


def copy_hashed(source: int, target: int, progress: Progress, *, durable: bool) -> tuple[str, int]:
    """Copy one open file to another and hash the copy.

    It is the target that is read back and hashed, close behind the copying: what the digest says was really written.
    The hash runs in the caller's thread beside copying and fsync in another; both drop the interpreter's lock.

    Parameters
    ----------
    source:
        Descriptor to read.
    target:
        Descriptor of an empty file, open for reading and writing.
    durable:
        Whether to fsync the target.

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
                os.fsync(target)
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
                count = os.preadv(target, [view[: min(_BUFFER, end - position)]], position)
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
    """Copy step by step; yield the end of what is copied."""
    end = 0
    with suppress(AttributeError):  # macOS has no copy_file_range
        try:
            while count := os.copy_file_range(source, target, _STEP, end, end):
                end += count
                yield end
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    buffer = bytearray(_BUFFER)
    view = memoryview(buffer)
    while count := os.preadv(source, [buffer], end):
        write_all(target, view[:count], end)
        end += count
        yield end


def read_range(descriptor: int, start: int, stop: int) -> bytes:
    """Return the bytes from start to stop, fewer where the file ends before."""
    data = os.pread(descriptor, stop - start, start)
    if len(data) == stop - start or not data:
        return data
    parts = [data]  # the system gives at most 2 GiB at once, and less at the end
    start += len(data)
    while start < stop and (data := os.pread(descriptor, stop - start, start)):
        parts.append(data)
        start += len(data)
    return b"".join(parts)


def write_all(target: int, data: bytes | bytearray | memoryview, start: int) -> None:
    """Write all the bytes at a place: a disk about to be full takes a part first and refuses the rest."""
    view = memoryview(data)
    while view:
        count = os.pwrite(target, view, start)
        view, start = view[count:], start + count


def begin_sync(descriptor: int, start: int, length: int) -> None:
    """Let the system begin to write to the disk what was just written to a file, so that fsync finds little to do.

    Linux begins so when it is told that the pages are not needed; those that are still to be written stay in memory.
    """
    with suppress(AttributeError, OSError):  # macOS has no such advice, some file systems take none
        os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def writing(target: Path | str, *, executable: bool, fresh: bool) -> AbstractContextManager[int]:
    """Give a descriptor to write a new file by; where the body fails, there is no file.

    Parameters
    ----------
    fresh:
        Whether nobody else sees the folder yet: then the file is written under its own name, which costs half.

    Raises
    ------
    OvertakenError
        Something stands under its name by the time that it is written; that stays as it is.
    """
    return _creating(target, executable) if fresh else _partial(Path(target), executable, take_name)


def _new_file(path: Path | str, executable: bool) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(path, flags, 0o777 if executable else 0o666)


@contextmanager
def _creating(target: Path | str, executable: bool) -> Iterator[int]:
    descriptor = _new_file(target, executable)
    try:
        yield descriptor
    except BaseException:
        os.unlink(target)
        raise
    finally:
        os.close(descriptor)


def replacing(target: Path) -> AbstractContextManager[int]:
    """Give a descriptor to write a file by; it takes the place of the one that is there when the body ends well."""
    return _partial(target, False, os.replace)


@contextmanager
def _partial(target: Path, executable: bool, finish: Callable[[Path, Path], None]) -> Iterator[int]:
    """Write a file under another name; after a `kill -9` that stays, and `remove_leftovers` finds it."""
    partial, descriptor = begin(target.parent, lambda path: _new_file(path, executable))
    lock = os.dup(descriptor)  # held until the file has its name; closing is what tells some errors of the network
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
        os.close(lock)


def take_name(partial: Path, target: Path) -> None:
    """Move a file to a name in the same file system.

    Raises
    ------
    OvertakenError
        Something stands there; it stays as it is.
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
        os.rename(partial, target)  # nothing better is to be had on such a file system
    else:
        partial.unlink()


def begin(parent: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Make something partial in a folder and lock it, which says that its writer lives.

    Parameters
    ----------
    make:
        Makes a file or a folder at a path, opens it and returns the descriptor.

    Returns
    -------
    Its path, and the descriptor that holds the lock until it is closed.
    """
    attempts = 100
    while True:
        attempts -= 1
        path = parent / PARTIAL.format(os.urandom(8).hex())
        try:
            descriptor = make(path)
        except FileNotFoundError:  # a folder that was taken for a leftover before it was opened
            if not attempts:
                raise
            continue
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.lexists(path):
            return path, descriptor
        os.close(descriptor)  # taken for a leftover before it was locked


def remove_leftovers(folder: Path) -> None:
    """Remove the partial files and folders in a folder whose writers were killed, not those that are being written."""
    for partial in folder.glob(PARTIAL.format("*")):
        with suppress(OSError):  # its writer holds the lock, or has just finished
            descriptor = os.open(partial, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                    from shutil import rmtree  # slow to import; there is seldom anything to remove

                    rmtree(partial)
                else:
                    partial.unlink()
            finally:
                os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, where its file system syncs folders at all."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
