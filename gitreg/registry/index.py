"""The derived index: every document of the branch, parsed, with the commits between which it stood.

Git objects never change, so neither does what is derived from them: the index is never stale, only behind, and then
it reads the commits that are missing. It is one SQLite file; deleting it costs one rebuild. Each row says from which
first-parent commit (``since``) to which (``until``) a file said what it said, so that one table answers what holds
now, what held then, and what was moved when.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gitreg.errors import Conflict, InvalidDocument
from gitreg.names import as_number

if TYPE_CHECKING:
    from gitreg.git import Commit, Oversized, Repository

VERSION = 3
"""The version of the index's own format; a file of another version is rebuilt."""

HIDDEN_DELETED = 1
HIDDEN_YANKED = 2

_BUSY_SECONDS = 30.0
_OUTSIDE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)
"""What says that the file cannot be used, and nothing of what is in it."""

_TABLES = """
CREATE TABLE commits (
  seq INTEGER PRIMARY KEY,
  oid TEXT NOT NULL UNIQUE,
  author TEXT NOT NULL,
  email TEXT NOT NULL,
  time INTEGER NOT NULL,
  offset INTEGER NOT NULL,
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
CREATE INDEX by_number ON documents (model, number, since, until, name) WHERE number IS NOT NULL;
CREATE INDEX by_hidden ON documents (model, name, since, until, hidden) WHERE hidden > 0;
CREATE INDEX by_digest ON documents (digest) WHERE kind = 'model_version';
CREATE INDEX by_since ON documents (since);
CREATE INDEX by_until ON documents (until) WHERE until IS NOT NULL;
CREATE INDEX by_problem ON documents (since) WHERE problem IS NOT NULL;
"""


class Entry(NamedTuple):
    """One file as it stood during some commits.

    Parameters
    ----------
    data:
        What it says; None where it cannot be read.
    problem:
        Why it cannot be read.
    digest:
        The sha256 of its bytes, in hexadecimal.
    """

    kind: str
    model: str
    name: str
    since: int
    until: int | None
    digest: str
    data: dict[str, Any] | None
    problem: str | None


class Moment(NamedTuple):
    """One commit of the branch's first-parent line.

    Parameters
    ----------
    seq:
        Its place on the line, counted from 1.
    time, offset:
        The committer's, in seconds since the epoch and minutes east of UTC.
    boundary:
        Whether a shallow clone was cut off here.
    """

    seq: int
    oid: str
    author: str
    email: str
    time: int
    offset: int
    message: str
    boundary: bool


