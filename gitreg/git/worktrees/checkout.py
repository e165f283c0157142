"""Updates of a work tree from one tree to another, without the git program.

The promise is the same as that of ``git read-tree -m -u``: a file that the user changed, staged or put in the way is
never touched, and if one of the files to be changed is such a file, nothing is changed at all. Contents are compared
byte by byte: where Git is configured to convert line ends or to run filters, the files concerned count as changed by
the user.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import Refused, WorkTreeBusy
from gitreg.git.dulwich_internals import forget
from gitreg.git.objects.loose import object_id
from gitreg.git.objects.store import ObjectStore
from gitreg.git.values import PathChange

if TYPE_CHECKING:
    from dulwich.index import ConflictedIndexEntry, IndexEntry

    from gitreg.git.dulwich_internals import LockFile

    Entries = dict[bytes, IndexEntry | ConflictedIndexEntry]

_PATIENCE = 1.0  # seconds to wait for another process's lock on the index
ODD = "something else"  # in place of an object id, and equal to none: not a regular file, or a conflict in the index


def apply(
    objects: ObjectStore, git_dir: Path, work_tree: Path, changes: list[PathChange], new: str, *, dry_run: bool
) -> list[str]:
    """Apply changes to a work tree and its index; return the files with uncommitted work that prevent this.

    If the returned list is not empty, nothing was changed.

    Parameters
    ----------
    new:
        The commit or tree that the changes lead to.
    dry_run:
        True to only look for uncommitted work in the way.

    Returns
    -------
    list:
        The paths of files with uncommitted work, in the order of the changes; empty where there are none.

    Raises
    ------
    WorkTreeBusy
        Another process keeps the index locked.
    Refused
        The index is split or sparse, which only the git program can update.
    """
    # slow to import: slower than the start of Python
    from dulwich.index import IndexChecksumWriter, index_entry_from_stat, write_index_dict
    from dulwich.object_format import get_object_format

    file = _lock_index(git_dir, work_tree)
    try:
        entries = _read_index(objects, git_dir)
        found = _collisions(objects, entries, work_tree, changes)
        if found or dry_run:
            return found
        for change in changes:
            if change.new is None:
                _remove(work_tree, change.path)
                entries.pop(os.fsencode(change.path), None)
        for change in changes:
            if change.new is not None:
                entry = objects.entry(new, change.path)
                mode = entry.mode if entry else 0o100644
                path = _write(
                    work_tree, change.path, objects.get(change.new, "blob", limit=None), executable=bool(mode & 0o100)
                )
                status = path.lstat()
                entries[os.fsencode(change.path)] = index_entry_from_stat(status, change.new.encode(), mode)
        writer = IndexChecksumWriter(file, get_object_format(objects.object_format))
        write_index_dict(writer, entries, object_format=get_object_format(objects.object_format))
        writer.close()
    finally:
        try:
            file.abort()  # does nothing to a file that was written to its end
        finally:
            forget(file)
    return []


def _lock_index(git_dir: Path, work_tree: Path) -> LockFile:
    # slow to import: slower than reading a ref
    from dulwich.file import FileLocked, GitFile

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return GitFile(git_dir / "index", "wb")
        except FileLocked as error:
            if time.monotonic() > deadline:
                raise busy(git_dir, work_tree) from error
            time.sleep(0.02)


def busy(git_dir: Path, work_tree: Path) -> WorkTreeBusy:
    """Return the error for an index that stayed locked."""
    return WorkTreeBusy(
        f"{git_dir / 'index.lock'} is there: another process holds the index of {work_tree}",
        hint="try again when that git process has ended; if none is running, remove the file",
    )


def _read_index(objects: ObjectStore, git_dir: Path) -> Entries:
    from dulwich.index import Index  # slow to import: slower than the start of Python
    from dulwich.object_format import get_object_format

    index = Index(git_dir / "index", object_format=get_object_format(objects.object_format))
    if index.is_sparse() or any(git_dir.glob("sharedindex.*")):
        raise Refused(f"the index in {git_dir} is split or sparse", hint="install git, which can update it")
    return dict(index.items())


def _collisions(objects: ObjectStore, entries: Entries, work_tree: Path, changes: list[PathChange]) -> list[str]:
    going = {change.path for change in changes if change.new is None}
    found = []
    for change in changes:
        entry = entries.get(os.fsencode(change.path))
        staged = None if entry is None else bytes(getattr(entry, "sha", ODD.encode())).decode()
        actual = content_id(work_tree, change.path, objects.object_format, going)
        if staged not in (change.old, change.new) or actual not in (None, change.old, change.new):
            found.append(change.path)
    return found


def content_id(work_tree: Path, path: str, object_format: str, going: Collection[str] = ()) -> str | None:
    """Return the object id of the file at a path of a work tree.

    Parameters
    ----------
    path:
        The path below the work tree, with ``/`` between its parts.
    going:
        Paths of files that will be removed first; they do not count as being in the way.

    Returns
    -------
    str or None:
        The object id; None where nothing is at the path; `ODD` where the path is not a regular file, or leads
        through a file or a symbolic link.
    """
    parts = path.split("/")
    for count in range(1, len(parts)):
        above = "/".join(parts[:count])
        status = _lstat(work_tree / above)
        if status is None or above in going:
            return None
        if not stat.S_ISDIR(status.st_mode):
            return ODD  # a file, or a symbolic link, which may lead outside the work tree
    status = _lstat(work_tree / path)
    if status is None:
        return None
    if not stat.S_ISREG(status.st_mode):
        return ODD
    return object_id("blob", (work_tree / path).read_bytes(), object_format)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove(work_tree: Path, path: str) -> None:
    (work_tree / path).unlink(missing_ok=True)
    for folder in list((work_tree / path).parents)[: path.count("/")]:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or not there


def _write(work_tree: Path, path: str, content: bytes, *, executable: bool) -> Path:
    target = work_tree / path
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:200]}.gitreg")
    try:
        temporary.write_bytes(content)
        if executable:
            temporary.chmod(temporary.stat().st_mode | 0o111 & ~0o022)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return target
