"""The files of an artifact, and the rules for their paths.

An artifact moves from Linux to macOS and Windows, and may come from strangers. So a path that means another file on
another system, or leads out of the folder, is refused both when it is saved and when it is loaded.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.os_errors import readable_os_errors
from gitreg.errors import InvalidInput, NotFound
from gitreg.folder_walk import regular_file, walk
from gitreg.names import fold, is_dot_git, is_windows_device
from gitreg.suggestions import nearest

_RENAME = "rename the file"


class FileEntry(NamedTuple):
    """One file of an artifact, as its record describes it.

    Parameters
    ----------
    path:
        Path inside the artifact: POSIX, relative.
    size:
        In bytes.
    sha256:
        sha256 of its content, 64 hexadecimal digits.
    executable:
        True if it is executable; no other permission is kept.
    """

    path: str
    size: int
    sha256: str
    executable: bool = False


class LocalFile(NamedTuple):
    """One local file that will become part of an artifact.

    Parameters
    ----------
    path:
        Path inside the artifact.
    source:
        Path on this machine, behind all symbolic links that were followed.
    status:
        Result of `lstat` when it was listed.
    """

    path: str
    source: str
    status: os.stat_result

    @property
    def size(self) -> int:
        """The size in bytes, when the file was listed."""
        return self.status.st_size

    @property
    def executable(self) -> bool:
        """True if the file's owner may execute it."""
        return bool(self.status.st_mode & stat.S_IXUSR)


def collect(sources: Sequence[Path]) -> list[LocalFile]:
    """Return the files of the sources, sorted by the UTF-8 bytes of their paths.

    The path of a single file is its name; the files of a single folder have paths relative to that folder. With several
    sources, each path begins with the source's name. Hidden files are kept, empty folders are not.

    A source that is a symbolic link is followed; inside a folder, a link is followed to the files of the same tree
    (:mod:`gitreg.folder_walk`) and goes by its own name.

    Raises
    ------
    NotFound
        A source does not exist.
    InvalidInput
        No source, no file at all, a symbolic link that leads nowhere or out of the tree, a device, socket or pipe, or a
        path that `check_paths` refuses.
    """
    if not sources:
        raise InvalidInput("nothing to save: no file or folder was named", hint="name at least one")
    found: list[LocalFile] = []
    for source in sources:
        name = Path(os.path.abspath(source)).name
        with readable_os_errors("read what is to be saved", source):
            if not os.path.exists(source):
                raise _absence(source)
            prefix = f"{name}/" if len(sources) > 1 else ""
            if source.is_dir():
                found.extend(LocalFile(prefix + path, place, status) for path, place, status in walk(source))
            else:
                place = os.path.realpath(source) if source.is_symlink() else str(source)
                found.append(LocalFile(*regular_file(name, place, os.stat(source))))
    if not found:
        named = ", ".join(str(source) for source in sources)
        raise InvalidInput(f"{named} holds no files", hint="empty folders are not saved; name one that holds files")
    check_paths(file.path for file in found)
    return sorted(found, key=lambda file: file.path.encode())


def _absence(source: Path) -> NotFound:
    """Return the error for a path that is not there, which names the nearest one beside it."""
    if source.is_symlink():
        link = os.readlink(source)
        return NotFound(f"{source} is a symbolic link to {link!r}, which is not there", hint="check the path")
    near = None
    with suppress(OSError):
        near = next(iter(nearest(source.name, sorted(os.listdir(source.parent)), most=1)), None)
    return NotFound(
        f"{source} is not there",
        hint=None if near else "check the path",
        correction=(str(source), str(source.with_name(near))) if near else None,
    )


def check_paths(paths: Iterable[str]) -> None:
    """Raise InvalidInput if the paths cannot exist side by side in one artifact.

    Raises
    ------
    InvalidInput
        `check_path` refuses a path; a path occurs twice, or is both a file and a folder; two paths differ only in case
        or in Unicode normalisation, so that macOS and Windows treat them as one.
    """
    folders: dict[str, str] = {}
    files: dict[str, str] = {}
    seen: set[str] = set()
    for path in paths:
        check_path(path)
        parent = path
        while (parent := parent.rpartition("/")[0]) and parent not in seen:
            if folders.setdefault(fold(parent), parent) != parent:
                raise InvalidInput(_alike(folders[fold(parent)], parent), hint="rename one of the folders")
            seen.add(parent)
        folded = fold(path)
        if (other := files.get(folded)) is not None:
            wrong = f"two files would be called {path!r}" if other == path else _alike(other, path)
            raise InvalidInput(wrong, hint="rename one of the files")
        files[folded] = path
    for both in files.keys() & folders.keys():
        raise InvalidInput(f"{files[both]!r} is the name of a file and of a folder", hint="rename one of them")


def check_path(path: str) -> None:
    r"""Raise InvalidInput if a path leads out of its folder, or names another file on another system.

    Raises
    ------
    InvalidInput
        The path is absolute; it contains ``\``, ``:``, a control character or bytes that are not UTF-8; or a part of it
        is empty, ``.`` or ``..``, ends in ``.`` or a space, is a Windows device, means ``.git`` to Git or to a file
        system, or is a name that gitreg uses for unfinished files.
    """
    if not isinstance(path, str) or not path:
        raise InvalidInput(f"{path!r} is no path of a file", hint="give the file a path")
    if path.startswith("/"):
        raise InvalidInput(f"path {path!r} is absolute", hint="paths in an artifact are relative to it")
    if not path.isascii() or not path.isprintable():
        _check_characters(path)
    if "\\" in path or ":" in path:
        raise InvalidInput(f"path {path!r} holds '\\' or ':', which mean something else on Windows", hint=_RENAME)
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise InvalidInput(f"path {path!r} has an empty, '.' or '..' part", hint="name every part of the path")
        if part[-1] in ". ":
            raise InvalidInput(f"path {path!r} has a part that ends in '.' or a space", hint=_RENAME)
        if is_windows_device(part):
            raise InvalidInput(f"path {path!r} names a Windows device", hint=_RENAME)
        if part.startswith(".gitreg-") and part.endswith(".partial"):
            raise InvalidInput(f"path {path!r} is named as gitreg names unfinished files", hint=_RENAME)
        if is_dot_git(part):
            raise InvalidInput(
                f"path {path!r} leads into a Git folder, whose files Git may execute",
                hint="leave the folder out, or rename it",
            )


def _check_characters(path: str) -> None:
    for character in path:
        category = unicodedata.category(character)
        if category == "Cs":
            raise InvalidInput(f"path {os.fsencode(path)!r} is not UTF-8", hint=_RENAME)
        if category in ("Cc", "Zl", "Zp"):
            raise InvalidInput(f"path {path!r} holds the control character U+{ord(character):04X}", hint=_RENAME)


def _alike(one: str, other: str) -> str:
    return f"{one!r} and {other!r} are one name where case or Unicode form do not count (macOS, Windows)"
