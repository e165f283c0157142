"""The files of a folder that is to be saved, and the symbolic links in it that are followed.

A folder of model files may come from a stranger, and its links may lead to any file of this machine; what is saved is
published. So a link is followed only to what belongs to the folder's own tree: the folder itself, files of the Git work
tree that it lies in (without hidden ones, where keys and histories are), and its repository in the Hugging Face cache.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gitreg.errors import InvalidInput


class WalkedFile(NamedTuple):
    """A regular file of a folder.

    Parameters
    ----------
    path:
        Path inside the folder.
    source:
        Path on this machine; of a link, the path of the file that it leads to.
    status:
        Result of `lstat` of the source.
    """

    path: str
    source: str
    status: os.stat_result


def walk(folder: Path) -> Iterator[WalkedFile]:
    """Yield the files below a folder, in no order; a link to a file of the same tree is that file by the link's name.

    Raises
    ------
    InvalidInput
        A link leads nowhere or out of the tree, or to a folder and lies behind another such link; or something is
        neither a file nor a folder.
    OSError
        A folder cannot be read.
    """
    tree = _Tree(folder)
    pending = [(str(folder), "", False)]
    while pending:
        place, prefix, behind_link = pending.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                path = prefix + entry.name
                if entry.is_symlink():
                    target = tree.target(entry.path)
                    if not os.path.isdir(target):
                        yield regular_file(path, target, os.lstat(target))
                    elif behind_link:  # the links of two folders to each other have no end
                        raise InvalidInput(
                            f"{entry.path!r} is a symbolic link to a folder, in a folder that is reached by a link",
                            hint="remove the link, or put the folder itself there",
                        )
                    else:
                        pending.append((target, f"{path}/", True))
                elif entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, f"{path}/", behind_link))
                else:
                    yield regular_file(path, entry.path, entry.stat(follow_symlinks=False))


def regular_file(path: str, source: str, status: os.stat_result) -> WalkedFile:
    """Return a file, unless it is a device, socket or pipe.

    Raises
    ------
    InvalidInput
        It is no regular file.
    """
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInput(f"{source!r} is no regular file", hint="only files and folders can be saved; move it away")
    return WalkedFile(path, source, status)


class _Tree:
    """A folder that is walked, and what else belongs to its tree."""

    def __init__(self, folder: Path) -> None:
        self._named = folder
        self._folder = Path(os.path.realpath(folder))
        self._work_tree = _work_tree(self._folder)
        self._hub_repository = _hub_repository(self._folder)

    def target(self, link: str) -> str:
        """Return the real path of the file or folder that a link leads to.

        Raises
        ------
        InvalidInput
            The link leads nowhere, or out of the tree.
        """
        target = Path(os.path.realpath(link))
        if not os.path.exists(target):
            raise InvalidInput(
                f"{link!r} is a symbolic link to {os.readlink(link)!r}, which is not there",
                hint="remove the link, or bring what it leads to",
            )
        if not (target.is_relative_to(self._folder) or (os.path.isfile(target) and self._holds_file(target))):
            copy = shlex.join(["cp", "-RL", str(self._named), f"{self._folder.name}-copy"])
            raise InvalidInput(
                f"{link!r} is a symbolic link out of the folder, to {str(target)!r}",
                hint=f"if that is to be published, too, `{copy}` and save the copy; else remove the link",
            )
        return str(target)

    def _holds_file(self, file: Path) -> bool:
        if self._hub_repository is not None and file.is_relative_to(self._hub_repository):
            return True
        if self._work_tree is None or not file.is_relative_to(self._work_tree):
            return False
        return not any(part.startswith(".") for part in file.relative_to(self._work_tree).parts)


def _work_tree(folder: Path) -> Path | None:
    """Return the root of the Git work tree that a folder lies in."""
    return next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None)


def _hub_repository(folder: Path) -> Path | None:
    """Return the repository in a Hugging Face cache whose snapshot a folder is, or lies in.

    The cache has ``models--NAME/blobs/DIGEST``, and ``models--NAME/snapshots/COMMIT/PATH`` as links to them.
    """
    for each in (folder, *folder.parents):
        snapshots, repository = each.parent, each.parent.parent
        if snapshots.name == "snapshots" and "--" in repository.name and os.path.isdir(repository / "blobs"):
            return repository
    return None
