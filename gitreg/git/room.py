"""Rights and room for what a work tree will write, taken before its branch moves: a branch that has moved is published.

Nothing is written under a name: room is held by files without one, which are gone with the process, however it ends.
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

_BLOCK = 4096  # bytes that a file takes at least; a new folder the same
_INDEX_ENTRY = 512  # bytes of an index entry: stat, object id, path
_NO_SUCH_CALL = (errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def held(git_dir: Path, work_tree: Path, sizes: Mapping[str, int | None]) -> Iterator[None]:
    """Hold the room that files of a work tree and its index will take.

    Parameters
    ----------
    sizes:
        By path, how many bytes a file will have; None for one that will be removed.

    Raises
    ------
    OSError
        A folder cannot be written, a file not replaced, or the disk is full.
    """
    needed = {git_dir: _index_size(git_dir) + _INDEX_ENTRY * len(sizes)}
    for path, size in sizes.items():
        folder, new_folders = _nearest(work_tree, path)
        _check_replaceable(work_tree / path, folder)
        needed[folder] = needed.get(folder, 0) + (0 if size is None else _blocks(size) + new_folders * _BLOCK)
    by_disk: dict[int, tuple[Path, int]] = {}
    for folder, size in needed.items():
        with _nameless(folder):
            pass  # it can be written
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
    """Return the folder of a path as far as it exists, and how many folders are missing below it."""
    above = list((work_tree / path).parents)[: path.count("/") + 1]
    for missing, folder in enumerate(above):
        if folder.is_dir():
            return folder, missing
    return work_tree, len(above) - 1


def _check_replaceable(path: Path, folder: Path) -> None:
    """Refuse a file that its folder's writers cannot replace: an immutable one, or another's in a sticky folder."""
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
            if error.errno in (errno.EPERM, errno.EROFS):  # no matter of the file's own mode
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
