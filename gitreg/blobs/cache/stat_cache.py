"""The stat cache: sha256 of the user's files by size and mtime, as in Git's index, so that each is hashed once.

A file is recognised by its inode, size and times. As in Git (``Documentation/technical/racy-git.txt``), an entry is
not trusted if the file was changed so shortly before it was hashed that a later change could have the same time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

_TICK = 20_000_000  # ns; file systems take times from a clock that ticks every 1 to 10 ms
_COARSE_TICK = 2_000_000_000  # ns; some file systems keep whole seconds, FAT even seconds only
_MOST = 200 << 20  # bytes of the database, about a million files; then it is emptied
_SCHEMA = """
create table if not exists known (device integer, inode integer, size integer, modified integer, changed integer,
    sha256 text, primary key (device, inode)) without rowid
"""


class StatCache:
    """The stat cache of files: their sha256 by the result of `stat`, in the user's own SQLite file.

    The database may be lost, or locked by another process: then files are hashed again. Processes may share it.

    Parameters
    ----------
    path:
        The database's path; None stores nothing.
    clock:
        Returns the time in seconds since the epoch. It is called once, before any file is read: a file that changed
        after that may have changed again while it was read.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]) -> None:
        self._opened = clock()
        self._lock = Lock()
        self._new: list[tuple[int | str, ...]] = []
        self._path = path
        self._connection = _open(path) if path else None

    def sha256(self, status: os.stat_result) -> str | None:
        """Return the sha256 of a file with this status; None if it is unknown."""
        with self._lock:
            return self._sha256(status)

    def all_sha256(self, statuses: Sequence[os.stat_result]) -> list[str] | None:
        """Return the sha256 of many files, in order; None as soon as one is unknown.

        All are read in one transaction: otherwise SQLite locks its file, and checks for changes, for each of them.
        """
        found: list[str] = []
        with self._lock, self._reading():
            for status in statuses:
                if (digest := self._sha256(status)) is None:
                    return None
                found.append(digest)
        return found

    def remember(self, status: os.stat_result, sha256: str) -> None:
        """Remember the sha256 of a file that had this status before and after it was read."""
        coarse = status.st_ctime_ns % 1_000_000_000 == 0
        if self._opened * 1e9 - status.st_ctime_ns > (_COARSE_TICK if coarse else _TICK):
            self.remember_new(status, sha256)

    def remember_new(self, status: os.stat_result, sha256: str) -> None:
        """Remember the sha256 of a file that nobody changes after its creation: an object of a store."""
        with self._lock:
            self._new.append((*_looks(status), sha256))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Read the database in one transaction, so that all reads see the same state; writers wait."""
        if self._connection is None:
            yield
            return
        with suppress(sqlite3.Error):
            self._connection.execute("begin")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._connection.rollback()

    def _sha256(self, status: os.stat_result) -> str | None:
        if self._connection is None:
            return None
        asked = "select sha256 from known where device=? and inode=? and size=? and modified=? and changed=?"
        with suppress(sqlite3.Error):
            row = self._connection.execute(asked, _looks(status)).fetchone()
            return str(row[0]) if row else None
        return None

    def close(self) -> None:
        """Write the remembered entries to the database; if that fails, files are hashed again next time."""
        if self._connection is None or self._path is None:
            return
        if self._new:
            with suppress(sqlite3.Error, OSError), self._connection as transaction:
                if self._path.stat().st_size > _MOST:
                    transaction.execute("delete from known")
                transaction.executemany("insert or replace into known values (?, ?, ?, ?, ?, ?)", self._new)
        self._connection.close()
        self._connection = None


def _looks(status: os.stat_result) -> tuple[int, ...]:
    looks = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return tuple(number & (1 << 63) - 1 for number in looks)  # SQLite's integers have 64 bits, one of them the sign


def _open(path: Path) -> sqlite3.Connection | None:
    """Open the database, or create it anew if the file is not a valid one; return None if it cannot be used."""
    for _ in range(2):
        connection = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=1, check_same_thread=False)
            connection.execute("pragma synchronous=off")
            connection.execute(_SCHEMA)
            connection.execute("select sha256 from known where device=0 and modified=0 and changed=0")
        except (sqlite3.DatabaseError, OSError) as error:
            if connection:
                connection.close()
            if isinstance(error, sqlite3.OperationalError | OSError):  # locked, or not writable
                return None
            with suppress(OSError):
                path.unlink()
        else:
            return connection
    return None
