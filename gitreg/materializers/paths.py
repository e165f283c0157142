"""Existing files and folders, which are copied."""

from __future__ import annotations

import shutil
from pathlib import Path

from gitreg.errors import InvalidInput, NotFound
from gitreg.folder_walk import regular_file, walk
from gitreg.materializers.base import Materializer


class Paths(Materializer):
    """A path: its file or folder is copied under its own name, and reading returns the path of the copy.

    Links in a folder are followed as :mod:`gitreg.folder_walk` says. Folders without files are not kept, as in Git.
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
    try:
        files = list(walk(source))
    except OSError as error:
        raise InvalidInput(f"{error.filename} cannot be read: {error.strerror}") from None
    if not files:
        raise InvalidInput(f"{source} holds no files", hint="give a path with something to save")
    for file in files:
        copy = target / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.source, copy)


def _copy_file(source: Path, target: Path) -> None:
    regular_file(source.name, str(source), source.stat())
    shutil.copy(source, target)
