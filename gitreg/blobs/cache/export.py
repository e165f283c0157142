"""Copies of and links to verified files of the cache, in a user's own folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg import system
from gitreg.blobs import file_io
from gitreg.blobs.cache.artifact_stats import ArtifactStats
from gitreg.blobs.file_io import NO_HARDLINK
from gitreg.blobs.files import FileEntry
from gitreg.blobs.parallel import SMALL, by_size, threads
from gitreg.errors import OvertakenError
from gitreg.progress import NO_PROGRESS, Progress

_THERE = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@contextmanager
def filling(dest: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folder to write files into, and whether it is private to this process.

    A missing folder is written under a temporary name, private to this process, and renamed when the body succeeds.
    After a `kill -9` a folder ``.gitreg-*.partial`` remains beside it, which the next call removes.

    Raises
    ------
    OvertakenError
        Another process created the folder meanwhile.
    """
    if os.path.lexists(dest):
        yield dest, False
        return
    dest.parent.mkdir(parents=True, exist_ok=True)
    with unseen(dest.parent) as partial:
        yield partial, True
        _rename(partial, dest)


@contextmanager
def unseen(parent: Path) -> Iterator[Path]:
    """Yield a new private folder inside another one; it is removed at the end, if it was not renamed.

    After a `kill -9` a folder ``.gitreg-*.partial`` stays, which the next call removes.
    """
    from shutil import rmtree  # slow to import; a warm cache never needs it

    file_io.remove_leftovers(parent)
    partial, descriptor = file_io.begin(parent, _new_folder)
    try:
        yield partial
    finally:
        if os.path.lexists(partial):
            rmtree(partial, ignore_errors=True)
        os.close(descriptor)


def _rename(partial: Path, dest: Path) -> None:
    try:
        os.rename(partial, dest)
    except OSError as error:
        if error.errno not in _THERE:
            raise
        raise OvertakenError(dest) from None


def _new_folder(path: Path) -> int:
    path.mkdir()
    if not system.POSIX:  # the lock of a folder is that of nothing
        return os.open(os.devnull, os.O_RDONLY)
    return os.open(path, os.O_RDONLY | system.A_FOLDER | system.CLOSED_TO_CHILDREN)


def copy_trusted(
    files: Sequence[FileEntry], folder: Path, stats: ArtifactStats, dest: Path, progress: Progress, *, fresh: bool
) -> list[FileEntry]:
    """Copy the files that were verified and have not changed since; return the others.

    Parameters
    ----------
    folder, stats:
        The folder of the files, and its stat cache.
    dest:
        The target folder; the files' parent folders exist in it.
    fresh:
        True if `dest` is private to this process, so that files may be written under their own names.

    Raises
    ------
    OvertakenError
        Something exists by now in the place of a file.
    """
    if not stats.files:
        return list(files)

    def copied(entry: FileEntry, progress: Progress) -> bool:
        try:
            source = file_io.open_regular(f"{folder}/{entry.path}")
        except OSError:  # missing, or a link: the caller has another way
            return False
        try:
            return _copy(source, entry, stats, f"{dest}/{entry.path}", progress, fresh=fresh)
        finally:
            os.close(source)

    with threads() as pool:
        done = by_size(pool, copied, files, progress)
        return [entry for entry, is_copied in zip(files, done, strict=True) if not is_copied]


def _copy(source: int, entry: FileEntry, stats: ArtifactStats, target: str, progress: Progress, *, fresh: bool) -> bool:
    """Copy an open file; return False if it is not known to be intact."""
    if not stats.trusts(entry.path, os.fstat(source)):
        return False
    with suppress(_ChangedError), file_io.writing(target, executable=entry.executable, fresh=fresh) as copy:
        if entry.size < SMALL:  # one read and one write cost less than the kernel's copy
            data = system.read_at(source, SMALL, 0)
            size = len(data)
            file_io.write_all(copy, data, 0)
            progress.advance(size)
        else:
            size = file_io.copy(source, copy, progress)
        # Removing a hardlink of the source changes its ctime too, but not its content.
        trusted = size == entry.size and stats.trusts(entry.path, os.fstat(source))
        if not trusted and file_io.hash_file(copy, NO_PROGRESS) != (entry.sha256, entry.size):
            raise _ChangedError
        return True
    return False


class _ChangedError(Exception):
    """The error for a file that changed during its copy."""


def link(source: str, target: str) -> bool:
    """Create a hardlink at the target, or a symbolic link if that is impossible; return whether it is a hardlink.

    A hardlink changes the file's ctime.

    Raises
    ------
    OvertakenError
        The target exists.
    """
    try:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in NO_HARDLINK:
                raise
            os.symlink(source, target)
            return False
    except FileExistsError:
        raise OvertakenError(target) from None
    return True
