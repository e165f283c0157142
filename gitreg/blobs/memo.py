"""Remembering which files were hashed, so that they need not be hashed again until they change."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from gitreg.blobs.copying import replacing


class Memo:
    """What files looked like when their content was known to have some sha256.

    A file is trusted while its inode, size, mtime and ctime are what they were: no program can change a file's content
    and leave its ctime. The memo itself may be lost, or an older one may win a race: then files are hashed once more.

    Parameters
    ----------
    path:
        The JSON file that keeps it; made by the first `save`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _load(path)
        self._changed = False

    def trusts(self, name: str, sha256: str, status: os.stat_result) -> bool:
        """Whether the file of that name, which looks like `status`, is known to have this sha256."""
        return stat.S_ISREG(status.st_mode) and self._known.get(name) == _looks(sha256, status)

    def remember_unchanged(self, name: str, sha256: str, before: os.stat_result, after: os.stat_result) -> None:
        """Note that the file's content has this sha256, if it looks the same before and after it was read."""
        if _looks(sha256, before) == _looks(sha256, after):
            self._known[name] = _looks(sha256, after)
            self._changed = True

    def save(self) -> None:
        """Write the memo if there is anything new; where that fails, only time is lost."""
        if not self._changed:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path, executable=False) as descriptor:
                os.write(descriptor, json.dumps(self._known).encode())
        self._changed = False


def _looks(sha256: str, status: os.stat_result) -> list[str | int]:
    return [sha256, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _load(path: Path) -> dict[str, list[str | int]]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):  # ValueError: cut off by a full disk or a loss of power; it only costs hashing
        return {}
    return known if isinstance(known, dict) else {}
