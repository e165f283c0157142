"""Existing files and folders, which are copied."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from gitreg.errors import InvalidInput, NotFound
from gitreg.materializers.base import Materializer


class Paths(Materializer):
    """A path: its file or folder is copied under its own name, and reading returns the path of the copy.

    A link to a file inside the folder is copied as that file; any other link is refused, so that no file from elsewhere
    is published by accident. Folders without files are not kept, as in Git.
    """

    name = "path"
    types = ("pathlib.Path", "pathlib._local.Path")  # the latter in Python 3.13

    def write(self, value: object, folder: Path) -> None:
        """Copy the file or folder."""
        assert isinstance(value, Path)
        try:
            source = value.resolve(strict=True)
        except OSError:
            raise NotFound(f"{value} is not there", hint="give the path of a file or a folder") from None
        target = folder / (value.name if value.name not in ("", "..") else source.name or "files")
        if source.is_dir():
            if folder.resolve().is_relative_to(source):
                raise InvalidInput(
                    f"{value} holds the folder that it is being copied to", hint="save a folder inside it"
                )
            _copy_folder(source, target)
        else:
            _copy_file(source, target)

    def read(self, folder: Path, *, trusted: bool, expected: type | None) -> Path:
        """Return the path of the only file or folder in the folder."""
        found = list(folder.iterdir())
        if len(found) != 1:
            raise InvalidInput(f"the path is one file or folder, and there are {len(found)}")
        return found[0]


def _copy_folder(source: Path, target: Path) -> None:
    empty = True
    for place, folders, files in os.walk(source, onerror=_unreadable):
        for name in (*folders, *files):
            path = Path(place, name)
            if path.is_symlink():
                _check_link(path, source)
            if name in files:
                empty = False
                copy = target / path.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                _copy_file(path, copy)
    if empty:
        raise InvalidInput(f"{source} holds no files", hint="give a path with something to save")


def _check_link(link: Path, top: Path) -> None:
    goal = Path(os.path.realpath(link))
    if not goal.is_relative_to(top):
        raise InvalidInput(f"{link} is a link out of the folder, to {goal}", hint="replace the link by a copy")
    if not goal.is_file():
        raise InvalidInput(f"{link} is a link to what is no file: {goal}", hint="remove the link")


def _copy_file(source: Path, target: Path) -> None:
    if not stat.S_ISREG(source.stat().st_mode):
        raise InvalidInput(f"{source} is no regular file", hint="remove it")
    shutil.copy(source, target)


def _unreadable(error: OSError) -> None:
    raise InvalidInput(f"{error.filename} cannot be read: {error.strerror}") from None
