"""The verdicts on files, each found once: by the sha256 of what was looked at, in a file of the user's own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

from gitreg.contents import CODE, DATA, RULES, Finding, worst

_MOST = 64 << 20  # bytes of the file; then it begins anew
_SCHEMA = "create table if not exists verdicts (sha256 text primary key, verdict text, why text) without rowid"
_ASKED = "select verdict, why from verdicts where sha256 = ?"
_LISTED_FILES = 1000
_OF_ALL = "*"


class Verdicts:
    """The verdicts that are known; safe for threads and between processes, and lost without harm.

    Parameters
    ----------
    folder:
        Where they are kept: a file for each number of the rules.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"verdicts-{RULES}.sqlite"
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = False

    def find(self, sha256: str) -> Finding | None:
        """Return the verdict on the content of a hash; None where it is not known."""
        with self._lock, suppress(sqlite3.Error):
            if (connection := self._open()) is not None:
                row = connection.execute(_ASKED, (sha256,)).fetchone()
                return Finding(str(row[0]), str(row[1])) if row else None
        return None

    def find_all(self, digests: Iterable[str]) -> dict[str, Finding]:
        """Return the verdicts that are known, by hash; in one transaction, for it is asked for many at once."""
        found: dict[str, Finding] = {}
        with self._lock, suppress(sqlite3.Error):
            if (connection := self._open()) is not None:
                connection.execute("begin")
                try:
                    for sha256 in digests:
                        row = connection.execute(_ASKED, (sha256,)).fetchone()
                        if row:
                            found[sha256] = Finding(str(row[0]), str(row[1]))
                finally:
                    connection.rollback()
        return found

    def keep(self, found: Mapping[str, Finding]) -> None:
        """Keep verdicts by the sha256 of what they are on; where that fails, only time is lost."""
        rows = [(sha256, finding.verdict, finding.why) for sha256, finding in found.items()]
        with self._lock, suppress(sqlite3.Error, OSError):
            if rows and (connection := self._open()) is not None:
                with connection:
                    if self._path.stat().st_size > _MOST:
                        connection.execute("delete from verdicts")
                    connection.executemany("insert or replace into verdicts values (?, ?, ?)", rows)

    def look(self, sha256: str, file: BinaryIO, *, keep: bool = True) -> Finding:
        """Return the verdict on a file of a known hash, which is looked through where that was not done before.

        Parameters
        ----------
        keep:
            Whether the whole file was held against that hash, so that the verdict may be kept.
        """
        found = self.find(sha256)
        if found is None:
            from gitreg.contents.scanner import scan  # what it brings in, no other command needs

            found = scan(file)
            if keep:
                self.keep({sha256: found})
        return found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._opened = None, False

    def _open(self) -> sqlite3.Connection | None:
        if not self._opened:
            self._opened = True
            with suppress(OSError, sqlite3.Error):
                self._connection = self._connected()
        return self._connection

    def _connected(self) -> sqlite3.Connection | None:
        """Return the file, open; one that is damaged is made anew."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            connection = sqlite3.connect(self._path, timeout=1, check_same_thread=False)
            try:
                connection.execute("pragma synchronous=off")
                connection.execute(_SCHEMA)
                connection.execute(_ASKED, ("",))
            except sqlite3.DatabaseError as error:
                connection.close()
                if isinstance(error, sqlite3.OperationalError):  # locked, or not to be written
                    return None
                self._path.unlink(missing_ok=True)
            else:
                return connection
        return None


def recorded(findings: Mapping[str, Finding]) -> dict[str, Any]:
    """Return what a record says of the verdicts on its files, by path: of those that are not plain data."""
    told = {path: finding for path, finding in findings.items() if finding.verdict != DATA}
    if told and len(findings) > _LISTED_FILES:
        told = {_OF_ALL: worst(finding.inside(path) for path, finding in told.items())}
    return {path: {"verdict": finding.verdict, "why": finding.why} for path, finding in told.items()}


def contents_row(scan: int | None, contents: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a record says of its files as plain data: the worst verdict, and the files that are not plain data.

    None where nobody looked.
    """
    found = worst_recorded(scan, contents)
    if found is None:
        return None
    return {"verdict": found.verdict, "files": {path: dict(said) for path, said in contents.items()}}


def worst_recorded(scan: int | None, contents: Mapping[str, Any]) -> Finding | None:
    """Return the worst verdict that a record says of its files; None where nobody looked."""
    if scan is None:
        return None
    return worst_of(as_recorded(contents, contents))


def worst_of(findings: Mapping[str, Finding]) -> Finding:
    """Return the worst of the verdicts on files, by path, which it names; plain data where there is none."""
    told = [finding if path == _OF_ALL else finding.inside(path) for path, finding in findings.items()]
    return worst(told) if told else Finding(DATA, "plain data")


def code_in(contents: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of what a record says can run code."""
    for path, said in contents.items():
        if said.get("verdict") == CODE:
            yield path, str(said.get("why", ""))


def as_recorded(contents: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Finding]:
    """Return what a record says of some of its files, by path; nothing of those that it does not speak of."""
    of_all = contents.get(_OF_ALL)
    found = {}
    for path in paths:
        told = contents.get(path, of_all)
        if isinstance(told, Mapping):
            found[path] = Finding(str(told.get("verdict", CODE)), str(told.get("why", "as the record says")))
    return found


class Difference(NamedTuple):
    """What a record says of a file, and what was found to be so.

    Parameters
    ----------
    path:
        The file's; ``*`` for all of an artifact together.
    """

    path: str
    recorded: str
    found: Finding

    def __str__(self) -> str:
        what = "the worst of its files" if self.path == _OF_ALL else self.path
        return f"{what} is {self.found.verdict} ({self.found.why}), and its record says {self.recorded}"

    def row(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"recorded": self.recorded, "found": self.found.verdict, "why": self.found.why}


def differences(
    scan: int | None, contents: Mapping[str, Any], found: Mapping[str, Finding], *, whole: bool
) -> Iterator[Difference]:
    """Yield where a record that was made by these rules says something else of files than was found.

    Parameters
    ----------
    scan, contents:
        The rules' number, and what the record says.
    found:
        The verdicts on the files, by path.
    whole:
        Whether these are all files of the artifact, so that they can be held against the worst of all.
    """
    if scan != RULES:
        return
    if _OF_ALL in contents:
        recorded = as_recorded(contents, [_OF_ALL])
        found = {_OF_ALL: worst(each.inside(path) for path, each in found.items())} if whole and found else {}
    else:
        recorded = as_recorded(contents, found)
    for path, finding in found.items():
        told = recorded[path].verdict if path in recorded else DATA
        if told != finding.verdict:
            yield Difference(path, told, finding)


def summarised(findings: Mapping[str, Finding]) -> Finding:
    """Return the verdicts on the files of a set as one, to be kept."""
    told = {path: found[:2] for path, found in findings.items() if found.verdict != DATA}
    return Finding(worst(findings.values()).verdict if findings else DATA, json.dumps(told))


def read_summary(finding: Finding) -> dict[str, Finding] | None:
    """Return the verdicts, by path, on the files that are not plain data, from what `summarised` made of them.

    None where it is damaged.
    """
    try:
        said = json.loads(finding.why).items()
        told = {path: Finding(str(verdict), str(why)) for path, (verdict, why) in said}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    kept = worst(told.values()).verdict if told else DATA
    return told if kept == finding.verdict else None
