"""The index: a cache, derived from Git objects, of every document on the branch and the commits in which it stood.

Git objects never change, so the index is never wrong, only behind; then it reads the missing commits. It is one SQLite
file; deleting it costs one rebuild. Each row is one version of a file: from first-parent commit ``since`` (inclusive)
to ``until`` (exclusive). So one table answers for the present, for the past, and for each change.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gitreg import documents
from gitreg.errors import Conflict, GitregError
from gitreg.names import as_number, nfc
from gitreg.registry.state.index_file import LOOKUPS, discard, is_busy, open_database
from gitreg.registry.state.index_rows import HIDDEN_DELETED, HIDDEN_YANKED, FileColumns, IndexRows

if TYPE_CHECKING:
    from gitreg.documents.layout import Key
    from gitreg.git import Commit

_OUTSIDE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)
"""The error codes of a file that cannot be used, although its content may be sound."""


class _Row(NamedTuple):
    """The columns of one row of ``documents``, without those that only queries use."""

    kind: str
    model: str
    name: str
    since: int
    until: int | None
    digest: str
    text: str | None
    problem: str | None


class IndexEntry(_Row):
    """One version of a file: its content during a range of commits.

    Parameters
    ----------
    kind, model, name:
        The key of the file.
    since, until:
        The positions of the commit that wrote this content and of the one that replaced it; None where it still stands.
    digest:
        The sha256 of its bytes, in hexadecimal.
    text:
        The content, as JSON or as the file's own text (:mod:`gitreg.documents.fast_yaml`); None if it cannot be read.
    problem:
        The reason why it cannot be read; None if it can.
    """

    @cached_property
    def data(self) -> dict[str, Any] | None:
        """The parsed content; None if it cannot be read."""
        if self.text is None:
            return None
        if self.text.startswith("{"):
            data: dict[str, Any] = json.loads(self.text)
            return data
        return documents.fast_yaml.read(self.text)


class BranchCommit(NamedTuple):
    """One commit of the branch's first-parent line.

    Parameters
    ----------
    seq:
        The position on the line, counted from 1.
    oid:
        The commit id.
    author, email:
        The name and the e-mail address of the author.
    committer:
        The committer, as ``Name <email>``; None if the author is the committer.
    time, offset:
        The committer's time, in seconds since the epoch, and time zone, in minutes east of UTC.
    latest:
        The latest committer time of this commit and all before it, in seconds since the epoch.
    message:
        The commit message.
    boundary:
        True if a shallow clone ends at this commit.
    """

    seq: int
    oid: str
    author: str
    email: str
    committer: str | None
    time: int
    offset: int
    latest: int
    message: str
    boundary: bool


class RewrittenError(Exception):
    """The commit does not follow from the indexed line: indexed commits would have to be removed."""


class Index:
    """An open index, in a file or in memory; safe between processes and threads, which take turns.

    ``failed`` is the reason why its file became unusable while it was open: ``damaged`` (the file has been removed) or
    ``unwritable`` (a full disk, a read-only folder). A new index has to be opened then.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        self._lock = threading.RLock()  # a thread that writes keeps the others out until all is written
        self._closed = False
        self._own(connection)
        self._path = path
        self.failed: Literal["damaged", "unwritable"] | None = None

    def _own(self, connection: sqlite3.Connection) -> None:
        # A replaced index stays open for the snapshots that still use it; the last of them closes the file. A
        # finalizer, unlike __del__, comes before the connection's own also where both are in a circle of references.
        self._db = connection
        self._closing = weakref.finalize(self, connection.close)

    def _run(self, sql: str, arguments: Sequence[Any] = (), *, many: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement and return all rows at once: no thread keeps a cursor open while another writes."""
        if not many:  # names are stored in NFC, so the arguments are normalised, too
            arguments = [nfc(each) if isinstance(each, str) else each for each in arguments]
        with self._lock:
            if self._closed:
                raise GitregError(
                    "the registry was closed while it was being read", hint="close it when all threads are done"
                )
            try:
                done = self._db.executemany(sql, arguments) if many else self._db.execute(sql, arguments)
                return done.fetchall()
            except UnicodeEncodeError:  # nothing in the index has a name that UTF-8 cannot express
                return []
            except sqlite3.ProgrammingError:  # an error of this program, not of the file
                raise
            except sqlite3.DatabaseError as error:
                raise self._trouble(error) from None

    def _one(self, sql: str, arguments: Sequence[Any] = ()) -> Any:
        """Run a statement and return its first row; None if there is none."""
        return next(iter(self._run(sql, arguments)), None)

    def _trouble(self, error: sqlite3.DatabaseError) -> Exception:
        """Return the error to raise for an SQLite error; a damaged file is removed."""
        if is_busy(error):
            return Conflict("another process is writing the index", hint="try again")
        if self._path is None:
            return error
        if error.sqlite_errorcode & 0xFF in _OUTSIDE:
            self.failed = "unwritable"
            return Conflict(f"the index {self._path} cannot be used: {error}", hint="try again")
        self.failed = "damaged"
        discard(self._path)
        return Conflict(f"the index {self._path} was damaged and has been removed", hint="try again")

    def close(self) -> None:
        """Close the file once no thread is reading or writing."""
        with self._lock:
            self._closed = True
            self._db.close()

    # -- positions of commits ----------------------------------------------------------------------------------------

    def position(self, commit: str) -> int | None:
        """Return the position of a commit on the indexed line; None if it is not on it."""
        row = self._one("SELECT seq FROM commits WHERE oid = ?", (commit,))
        return row[0] if row else None

    def head(self) -> tuple[int, str] | None:
        """Return position and id of the newest indexed commit; None if the index is empty."""
        row = self._one("SELECT seq, oid FROM commits ORDER BY seq DESC LIMIT 1")
        return (row[0], row[1]) if row else None

    def moment(self, seq: int) -> BranchCommit:
        """Return the commit at a position.

        Raises
        ------
        Conflict
            The position is gone: another process followed a rewritten history.
        """
        row = self._one(f"SELECT {_MOMENT} FROM commits WHERE seq = ?", (seq,))
        if row is None:
            raise Conflict("another process followed a rewritten history while this one was read", hint="try again")
        return _moment(row)

    def before(self, time: int) -> int | None:
        """Return the newest position with a committer time at or before ``time`` (seconds since the epoch), or None."""
        row = self._one("SELECT seq FROM commits WHERE time <= ? ORDER BY seq DESC LIMIT 1", (time,))
        return row[0] if row else None

    def positions(self, commits: Sequence[str]) -> dict[str, int]:
        """Return the positions of those commits that are on the indexed line, by commit id."""
        sql = "SELECT oid, seq FROM commits WHERE oid IN (SELECT value FROM json_each(?))"
        return dict(self._run(sql, (json.dumps(commits),))) if commits else {}

    def latest_time(self, seq: int, time: int) -> int | None:
        """Return the latest committer time, at most ``time``, of the commits up to ``seq``; None if all are later."""
        row = self._one("SELECT max(time) FROM commits WHERE seq <= ? AND time <= ?", (seq, time))
        latest: int | None = row[0]
        return latest

    # -- documents at a position -------------------------------------------------------------------------------------

    def get(self, seq: int, kind: str, model: str, name: str) -> IndexEntry | None:
        """Return one file as it is at a position; None if it does not exist there."""
        row = self._one(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND {_STANDS}",
            (kind, model, name, seq, seq),
        )
        return IndexEntry(*row) if row else None

    def scan(self, seq: int, kind: str, model: str | None = None) -> Iterator[IndexEntry]:
        """Return the files of a kind at a position, of one model or of all (None), ordered by model and name."""
        where, args = ("kind = ?", [kind]) if model is None else ("kind = ? AND model = ?", [kind, model])
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE {where} AND {_STANDS} ORDER BY model, name", (*args, seq, seq)
        )
        return map(IndexEntry._make, rows)

    def names(self, seq: int, kind: str, model: str) -> list[str]:
        """Return the names, sorted, of one model's files of a kind at a position."""
        rows = self._run(
            f"SELECT name FROM documents d WHERE kind = ? AND model = ? AND {_STANDS} ORDER BY name",
            (kind, model, seq, seq),
        )
        return [row[0] for row in rows]

    def models(self, seq: int) -> list[str]:
        """Return the names, sorted, of the models that have any file at a position."""
        rows = self._run(
            f"SELECT DISTINCT model FROM documents d WHERE model != '' AND {_OF_MODELS} AND {_STANDS}", (seq, seq)
        )
        return sorted(row[0] for row in rows)

    def by_number(self, seq: int, model: str, number: int) -> IndexEntry | None:
        """Return the record of a model's version by its number; None if there is none."""
        row = self._one(
            f"SELECT {_ENTRY} FROM documents d WHERE model = ? AND number = ? AND {_STANDS} ORDER BY since",
            (model, number, seq, seq),
        )
        return IndexEntry(*row) if row else None

    def by_numbers(self, seq: int, model: str, first: int, last: int) -> list[IndexEntry]:
        """Return the records of a model's versions with these numbers, both ends included, ordered by number."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE model = ? AND number BETWEEN ? AND ? AND {_STANDS} "
            "ORDER BY number, since",
            (model, first, last, seq, seq),
        )
        return list(map(IndexEntry._make, rows))

    def by_digest(self, seq: int, model: str, prefix: str) -> list[IndexEntry]:
        """Return a model's records whose own sha256 begins with ``prefix`` (hexadecimal), ordered by number."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = 'model_version' AND digest >= ? AND digest < ? "
            f"AND model = ? AND {_STANDS} ORDER BY number",
            (prefix, prefix + "g", model, seq, seq),
        )
        return [IndexEntry(*row) for row in rows]

    def highest_number(self, seq: int, model: str) -> int:
        """Return the highest number that a version of the model ever had, deleted ones included; 0 if there is none."""
        row = self._one(
            "SELECT max(number) FROM documents d WHERE model = ? AND number IS NOT NULL AND since <= ?", (model, seq)
        )
        # A record that cannot be read may have the number that is its name.
        broken = self._run(
            "SELECT name FROM documents WHERE problem IS NOT NULL AND kind = 'model_version' AND model = ? "
            "AND since <= ?",
            (model, seq),
        )
        return max([row[0] or 0, *(as_number(name) or 0 for (name,) in broken)])

    def names_ever(self, seq: int, kind: str, model: str) -> int:
        """Return the count of distinct names that files of a kind ever had, of one model, artifact or pipeline."""
        row = self._one(
            "SELECT count(DISTINCT name) FROM documents WHERE kind = ? AND model = ? AND since <= ?", (kind, model, seq)
        )
        number: int = row[0]
        return number

    def first_record(self, seq: int) -> int | None:
        """Return the position of the commit that added the first version record; None if there is none."""
        row = self._one(
            "SELECT min(since) FROM documents WHERE kind IN ('model_version', 'artifact') AND since <= ?", (seq,)
        )
        place: int | None = row[0]
        return place

    def latest(self, seq: int, model: str | None = None) -> dict[str, str]:
        """Return for each model (or one) the name of its highest version that is neither deleted nor yanked."""
        rows = self._run(
            f"SELECT d.model, d.name, max(d.number) FROM documents d WHERE {_counts(HIDDEN_DELETED | HIDDEN_YANKED)} "
            f"{'AND d.model = ?' if model is not None else ''} GROUP BY d.model",
            (seq, seq, seq, seq, *([model] if model is not None else [])),
        )
        return {row[0]: row[1] for row in rows}

    def count_versions(self, seq: int) -> dict[str, int]:
        """Return for each model the count of its versions that are not deleted."""
        rows = self._run(
            f"SELECT d.model, count(*) FROM documents d WHERE {_counts(HIDDEN_DELETED)} GROUP BY d.model",
            (seq, seq, seq, seq),
        )
        return dict(rows)

    def problems(self, seq: int) -> list[IndexEntry]:
        """Return the files that cannot be read, ordered by model and name."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE problem IS NOT NULL AND {_STANDS} ORDER BY model, name", (seq, seq)
        )
        return [IndexEntry(*row) for row in rows]

    def history(self, seq: int, kind: str, model: str, name: str) -> list[IndexEntry]:
        """Return all versions of one file up to a position, newest first."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since DESC",
            (kind, model, name, seq),
        )
        return [IndexEntry(*row) for row in rows]

    def ever(self, seq: int, kind: str) -> Iterator[IndexEntry]:
        """Return all versions of all files of a kind up to a position, in no order."""
        return map(
            IndexEntry._make, self._run(f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND since <= ?", (kind, seq))
        )

    def removed(self, seq: int, kind: str) -> list[IndexEntry]:
        """Return, for each file of a kind, its newest version that was replaced or removed up to a position."""
        rows = self._run(
            f"SELECT {_ENTRY}, max(d.since) FROM documents d WHERE kind = ? AND until <= ? GROUP BY model, name",
            (kind, seq),
        )
        return [IndexEntry(*row[:-1]) for row in rows]

    def last_touched(self, seq: int, kind: str) -> list[tuple[str, str, int]]:
        """Return, for each file of a kind that ever existed, model, name and the position of its last change."""
        return self._run(
            "SELECT model, name, max(max(since), coalesce(max(CASE WHEN until <= ? THEN until END), 0)) "
            "FROM documents WHERE kind = ? AND since <= ? GROUP BY model, name",
            (seq, kind, seq),
        )

    def touched(
        self, seq: int, model: str | None = None
    ) -> Iterator[tuple[BranchCommit, list[IndexEntry], list[IndexEntry]]]:
        """Yield, newest first, each commit that changed a file of the model (of any model, for None).

        Each item is the commit, the entries that begin at it and the entries that end at it.
        """
        where, args = ("", []) if model is None else (f"AND model = ? AND {_OF_MODELS}", [model])
        seqs = self._run(
            f"SELECT DISTINCT at FROM (SELECT since AS at FROM documents WHERE since <= ? {where} "
            f"UNION SELECT until FROM documents WHERE until <= ? {where}) ORDER BY at DESC",
            (seq, *args, seq, *args),
        )
        for (at,) in seqs:
            began, ended = (
                [
                    IndexEntry(*row)
                    for row in self._run(
                        f"SELECT {_ENTRY} FROM documents d WHERE {column} = ? {where} ORDER BY kind, model, name",
                        (at, *args),
                    )
                ]
                for column in ("since", "until")
            )
            yield self.moment(at), began, ended

    def copied(self) -> Index:
        """Return an in-memory copy of the index, which may be extended independently; an empty one if copying fails."""
        copy = open_index(None)
        try:
            with self._lock:
                self._db.backup(copy._db)
        except sqlite3.DatabaseError:  # damaged, or locked by another process: the missing commits are read again
            copy.close()
            copy = open_index(None)
        return copy

    def detached(self) -> Index:
        """Return a new index on the same file, for later commits; this one goes on as an in-memory copy.

        Following a rewritten branch removes indexed commits. Snapshots that still use this index must not see one half
        of the old line and one half of the new.
        """
        aside = self.copied()
        with self._lock:
            if self._path is not None:
                ours, copy = self._db, aside._db
                for index in (self, aside):
                    index._closing.detach()
                self._own(copy)
                aside._own(ours)
                self._path, aside._path = None, self._path
        return aside

    # -- writing -----------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the index for one writer in a transaction: all changes are kept, or none."""
        with self._lock:
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                    self._db.execute("ROLLBACK")
                raise

    def rewind(self, seq: int) -> None:
        """Remove all commits after a position from the index; 0 removes all."""
        self._run("DELETE FROM documents WHERE since > ?", (seq,))
        self._run("UPDATE documents SET until = NULL WHERE until > ?", (seq,))
        self._run("DELETE FROM commits WHERE seq > ?", (seq,))

    def sealed_digest(self, seq: int, model: str, name: str) -> str | None:
        """Return the sha256 (hexadecimal) of a version's record as first written; None if there is no such record."""
        row = self._one(
            "SELECT digest FROM documents WHERE kind = 'model_version' AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since LIMIT 1",
            (model, name, seq),
        )
        return row[0] if row else None

    def extend(self, line: Iterable[tuple[Commit, Iterable[tuple[Key, FileColumns | None]], bool]]) -> None:
        """Add the next commits of the first-parent line.

        Parameters
        ----------
        line:
            For each commit: the commit, its changed keys with their parsed files (None for removed ones), and True if a
            shallow clone ends at it.
        """
        head = self.head()
        seq, latest = (head[0], self.moment(head[0]).latest) if head else (0, 0)
        if not head:  # one sort of all rows at the end is faster than one insertion per row
            for name in LOOKUPS:
                self._run(f"DROP INDEX IF EXISTS {name}")
        batch = IndexRows()
        for commit, changes, boundary in line:
            seq, latest = seq + 1, max(latest, commit.committer.time)
            batch.add(seq, commit, changes, latest=latest, boundary=boundary)
            if batch.full:
                self._write(batch)
                batch = IndexRows()
        self._write(batch)
        if not head:
            for name, on in LOOKUPS.items():
                self._run(f"CREATE INDEX {name} ON {on}")

    def _write(self, batch: IndexRows) -> None:
        for sql, rows in batch.statements():
            self._run(sql, rows, many=True)


_ENTRY = "d.kind, d.model, d.name, d.since, d.until, d.digest, d.data, d.problem"
_MOMENT = "seq, oid, author, email, committer, time, offset, latest, message, boundary"
_OF_MODELS = "kind NOT IN ('artifact', 'run')"  # in these, column "model" is an artifact or a pipeline
_STANDS = "d.since <= ? AND (d.until IS NULL OR d.until > ?)"


def _counts(hidden: int) -> str:
    """Return an SQL condition: ``d`` is a version record that stands and is not hidden; two indexes alone answer it."""
    return (
        f"d.number IS NOT NULL AND {_STANDS} AND NOT EXISTS (SELECT 1 FROM documents a WHERE a.hidden > 0 "
        f"AND a.hidden & {hidden} AND a.model = d.model AND a.name = d.name AND {_STANDS.replace('d.', 'a.')})"
    )


def _moment(row: tuple[Any, ...]) -> BranchCommit:
    *fields, boundary = row
    return BranchCommit._make((*fields, bool(boundary)))


def open_index(path: Path | None) -> Index:
    """Open the index at a path; with None, or in a folder that cannot be written, create one in memory."""
    return Index(*open_database(path))
