"""The program as on Windows: what Python lacks there is taken away, and open files neither move nor vanish.

Started instead of ``gitreg``. The libraries are imported before, as this system's own; ``msvcrt`` is a stand-in that
locks ranges of bytes by Linux' locks of open files.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil  # noqa: F401 - looks at what `os` has when it is imported, as those below
import signal
import sqlite3  # noqa: F401
import stat
import struct
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
from collections.abc import Callable
from types import ModuleType
from typing import Any

import click  # noqa: F401
import dulwich.client
import dulwich.index
import dulwich.repo  # noqa: F401

OFD_SETLK = 37  # fcntl(2); Python has no name for it before 3.13
NOT_ON_WINDOWS = (
    "chown", "copy_file_range", "fchmod", "fchown", "fork", "getegid", "geteuid", "getgid", "getpgid", "getuid",
    "killpg", "mkfifo", "posix_fadvise", "posix_fallocate", "pread", "preadv", "pwrite", "pwritev", "sendfile", "sync",
    "uname", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK",
)  # fmt: skip
_lstat, _open, _scandir = os.lstat, os.open, os.scandir


def locking(descriptor: int, _: int, count: int) -> None:
    """Lock bytes from the position on, as ``LockFile`` does."""
    reads_only = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    start = os.lseek(descriptor, 0, os.SEEK_CUR)
    kind = fcntl.F_RDLCK if reads_only else fcntl.F_WRLCK
    fcntl.fcntl(descriptor, OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, start, count, 0))


def is_open(path: Any) -> bool:
    """Whether this process has a file open."""
    try:
        status = _lstat(path)
    except OSError:
        return False
    for entry in list(_scandir("/proc/self/fd")):
        try:
            opened = os.fstat(int(entry.name))
        except OSError:
            continue
        if stat.S_ISREG(opened.st_mode) and os.path.samestat(status, opened):
            return True
    return False


def unless_open(call: Callable[..., Any], files: int) -> Callable[..., Any]:
    """The same call, which is refused where one of its first arguments is an open file."""

    def checked(*arguments: Any, **options: Any) -> Any:
        for path in arguments[:files]:
            if is_open(path):
                raise PermissionError(errno.EACCES, "another process uses the file", str(path))
        return call(*arguments, **options)

    return checked


def open_no_folder(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
    if not isinstance(path, int) and os.path.isdir(path):
        raise PermissionError(errno.EACCES, "a folder cannot be opened", str(path))
    return _open(path, flags, *arguments, **options)


def scan_by_name(path: Any = ".") -> Any:
    if isinstance(path, int):
        raise TypeError("scandir: path should be string, bytes, os.PathLike or None, not int")
    return _scandir(path)


def become_windows() -> None:
    stand_in = ModuleType("msvcrt")
    stand_in.LK_NBLCK = 2  # type: ignore[attr-defined]
    stand_in.locking = locking  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = stand_in
    for module in ("fcntl", "grp", "pwd", "resource"):
        sys.modules[module] = None  # type: ignore[assignment]
    for name in NOT_ON_WINDOWS:
        if hasattr(os, name):
            delattr(os, name)
    del signal.SIGHUP
    os.open, os.scandir = open_no_folder, scan_by_name
    for name, files in {"rename": 1, "replace": 2, "unlink": 1, "remove": 1}.items():
        setattr(os, name, unless_open(getattr(os, name), files))


if __name__ == "__main__":
    become_windows()
    from gitreg.cli.start import main

    sys.argv[0] = "gitreg"
    main()