class Index:
    """An open index, in a file or in memory. Safe between processes; used by one thread at a time.

    ``failed`` is how its file was found useless while it was open: ``damaged`` (the file has been removed), or
    ``unwritable`` (a full disk, a folder made read-only). Another one has to be opened in its place.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        self._db = connection
        self._path = path
        self.failed: Literal["damaged", "unwritable"] | None = None

    def _run(self, sql: str, arguments: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, arguments)
        except sqlite3.ProgrammingError:  # ours: it is closed, or in another thread's hands
            raise
        except sqlite3.DatabaseError as error:
            if _is_busy(error):
                raise Conflict("another process is writing the index", hint="try again") from None
            if self._path is None:
                raise
            if error.sqlite_errorcode & 0xFF in _OUTSIDE:
                self.failed = "unwritable"
                raise Conflict(f"the index {self._path} cannot be used: {error}", hint="try again") from None
            self.failed = "damaged"
            discard(self._path)
            raise Conflict(f"the index {self._path} was damaged and has been removed", hint="try again") from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- where things stand ------------------------------------------------------------------------------------------

    def position(self, commit: str) -> int | None:
        """Give the place of a commit on the indexed line; None where it is not on it."""
        row = self._run("SELECT seq FROM commits WHERE oid = ?", (commit,)).fetchone()
        return row[0] if row else None

    def head(self) -> tuple[int, str] | None:
        """Give the place and the id of the newest commit indexed."""
        row = self._run("SELECT seq, oid FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else None

    def moment(self, seq: int) -> Moment:
        """Give the commit at a place."""
        row = self._run(f"SELECT {_MOMENT} FROM commits WHERE seq = ?", (seq,)).fetchone()
        return _moment(row)

    def before(self, time: int, seq: int) -> int | None:
        """Give the newest place, not after ``seq``, whose commit is not later than ``time``."""
        row = self._run(
            "SELECT seq FROM commits WHERE seq <= ? AND time <= ? ORDER BY seq DESC LIMIT 1", (seq, time)
        ).fetchone()
        return row[0] if row else None

    # -- what stands there -------------------------------------------------------------------------------------------

    def get(self, seq: int, kind: str, model: str, name: str) -> Entry | None:
        """Give one file as it stands at a place."""
        row = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND {_STANDS}",
            (kind, model, name, seq, seq),
        ).fetchone()
        return _entry(row) if row else None

    def scan(self, seq: int, kind: str, model: str | None = None) -> Iterator[Entry]:
        """Give the files of a kind that stand at a place, of one model or of all, by model and name."""
        where, args = ("kind = ?", [kind]) if model is None else ("kind = ? AND model = ?", [kind, model])
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE {where} AND {_STANDS} ORDER BY model, name", (*args, seq, seq)
        )
        return map(_entry, rows)

    def models(self, seq: int) -> list[str]:
        """Give the names of the models that have any file at a place."""
        rows = self._run(f"SELECT DISTINCT model FROM documents d WHERE model != '' AND {_STANDS}", (seq, seq))
        return sorted(row[0] for row in rows)

    def by_number(self, seq: int, model: str, number: int) -> Entry | None:
        """Give the record of a model's version by its number."""
        row = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE model = ? AND number = ? AND {_STANDS} ORDER BY since",
            (model, number, seq, seq),
        ).fetchone()
        return _entry(row) if row else None

    def by_digest(self, seq: int, model: str, prefix: str) -> list[Entry]:
        """Give the records of a model whose own digest begins with ``prefix``."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = 'model_version' AND digest >= ? AND digest < ? "
            f"AND model = ? AND {_STANDS} ORDER BY number",
            (prefix, prefix + "g", model, seq, seq),
        )
        return [_entry(row) for row in rows]

    def highest_number(self, seq: int, model: str) -> int:
        """Give the highest number ever given to a version of the model, deleted ones too; 0 where there is none."""
        row = self._run(
            "SELECT max(number) FROM documents d WHERE model = ? AND number IS NOT NULL AND since <= ?", (model, seq)
        ).fetchone()
        # A record that cannot be read may hold the number that it is named after.
        broken = self._run(
            "SELECT name FROM documents WHERE problem IS NOT NULL AND kind = 'model_version' AND model = ? "
            "AND since <= ?",
            (model, seq),
        )
        return max([row[0] or 0, *(as_number(name) or 0 for (name,) in broken)])

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
        return dict(rows.fetchall())

    def problems(self, seq: int) -> list[Entry]:
        """Give the files that cannot be read."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE problem IS NOT NULL AND {_STANDS} ORDER BY model, name", (seq, seq)
        )
        return [_entry(row) for row in rows]

    def history(self, seq: int, kind: str, model: str, name: str) -> list[Entry]:
        """Give all that one file ever said up to a place, newest first."""
        rows = self._run(
            f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since DESC",
            (kind, model, name, seq),
        )
        return [_entry(row) for row in rows]

    def ever(self, seq: int, kind: str) -> Iterator[Entry]:
        """Give all that files of a kind ever said up to a place."""
        return map(_entry, self._run(f"SELECT {_ENTRY} FROM documents d WHERE kind = ? AND since <= ?", (kind, seq)))

    def removed(self, seq: int, kind: str) -> list[Entry]:
        """Give the files of a kind that ended at some place, the newest of each."""
        rows = self._run(
            f"SELECT {_ENTRY}, max(d.since) FROM documents d WHERE kind = ? AND until <= ? GROUP BY model, name",
            (kind, seq),
        )
        return [_entry(row[:-1]) for row in rows]

    def last_touched(self, seq: int, kind: str) -> list[tuple[str, str, int]]:
        """Give, for each file of a kind that ever was, its model, its name and the place that changed it last."""
        rows = self._run(
            "SELECT model, name, max(max(since), coalesce(max(CASE WHEN until <= ? THEN until END), 0)) "
            "FROM documents WHERE kind = ? AND since <= ? GROUP BY model, name",
            (seq, kind, seq),
        )
        return rows.fetchall()

    def touched(self, seq: int, model: str | None = None) -> Iterator[tuple[Moment, list[Entry], list[Entry]]]:
        """Give, newest first, each commit that changed a file of the model (of any, for None).

        With each commit go the entries that began there and those that ended there.
        """
        where, args = ("", []) if model is None else ("AND model = ?", [model])
        seqs = self._run(
            f"SELECT DISTINCT at FROM (SELECT since AS at FROM documents WHERE since <= ? {where} "
            f"UNION SELECT until FROM documents WHERE until <= ? {where}) ORDER BY at DESC",
            (seq, *args, seq, *args),
        ).fetchall()
        for (at,) in seqs:
            began, ended = (
                [
                    _entry(row)
                    for row in self._run(
                        f"SELECT {_ENTRY} FROM documents d WHERE {column} = ? {where} ORDER BY kind, model, name",
                        (at, *args),
                    )
                ]
                for column in ("since", "until")
            )
            yield self.moment(at), began, ended

    # -- growing -----------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the index for one writer; all or nothing is kept."""
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
        row = self._run(
            "SELECT digest FROM documents WHERE kind = 'model_version' AND model = ? AND name = ? AND since <= ? "
            "ORDER BY since LIMIT 1",
            (model, name, seq),
        ).fetchone()
        return row[0] if row else None

    def append(
        self, commit: Commit, changes: Iterator[tuple[Any, bytes | Oversized | None]], *, boundary: bool
    ) -> None:
        """Add the next commit of the line: its keys with their new bytes, None for removed files."""
        head = self.head()
        seq = head[0] + 1 if head else 1
        who = commit.author
        self._run(
            "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                commit.oid,
                who.name,
                who.email,
                commit.committer.time,
                commit.committer.offset,
                commit.message,
                int(boundary),
            ),
        )
        for key, content in changes:
            place = (key.kind, key.model, key.name)
            self._run(
                "UPDATE documents SET until = ? WHERE kind = ? AND model = ? AND name = ? AND until IS NULL",
                (seq, *place),
            )
            if content is not None:
                self._run(
                    "INSERT INTO documents VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)",
                    (*place, seq, *_derive(key, content)),
                )


