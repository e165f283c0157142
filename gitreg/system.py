"""The calls that differ between operating systems: locks, reads and writes at an offset, modes, syncing, renaming.

Linux and macOS have all of them. Windows locks ranges of bytes, has no modes, opens no folders, and renames and removes
no file that is open. Which of the two it is follows from what Python has here.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POSIX = fcntl is not None
"""True on Linux and macOS: files have modes and may be renamed while they are open, and folders can be opened."""

CLOSED_TO_CHILDREN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""The flags with which every file is opened: no child inherits it, and its bytes are taken as they are."""

NO_LINK = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
A_FOLDER = getattr(os, "O_DIRECTORY", 0)

_POLL = 0.005  # seconds between two attempts to take a lock
_FAR = 1 << 30  # where bytes are locked: behind all that is read, for Windows lets nobody read what is locked
_READERS = 64  # bytes: a reader locks one of them, a writer all
_LONGEST_PATH = 1024  # bytes: PATH_MAX of macOS
_RETRIES = 40  # while another process, such as a virus scanner, has a file open for a moment
_moving = Lock()  # of the position of a descriptor, where nothing reads at an offset


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock an open file until its descriptor is closed (flock(2)), and return whether that succeeded.

    The library filelock has no lock for several readers, and takes longer to import than Python to start.

    Parameters
    ----------
    shared:
        True for a lock that others may share.
    wait:
        False to give up at once where another process has it.
    """
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
    while not _lock_bytes(descriptor, shared):
        if not wait:
            return False
        time.sleep(_POLL)
    return True


def _lock_bytes(descriptor: int, shared: bool) -> bool:
    msvcrt = import_module("msvcrt")
    first = os.getpid() % _READERS
    ranges = [((first + number) % _READERS, 1) for number in range(_READERS)] if shared else [(0, _READERS)]
    for place, count in ranges:
        with _moving:
            os.lseek(descriptor, _FAR + place, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, count)
            except OSError:
                continue
            finally:
                os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    return False


def read_at(descriptor: int, length: int, start: int) -> bytes:
    """Return up to so many bytes from an offset on (pread(2))."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, start)
    with _moving:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.read(descriptor, length)


def read_into(descriptor: int, buffer: bytearray | memoryview, start: int) -> int:
    """Read bytes from an offset on into a buffer, and return their number (preadv(2))."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], start)
    data = read_at(descriptor, len(buffer), start)
    buffer[: len(data)] = data
    return len(data)


def write_at(descriptor: int, data: memoryview, start: int) -> int:
    """Write bytes at an offset, and return how many were written (pwrite(2))."""
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, start)
    with _moving:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.write(descriptor, data)


def set_mode(descriptor: int, mode: int) -> None:
    """Set the permissions of an open file, where there are any; what is read-only on Windows cannot be removed."""
    if POSIX:
        os.fchmod(descriptor, mode)


def sync(descriptor: int) -> None:
    """Write a file to the disk itself; on macOS, fsync(2) leaves it in the disk's cache."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:  # not on every file system
            pass
        else:
            return
    os.fsync(descriptor)


def clone(source: int, target: int) -> bool:
    """Make an open, empty file share the blocks of another one (clonefile(2) of macOS); return whether that succeeded.

    A clone is a new file: it gets the name, the mode and the descriptor of the target, is locked, and was written now.
    Other systems share blocks by copy_file_range(2).
    """
    if not hasattr(fcntl, "F_GETPATH"):
        return False
    mode = stat.S_IMODE(os.fstat(target).st_mode)
    try:
        path = os.fsdecode(fcntl.fcntl(target, fcntl.F_GETPATH, bytes(_LONGEST_PATH)).partition(b"\0")[0])
    except OSError:  # not on every file system
        return False
    twin = f"{path}.partial"
    if not _clone_file(source, os.fsencode(twin)):
        return False
    try:
        os.chmod(twin, 0o600)  # it has the mode and the times of the source
        os.utime(twin)
        descriptor = os.open(twin, os.O_RDWR | CLOSED_TO_CHILDREN | NO_LINK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, mode)
            os.replace(twin, path)
            os.dup2(descriptor, target, inheritable=False)
        finally:
            os.close(descriptor)
    except OSError:  # as where the source may not be changed (chflags uchg), nor its clone
        with suppress(OSError):
            os.unlink(twin)
        return False
    return True


def _clone_file(source: int, path: bytes) -> bool:
    """Clone an open file to a new path, where the file system can do that and has both."""
    from_here = -2  # AT_FDCWD of macOS
    return bool(import_module("ctypes").CDLL(None).fclonefileat(source, from_here, path, 0) == 0)


def replace(source: Path, target: Path) -> None:
    """Rename a file onto another one; on Windows, again while another process has that open."""
    for attempts_left in reversed(range(1 if POSIX else _RETRIES)):
        try:
            os.replace(source, target)
        except PermissionError:
            if not attempts_left:
                raise
            time.sleep(10 * _POLL)
        else:
            return
