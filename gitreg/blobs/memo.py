"""What an artifact's files looked like when they were verified: they need not be hashed again until they change.

A file is trusted while its inode, size and ctime are what they were: no program can change a file's content, its mode
or its mtime and leave its ctime. One `lstat` a file is what that costs; a folder's own times say nothing of what its
files hold. All of an artifact's files stand in one memo, which is compared at once.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.copying import replacing, write_all

Looks = str
"""A file's inode, size and ctime in ns, as one text: that is read, compared and thrown away faster than a tuple."""

SYNCED = 1 << 20
"""Files from this size, in bytes, are synced before a memo says that they are whole."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Memo(NamedTuple):
    """How the files of an artifact looked when each of them was what the artifact's digest says.

    Parameters
    ----------
    files:
        By their paths.
    boot:
        Where many small files were not synced one by one: since which start of this machine its memory has them whole.
        After the next start they are hashed once more. "" where all were synced.
    """

    files: dict[str, Looks]
    boot: str = ""

    @property
    def holds(self) -> bool:
        """Whether the machine was not started again since, or all files were synced."""
        return self.boot in ("", this_boot())

    def trusts(self, path: str, status: os.stat_result) -> bool:
        """Whether the file of that path, which looks like `status`, was verified and did not change since."""
        return (self.holds or status.st_size >= SYNCED) and self.files.get(path) == looks(status)


NOTHING = Memo({})


def looks(status: os.stat_result) -> Looks:
    """Give what tells a file from one that was changed or put in its place."""
    return f"{status.st_ino} {status.st_size} {status.st_ctime_ns}"


def size_in(looked: Looks) -> int:
    """Give the size of a file that looked like that, in bytes."""
    return int(looked.split()[1])


@cache
def this_boot() -> str:
    """Give a name to the time since this machine was started; "" where the system has none."""
    with suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return ""


def read_memo(path: Path) -> Memo:
    """Read a memo; one that is not there, cut off or strange trusts nothing."""
    try:
        said = json.loads(path.read_bytes())
        memo = Memo(said["files"], said["boot"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return NOTHING
    return memo if isinstance(memo.files, dict) and isinstance(memo.boot, str) else NOTHING


def write_memo(path: Path, memo: Memo) -> None:
    """Keep a memo; where that fails, only time is lost."""
    text = json.dumps(memo._asdict()).encode()
    with suppress(OSError), replacing(path) as descriptor:
        write_all(descriptor, text, 0)