_ENTRY = "d.kind, d.model, d.name, d.since, d.until, d.digest, d.data, d.problem"
_MOMENT = "seq, oid, author, email, time, offset, message, boundary"
_STANDS = "d.since <= ? AND (d.until IS NULL OR d.until > ?)"


def _counts(hidden: int) -> str:
    """Say in SQL that ``d`` is a record that stands and is not hidden so; answered from two indexes alone."""
    return (
        f"d.number IS NOT NULL AND {_STANDS} AND NOT EXISTS (SELECT 1 FROM documents a WHERE a.hidden > 0 "
        f"AND a.hidden & {hidden} AND a.model = d.model AND a.name = d.name AND {_STANDS.replace('d.', 'a.')})"
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    kind, model, name, since, until, digest, data, problem = row
    return Entry(kind, model, name, since, until, digest, json.loads(data) if data is not None else None, problem)


def _moment(row: tuple[Any, ...]) -> Moment:
    seq, oid, author, email, time, offset, message, boundary = row
    return Moment(seq, oid, author, email, time, offset, message, bool(boundary))


def _derive(key: Any, content: bytes | Oversized) -> tuple[str, int | None, int, str | None, str | None]:
    """Give digest, number, hidden, data and problem of a file."""
    from hashlib import sha256  # these two are only needed for what is not indexed yet

    from gitreg.documents.files import read_data
    from gitreg.documents.yaml import too_long

    # An annotation that cannot be read may say that its version is withdrawn.
    unread = HIDDEN_YANKED if key.kind == "annotation" else 0
    if not isinstance(content, bytes):  # in the digest's place is Git's name for it
        return f"git:{content.oid}", None, unread, None, str(too_long(key.path, content.size))
    digest = sha256(content).hexdigest()
    if key.kind == "card":
        return digest, None, 0, json.dumps({"text": content.decode(errors="replace")}), None
    try:
        data = read_data(key, content)
    except InvalidDocument as error:
        return digest, None, unread, None, str(error)
    number = data["number"] if key.kind == "model_version" else None
    hidden = 0
    if key.kind == "annotation":
        hidden = HIDDEN_DELETED * bool(data.get("deleted")) + HIDDEN_YANKED * bool(data.get("yanked"))
    return digest, number, hidden, json.dumps(data, ensure_ascii=False, separators=(",", ":")), None


# -- opening ---------------------------------------------------------------------------------------------------------


def open_index(path: Path | None) -> Index:
    """Open the index at a path, or a new one in memory.

    A file that is no index, or one of another version, is removed and begun anew. A folder that cannot be written to
    gives an index in memory.

    Parameters
    ----------
    path:
        The SQLite file; None for memory.
    """
    if path is None:
        return _create(":memory:")
    try:
        return _open(path)
    except _OtherVersionError:
        pass
    except sqlite3.DatabaseError as error:
        if _is_busy(error):
            return _create(":memory:")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            try:
                return _open(path)  # another process may have made it meanwhile
            except (_OtherVersionError, sqlite3.DatabaseError):
                _remove(path)
                return _create_file(path)
    except (OSError, sqlite3.DatabaseError):
        return _create(":memory:")


def discard(path: Path) -> None:
    """Remove an index with all that SQLite keeps beside it; where that is not allowed it stays."""
    with suppress(OSError), _alone(path):
        _remove(path)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from removing or making the file: two files sharing one ``-wal`` spoil one another."""
    from filelock import FileLock  # only where the index has to be made

    with FileLock(f"{path}.lock", timeout=_BUSY_SECONDS):  # its Timeout is an OSError
        yield


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _OtherVersionError(Exception):
    pass


def _open(path: Path) -> Index:
    if not path.exists():
        raise _OtherVersionError
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            raise _OtherVersionError
        db.execute("SELECT 1 FROM commits JOIN documents ON since = seq LIMIT 1").fetchone()
    except BaseException:
        db.close()
        raise
    return Index(db, path)


def _create(path: str) -> Index:
    db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return Index(db)


def _create_file(path: Path) -> Index:
    """Make the file aside and put it in its place, so that nobody sees half of one."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        aside.unlink()
    index = _create(str(aside))
    index._db.execute("PRAGMA journal_mode = WAL")
    index.close()
    os.replace(aside, path)
    return _open(path)


# -- catching up -----------------------------------------------------------------------------------------------------


def catch_up(index: Index, repository: Repository, commit: str, root: str) -> int:
    """Bring the index to a commit and give the commit's place.

    Parameters
    ----------
    commit:
        The commit to reach; what is on its first-parent line and not indexed is read.
    root:
        The registry's folder inside the repository, "" for the top.

    """
    from gitreg.documents.layout import parse_path  # not needed while the index is warm
    from gitreg.documents.yaml import MAX_BYTES

    place = index.position(commit)
    if place is not None:
        return place
    with index.writing():
        place = index.position(commit)
        if place is not None:  # another process brought it there, and further, while this one waited its turn
            return place
        head = index.head()
        known = head[1] if head else None
        missing = repository.line(commit, until=known)[::-1]
        if known is not None and (not missing or not repository.follows(missing[0], known)):
            # The branch was rewritten: what it shares with the line that was indexed stays.
            shared = next((seq for oid in reversed(missing) if (seq := index.position(oid)) is not None), 0)
            index.rewind(shared)
            known = index.moment(shared).oid if shared else None
            missing = repository.line(commit, until=known)[::-1]
        cut = bool(missing) and repository.is_boundary(missing[0])  # a line ends where a shallow clone was cut off
        for each, files in repository.replay(known, missing, root, limit=MAX_BYTES):
            changes = (
                (key, content)
                for path, content in files
                if (key := parse_path(path[len(root) + 1 :] if root else path))
            )
            index.append(each, changes, boundary=cut and each.oid == missing[0])
    place = index.position(commit)
    assert place is not None
    return place
