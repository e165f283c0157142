"""Disk space and write permission for a work tree, reserved before its branch moves: a moved branch is published.

No file appears: the space is reserved by nameless files, which vanish with the process, however it ends.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

_BLOCK = 4096  # bytes that a file or a new folder takes at least
_INDEX_ENTRY = 512  # bytes of an index entry: stat, object id, path
_NO_SUCH_CALL = (errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def held(git_dir: Path, work_tree: Path, sizes: Mapping[str, int | None]) -> Iterator[None]:
    """Reserve the disk space for files of a work tree and its index while the body runs.

    Parameters
    ----------
    sizes:
        The future sizes of files in bytes by path; None for a file to be removed.

    Raises
    ------
    OSError
        A folder cannot be written, a file cannot be replaced, or the disk is full.
    """
    needed = {git_dir: _index_size(git_dir) + _INDEX_ENTRY * len(sizes)}
    for path, size in sizes.items():
        folder, new_folders = _nearest(work_tree, path)
        _check_replaceable(work_tree / path, folder)
        needed[folder] = needed.get(folder, 0) + (0 if size is None else _blocks(size) + new_folders * _BLOCK)
    by_disk: dict[int, tuple[Path, int]] = {}
    for folder, size in needed.items():
        with _nameless(folder):
            pass  # so the folder can be written
        disk = folder.stat().st_dev
        by_disk[disk] = (folder, by_disk.get(disk, (folder, 0))[1] + size)
    files = []
    try:
        for folder, size in by_disk.values():
            files.append(_nameless(folder))
            _allocate(files[-1], folder, size)
        yield
    finally:
        for file in files:
            with suppress(OSError):
                file.close()


def _index_size(git_dir: Path) -> int:
    with suppress(FileNotFoundError):
        return _blocks((git_dir / "index").stat().st_size)
    return _BLOCK


def _blocks(size: int) -> int:
    return (size // _BLOCK + 1) * _BLOCK


def _nearest(work_tree: Path, path: str) -> tuple[Path, int]:
    """Return the nearest existing folder above a path, and the number of folders missing below it."""
    above = list((work_tree / path).parents)[: path.count("/") + 1]
    for missing, folder in enumerate(above):
        if folder.is_dir():
            return folder, missing
    return work_tree, len(above) - 1


def _check_replaceable(path: Path, folder: Path) -> None:
    """Refuse a file that cannot be replaced: an immutable one, or one of another user in a sticky folder."""
    try:
        status, above = path.lstat(), folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    if above.st_mode & stat.S_ISVTX and user not in (0, status.st_uid, above.st_uid):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
    if stat.S_ISREG(status.st_mode):
        try:
            os.close(os.open(path, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)))
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EROFS):  # these do not depend on the file's own mode
                raise


def _nameless(folder: Path) -> BinaryIO:
    try:
        return TemporaryFile(dir=folder, buffering=0)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from None


def _allocate(file: BinaryIO, folder: Path, size: int) -> None:
    try:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except AttributeError:
            file.write(bytes(size))
        except OSError as error:
            if error.errno not in _NO_SUCH_CALL:
                raise
            file.write(bytes(size))
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from None
