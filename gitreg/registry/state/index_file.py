"""The file of the index: an SQLite database, created and removed by one process at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.git import refs

VERSION = 9
"""The version of the index's own format; a file of another version is rebuilt."""

BUSY_SECONDS = 30.0
"""The longest wait, in seconds, for another process that writes."""

_TABLES = """
CREATE TABLE commits (
  seq INTEGER PRIMARY KEY,
  oid TEXT NOT NULL UNIQUE,
  author TEXT NOT NULL,
  email TEXT NOT NULL,
  committer TEXT,
  time INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  latest INTEGER NOT NULL,
  message TEXT NOT NULL,
  boundary INTEGER NOT NULL
);
CREATE TABLE documents (
  kind TEXT NOT NULL,
  model TEXT NOT NULL,
  name TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  digest TEXT NOT NULL,
  number INTEGER,
  hidden INTEGER NOT NULL DEFAULT 0,
  data TEXT,
  problem TEXT
);
CREATE UNIQUE INDEX by_key ON documents (kind, model, name, since);
"""

LOOKUPS = {
    "by_number": "documents (model, number, since, until, name) WHERE number IS NOT NULL",
    "by_hidden": "documents (model, name, since, until, hidden) WHERE hidden > 0",
    "by_digest": "documents (digest) WHERE kind = 'model_version'",
    "by_since": "documents (since)",
    "by_until": "documents (until) WHERE until IS NOT NULL",
    "by_problem": "documents (since) WHERE problem IS NOT NULL",
}
"""The other SQL indexes, by name: the table, columns and condition of each."""

_PAGE = 8192  # bytes; in pages of 4096 bytes, SQLite's default, two records would leave the rest of a page unused


def open_database(path: Path | None) -> tuple[sqlite3.Connection, Path | None]:
    """Open the database at a path, or create one in memory.

    A file that is no database, or one of another version, is removed and created anew. In a folder that cannot be
    written the database is in memory.

    Parameters
    ----------
    path:
        The SQLite file; None for memory.

    Returns
    -------
    tuple:
        The connection, and the path of the file; None for memory.
    """
    if path is None:
        return _create(":memory:"), None
    try:
        return _open(path), path
    except _OtherVersionError:
        pass
    except sqlite3.DatabaseError as error:
        if is_busy(error):
            return _create(":memory:"), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            try:
                return _open(path), path  # another process may have created it meanwhile
            except (_OtherVersionError, sqlite3.DatabaseError):
                _remove(path)
                return _create_file(path), path
    except (OSError, sqlite3.DatabaseError):
        return _create(":memory:"), None


def discard(path: Path) -> None:
    """Remove an index and the files that SQLite keeps beside it; errors of the file system are ignored."""
    with suppress(OSError), _alone(path):
        _remove(path)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Lock the creation and removal of the file: two databases that share one ``-wal`` file damage one another."""
    with refs.locking.locked(Path(f"{path}.lock"), timeout=BUSY_SECONDS):
        yield


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Return whether the error means that another process is writing."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _OtherVersionError(Exception):
    pass


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise _OtherVersionError
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            raise _OtherVersionError
        db.execute("SELECT 1 FROM commits JOIN documents ON since = seq LIMIT 1").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _create(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        lookups = "".join(f"CREATE INDEX {name} ON {on};" for name, on in LOOKUPS.items())
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.executescript(f"BEGIN; {_TABLES} {lookups} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _create_file(path: Path) -> sqlite3.Connection:
    """Create the database under another name and rename it, so that nobody sees an incomplete file."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        aside.unlink()
    db = _create(str(aside))
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    os.replace(aside, path)
    return _open(path)
