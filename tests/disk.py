"""What a loss of power would leave: each fsync, and each name that is given, as this process asks for them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Synced(NamedTuple):
    """That a file or folder was synced."""

    file: tuple[int, int]


class Named(NamedTuple):
    """That a file or folder was given a name."""

    file: tuple[int, int]
    path: Path
    is_file: bool


class Disk:
    """What was asked of the disk, in order; files are known by device and inode, whatever they are called."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._events: list[Synced | Named] = []
        for name in ("fsync", "fdatasync"):
            if hasattr(os, name):
                patch.setattr(os, name, self._syncing(getattr(os, name)))
        for name in ("rename", "replace", "link"):
            patch.setattr(os, name, self._naming(getattr(os, name)))

    def _syncing(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def recorded(descriptor: int) -> None:
            sync(descriptor)
            self._events.append(Synced(_identity(os.fstat(descriptor))))

        return recorded

    def _naming(self, name: Callable[..., None]) -> Callable[..., None]:
        def recorded(source: Any, target: Any, **options: Any) -> None:
            status = os.lstat(source)
            name(source, target, **options)
            path = Path(os.path.abspath(os.fsdecode(target)))
            self._events.append(Named(_identity(status), path, stat.S_ISREG(status.st_mode)))

        return recorded

    def named(self, root: Path) -> list[Path]:
        """Return the files below a folder that were given their names."""
        return [
            each.path for each in self._events if isinstance(each, Named) and each.is_file and _is_below(each, root)
        ]

    def was_synced(self, path: Path) -> bool:
        """Return whether what is at a path was synced."""
        return Synced(_identity(path.stat())) in self._events

    def assert_bytes_before_names(self, root: Path) -> None:
        """Assert that the bytes of each file below a folder were synced before the file got its name."""
        for n, each in enumerate(self._events):
            if isinstance(each, Named) and each.is_file and _is_below(each, root):
                assert Synced(each.file) in self._events[:n], f"{each.path} was named before its bytes were on the disk"

    def assert_names_kept(self, root: Path) -> None:
        """Assert that the folders on the way to each name below a folder were synced after it was given."""
        for n, each in enumerate(self._events):
            if isinstance(each, Named) and each.is_file and _is_below(each, root) and each.path.exists():
                for folder in (each.path.parent, *each.path.parent.parents):
                    if folder.is_relative_to(root):
                        synced = Synced(_identity(folder.stat())) in self._events[n:]
                        assert synced, f"{folder} was not synced after {each.path} was named"


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_below(named: Named, root: Path) -> bool:
    return named.path.is_relative_to(root)
