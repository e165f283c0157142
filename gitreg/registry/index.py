"""The derived index: every document of the branch, parsed, with the commits between which it stood.

Git objects never change, so neither does what is derived from them: the index is never stale, only behind, and then
it reads the commits that are missing. It is one SQLite file; deleting it costs one rebuild. Each row says from which
first-parent commit (``since``) to which (``until``) a file said what it said, so that one table answers what holds
now, what held then, and what was moved when.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gitreg.errors import Conflict, GitregError
from gitreg.names import as_number, nfc
from gitreg.registry.batch import HIDDEN_DELETED, HIDDEN_YANKED, Batch, Derived
from gitreg.registry.index_file import LOOKUPS, discard, is_busy, open_database

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
"""What says that the file cannot be used, and nothing of what is in it."""


class _Row(NamedTuple):
    """The columns of one row of ``documents``, but for those that only queries ask for."""

    kind: str
    model: str
    name: str
    since: int
    until: int | None
    digest: str
    text: str | None
    problem: str | None


class Entry(_Row):
    """One file as it stood during some commits.

    Parameters
    ----------
    text:
        What it says, as JSON or as its own text (:mod:`gitreg.documents.canonical`); None where it cannot be read.
    problem:
        Why it cannot be read.
    digest:
        The sha256 of its bytes, in hexadecimal.
    """

    @cached_property
    def data(self) -> dict[str, Any] | None:
        """What it says; None where it cannot be read."""
        if self.text is None:
            return None
        if self.text.startswith("{"):
            said: dict[str, Any] = json.loads(self.text)
            return said
        from gitreg.documents.canonical import read  # lists of names, and completion, read no record

        return read(self.text)


class Moment(NamedTuple):
    """One commit of the branch's first-parent line.

    Parameters
    ----------
    seq:
        Its place on the line, counted from 1.
    committer:
        Who committed it, as ``Name <email>``; None where that is the author.
    time, offset:
        The committer's, in seconds since the epoch and minutes east of UTC.
    latest:
        The latest time up to here.
    boundary:
        Whether a shallow clone was cut off here.
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


