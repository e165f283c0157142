"""The stat cache of an artifact in the cache: verified files are not hashed again until they change.

A file is trusted while its inode, size and ctime stay the same: no program can change a file's content, mode or mtime
without changing its ctime. The cost is one `lstat` per file; a folder's own times do not show changes of its files'
content. All files of an artifact share one stat cache, which is compared as a whole.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gitreg.blobs.file_io import replacing, write_all

StatKey = str
"""A file's inode, size and ctime in ns, as one text: faster to read, compare and free than a tuple."""

SYNCED = 1 << 20
"""Size in bytes; larger files are synced before the stat cache records them as intact."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ArtifactStats(NamedTuple):
    """The stat cache of one artifact: inode, size and ctime of its files when each was verified.

    Parameters
    ----------
    files:
        Inode, size and ctime of each file, by its path.
    boot:
        The id of the boot since which the entries are valid, if many small files were not synced one by one: they are
        hashed again after a reboot. "" if all files were synced.
    """

    files: dict[str, StatKey]
    boot: str = ""

    @property
    def holds(self) -> bool:
        """True if all files were synced, or the machine has not been rebooted since."""
        return self.boot in ("", this_boot())

    def trusts(self, path: str, status: os.stat_result) -> bool:
        """Return whether the file of a path, with this status now, was verified and has not changed since."""
        return (self.holds or status.st_size >= SYNCED) and self.files.get(path) == stat_key(status)


NOTHING = ArtifactStats({})


def stat_key(status: os.stat_result) -> StatKey:
    """Return the inode, size and ctime, which change when a file is modified or replaced."""
    return f"{status.st_ino} {status.st_size} {status.st_ctime_ns}"


def size_in(looked: StatKey) -> int:
    """Return the size in bytes that `looks` recorded."""
    return int(looked.split()[1])


@cache
def this_boot() -> str:
    """Return the id of the machine's current boot; "" if the system has none."""
    with suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return ""


def read_stats(path: Path) -> ArtifactStats:
    """Read a stat cache; a missing or damaged one counts as empty."""
    try:
        data = json.loads(path.read_bytes())
        stats = ArtifactStats(data["files"], data["boot"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return NOTHING
    return stats if isinstance(stats.files, dict) and isinstance(stats.boot, str) else NOTHING


def write_stats(path: Path, stats: ArtifactStats) -> None:
    """Write a stat cache; if that fails, files are only hashed again."""
    text = json.dumps(stats._asdict()).encode()
    with suppress(OSError), replacing(path) as descriptor:
        write_all(descriptor, text, 0)
