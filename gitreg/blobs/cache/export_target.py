"""The check of a user's own folder before anything is written into it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from gitreg.blobs import file_io
from gitreg.blobs.files import FileEntry
from gitreg.blobs.os_errors import readable_os_errors
from gitreg.blobs.parallel import by_size, threads
from gitreg.errors import Refused
from gitreg.progress import Progress

_HINT = "choose another folder, or move it away"


def files_to_write(dest: Path, files: Sequence[FileEntry], progress: Progress) -> list[FileEntry]:
    """Return the files that the folder lacks, in the given order; the others exist with the right content.

    Raises
    ------
    Refused
        A different file, a folder or a symbolic link is in the way of a file, or a non-folder in the way of a folder.
    """
    with readable_os_errors("look into the folder", dest):
        if dest.exists() and not dest.is_dir():
            raise Refused(f"{dest} exists already and is no folder", hint=_HINT)
        if not os.path.lexists(dest):
            return list(files)
        for parent in sorted({parent for entry in files for parent in _parents(entry.path)}):
            status = _lstat(dest / parent)
            if status and not stat.S_ISDIR(status.st_mode):
                raise Refused(f"{dest / parent} is there and is no folder of its own, or a link", hint=_HINT)
        with threads() as pool:
            missing = by_size(
                pool, lambda entry, progress: _is_missing(dest / entry.path, entry, progress), files, progress
            )
            return [entry for entry, is_missing in zip(files, missing, strict=True) if is_missing]


def _is_missing(path: Path, entry: FileEntry, progress: Progress) -> bool:
    status = _lstat(path)
    if status is None:
        return True
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{path} exists already and is no regular file", hint=_HINT)
    if status.st_size == entry.size:
        descriptor = file_io.open_regular(path)
        try:
            if file_io.hash_file(descriptor, progress) == (entry.sha256, entry.size):
                return False
        finally:
            os.close(descriptor)
    raise Refused(f"{path} exists already and differs", hint=_HINT)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_link_to(source: Path, path: Path) -> bool:
    """Return whether a path is a symbolic link to a file, by the file's absolute path."""
    try:
        return os.readlink(path) == str(source)
    except OSError:
        return False