class Index:
    """An open index, in a file or in memory. Safe between processes and between threads, which take turns.

    ``failed`` is how its file was found useless while it was open: ``damaged`` (the file has been removed), or
    ``unwritable`` (a full disk, a folder made read-only). Another one has to be opened in its place.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        self._lock = threading.RLock()  # a thread that writes keeps the others out until all is written
        self._closed = False
        self._db = connection
        self._path = path
        self.failed: Literal["damaged", "unwritable"] | None = None

    def __del__(self) -> None:
        # Who replaces an index leaves it to the snapshots that are still read; the last of them closes the file.
        self._db.close()

    def _run(self, sql: str, arguments: Sequence[Any] = (), *, many: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows, read to the end: no thread holds a cursor while another writes."""
        if not many:  # names are kept in NFC, and asked for so, whoever spells them in another way
            arguments = [nfc(each) if isinstance(each, str) else each for each in arguments]
        with self._lock:
            if self._closed:
                raise GitregError(
                    "the registry was closed while it was being read", hint="close it when all threads are done"
                )
            try:
                done = self._db.executemany(sql, arguments) if many else self._db.execute(sql, arguments)
                return done.fetchall()
            except sqlite3.ProgrammingError:  # ours
                raise
            except sqlite3.DatabaseError as error:
                raise self._trouble(error) from None

    def _one(self, sql: str, arguments: Sequence[Any] = ()) -> Any:
        """Run a statement and return its first row; None where there is none."""
        return next(iter(self._run(sql, arguments)), None)

    def _trouble(self, error: sqlite3.DatabaseError) -> Exception:
        """Return the error for what SQLite says; a file that is damaged is removed."""
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
        """Close the file, when no thread is reading or writing."""
        with self._lock:
            self._closed = True
            self._db.close()

    # -- where things stand ------------------------------------------------------------------------------------------

    def position(self, commit: str) -> int | None:
        """Give the place of a commit on the indexed line; None where it is not on it."""
        row = self._one("SELECT seq FROM commits WHERE oid = ?", (commit,))
        return row[0] if row else None

    def head(self) -> tuple[int, str] | None:
        """Give the place and the id of the newest commit indexed."""
        row = self._one("SELECT seq, oid FROM commits ORDER BY seq DESC LIMIT 1")
        return (row[0], row[1]) if row else None

    def moment(self, seq: int) -> Moment:
        """Give the commit at a place."""
        row = self._one(f"SELECT {_MOMENT} FROM commits WHERE seq = ?", (seq,))
        if row is None:
            raise Conflict("another process followed a rewritten history while this one was read", hint="try again")
        return _moment(row)

    def before(self, time: int) -> int | None:
        """Return the newest place whose committer names no later time."""
        row = self._one("SELECT seq FROM commits WHERE time <= ? ORDER BY seq DESC LIMIT 1", (time,))
        return row[0] if row else None

    def positions(self, commits: Sequence[str]) -> dict[str, int]:
        """Return the places of those commits that are on the indexed line."""
        sql = "SELECT oid, seq FROM commits WHERE oid IN (SELECT value FROM json_each(?))"
        return dict(self._run(sql, (json.dumps(commits),))) if commits else {}

    def latest_time(self, seq: int, time: int) -> int | None:
        """Give the latest time, not after ``time``, that a commit up to ``seq`` names; None where all are later."""
        row = self._one("SELECT max(time) FROM commits WHERE seq <= ? AND time <= ?", (seq, time))
        latest: int | None = row[0]
        return latest

    # -- what stands there -------------------------------------------------------------------------------------------

    def get(self, seq: int, kind: str, model: str, name: str) -> Entry | None:
        """Give one file as it stands at a place."""
        row = self._one(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND {_STANDS}",
            (kind, model, name, seq, seq),
        )
        return Entry(*row) if row else None

    def scan(self, seq: int, kind: str, model: str | None = None) -> Iterator[Entry]:
        """Give the files of a kind that stand at a place, of one model or of all, by model and name."""
        where, args = ("kind = ?", [kind]) if model is None else ("kind = ? AND model = ?", [kind, model])
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE {where} AND {_STANDS} ORDER BY model, name", (*args, seq, seq)
        )
        return map(Entry._make, rows)

    def names(self, seq: int, kind: str, model: str) -> list[str]:
        """Return the names of the files of a kind that stand at a place, of one model."""
        rows = self._run(
            f"SELECT name FROM documents d WHERE kind = ? AND model = ? AND {_STANDS} ORDER BY name",
            (kind, model, seq, seq),
        )
        return [row[0] for row in rows]

    def models(self, seq: int) -> list[str]:
        """Give the names of the models that have any file at a place."""
        rows = self._run(
            f"SELECT DISTINCT model FROM documents d WHERE model != '' AND {_OF_MODELS} AND {_STANDS}", (seq, seq)
        )
        return sorted(row[0] for row in rows)

    def by_number(self, seq: int, model: str, number: int) -> Entry | None:
        """Give the record of a model's version by its number."""
        row = self._one(
            f"SELECT {_ENTRY} FROM documents d WHERE model = ? AND number = ? AND {_STANDS} ORDER BY since",
            (model, number, seq, seq),
        )
        return Entry(*row) if row else None

    def by_digest(self, seq: int, model: str, prefix: str) -> list[Entry]:
        """Give the records of a model whose own digest begins with ``prefix``."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = 'model_version' AND digest >= ? AND digest < ? "
            f"AND model = ? AND {_STANDS} ORDER BY number",
            (prefix, prefix + "g", model, seq, seq),
        )
        return [Entry(*row) for row in rows]

    def highest_number(self, seq: int, model: str) -> int:
        """Give the highest number ever given to a version of the model, deleted ones too; 0 where there is none."""
        row = self._one(
            "SELECT max(number) FROM documents d WHERE model = ? AND number IS NOT NULL AND since <= ?", (model, seq)
        )
        # A record that cannot be read may hold the number that it is named after.
        broken = self._run(
            "SELECT name FROM documents WHERE problem IS NOT NULL AND kind = 'model_version' AND model = ? "
            "AND since <= ?",
            (model, seq),
        )
        return max([row[0] or 0, *(as_number(name) or 0 for (name,) in broken)])

    def names_ever(self, seq: int, kind: str, model: str) -> int:
        """Give how many names the files of a kind have ever had, of one model, artifact or pipeline."""
        row = self._one(
            "SELECT count(DISTINCT name) FROM documents WHERE kind = ? AND model = ? AND since <= ?", (kind, model, seq)
        )
        number: int = row[0]
        return number

    def first_record(self, seq: int) -> int | None:
        """Return the place of the commit that brought the first record of a version; None where there is none."""
        row = self._one(
            "SELECT min(since) FROM documents WHERE kind IN ('model_version', 'artifact') AND since <= ?", (seq,)
        )
        place: int | None = row[0]
        return place

    def latest(self, seq: int, model: str | None = None) -> dict[str, str]:
        """Give each model's version of the highest number that is neither deleted nor yanked, by its name."""
        rows = self._run(
            f"SELECT d.model, d.name, max(d.number) FROM documents d WHERE {_counts(HIDDEN_DELETED | HIDDEN_YANKED)} "
            f"{'AND d.model = ?' if model is not None else ''} GROUP BY d.model",
            (seq, seq, seq, seq, *([model] if model is not None else [])),
        )
        return {row[0]: row[1] for row in rows}

    def count_versions(self, seq: int) -> dict[str, int]:
        """Give the number of each model's versions that are not deleted."""
        rows = self._run(
            f"SELECT d.model, count(*) FROM documents d WHERE {_counts(HIDDEN_DELETED)} GROUP BY d.model",
            (seq, seq, seq, seq),
        )
        return dict(rows)

    def problems(self, seq: int) -> list[Entry]:
        """Give the files that cannot be read."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE problem IS NOT NULL AND {_STANDS} ORDER BY model, name", (seq, seq)
        )
        return [Entry(*row) for row in rows]

    def history(self, seq: int, kind: str, model: str, name: str) -> list[Entry]:
        """Give all that one file ever said up to a place, newest first."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since DESC",
            (kind, model, name, seq),
        )
        return [Entry(*row) for row in rows]

    def ever(self, seq: int, kind: str) -> Iterator[Entry]:
        """Give all that files of a kind ever said up to a place."""
        return map(
            Entry._make, self._run(f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND since <= ?", (kind, seq))
        )

    def removed(self, seq: int, kind: str) -> list[Entry]:
        """Give the files of a kind that ended at some place, the newest of each."""
        rows = self._run(
            f"SELECT {_ENTRY}, max(d.since) FROM documents d WHERE kind = ? AND until <= ? GROUP BY model, name",
            (kind, seq),
        )
        return [Entry(*row[:-1]) for row in rows]

    def last_touched(self, seq: int, kind: str) -> list[tuple[str, str, int]]:
        """Give, for each file of a kind that ever was, its model, its name and the place that changed it last."""
        return self._run(
            "SELECT model, name, max(max(since), coalesce(max(CASE WHEN until <= ? THEN until END), 0)) "
            "FROM documents WHERE kind = ? AND since <= ? GROUP BY model, name",
            (seq, kind, seq),
        )

    def touched(self, seq: int, model: str | None = None) -> Iterator[tuple[Moment, list[Entry], list[Entry]]]:
        """Give, newest first, each commit that changed a file of the model (of any, for None).

        With each commit go the entries that began there and those that ended there.
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
                    Entry(*row)
                    for row in self._run(
                        f"SELECT {_ENTRY} FROM documents d WHERE {column} = ? {where} ORDER BY kind, model, name",
                        (at, *args),
                    )
                ]
                for column in ("since", "until")
            )
            yield self.moment(at), began, ended

    def copied(self) -> Index:
        """Give a copy in memory, which may go on in another way than this one; an empty one where that fails."""
        copy = open_index(None)
        try:
            with self._lock:
                self._db.backup(copy._db)
        except sqlite3.DatabaseError:  # damaged, or in others' hands: what is missing is read again
            copy.close()
            copy = open_index(None)
        return copy

    def detached(self) -> Index:
        """Return another index of the same file, for what follows; who reads this one goes on with a copy in memory.

        A line that is rewritten takes back what was indexed, and nobody shall see half of one line and half of another.
        """
        aside = self.copied()
        with self._lock:
            if self._path is not None:
                self._db, aside._db = aside._db, self._db
                self._path, aside._path = None, self._path
        return aside

    # -- growing -----------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the index for one writer; all or nothing is kept."""
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
        """Forget all commits after a place; 0 forgets everything."""
        self._run("DELETE FROM documents WHERE since > ?", (seq,))
        self._run("UPDATE documents SET until = NULL WHERE until > ?", (seq,))
        self._run("DELETE FROM commits WHERE seq > ?", (seq,))

    def sealed_digest(self, seq: int, model: str, name: str) -> str | None:
        """Give the digest of a version's record as it was first written."""
        row = self._one(
            "SELECT digest FROM documents WHERE kind = 'model_version' AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since LIMIT 1",
            (model, name, seq),
        )
        return row[0] if row else None

    def extend(self, line: Iterable[tuple[Commit, Iterable[tuple[Key, Derived | None]], bool]]) -> None:
        """Add the next commits of the line.

        Parameters
        ----------
        line:
            Each commit, its keys with what is derived of their files (None for removed ones), and whether a shallow
            clone was cut off there.
        """
        head = self.head()
        seq, latest = (head[0], self.moment(head[0]).latest) if head else (0, 0)
        if not head:  # sorting all rows at the end is faster than finding each one's place
            for name in LOOKUPS:
                self._run(f"DROP INDEX IF EXISTS {name}")
        batch = Batch()
        for commit, changes, boundary in line:
            seq, latest = seq + 1, max(latest, commit.committer.time)
            batch.add(seq, commit, changes, latest=latest, boundary=boundary)
            if batch.full:
                self._write(batch)
                batch = Batch()
        self._write(batch)
        if not head:
            for name, on in LOOKUPS.items():
                self._run(f"CREATE INDEX {name} ON {on}")

    def _write(self, batch: Batch) -> None:
        for sql, rows in batch.statements():
            self._run(sql, rows, many=True)


_ENTRY = "d.kind, d.model, d.name, d.since, d.until, d.digest, d.data, d.problem"
_MOMENT = "seq, oid, author, email, committer, time, offset, latest, message, boundary"
_OF_MODELS = "kind NOT IN ('artifact', 'run')"  # whose names may be those of models
_STANDS = "d.since <= ? AND (d.until IS NULL OR d.until > ?)"


def _counts(hidden: int) -> str:
    """Say in SQL that ``d`` is a record that stands and is not hidden so; answered from two indexes alone."""
    return (
        f"d.number IS NOT NULL AND {_STANDS} AND NOT EXISTS (SELECT 1 FROM documents a WHERE a.hidden > 0 "
        f"AND a.hidden & {hidden} AND a.model = d.model AND a.name = d.name AND {_STANDS.replace('d.', 'a.')})"
    )


def _moment(row: tuple[Any, ...]) -> Moment:
    *said, boundary = row
    return Moment._make((*said, bool(boundary)))


def open_index(path: Path | None) -> Index:
    """Open the index at a path; None, or a folder that cannot be written to, gives a new one in memory."""
    return Index(*open_database(path))
