"""The verdicts on files, cached by the sha256 of their content in a file of the user."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from gitreg import contents
from gitreg.contents import CODE, DATA, RULES, Finding, worst

if TYPE_CHECKING:
    from gitreg.blobs.files import FileEntry

_MOST = 64 << 20  # bytes; a larger file is emptied
_SCHEMA = "create table if not exists verdicts (sha256 text primary key, verdict text, why text) without rowid"
_ASKED = "select verdict, why from verdicts where sha256 = ?"
_LISTED_FILES = 1000
_OF_ALL = "*"


class ScanCache:
    """The cached verdicts; safe for threads and between processes, and lost without harm.

    Parameters
    ----------
    folder:
        The folder of the cache: one file for each version of the scanner's rules.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"verdicts-{RULES}.sqlite"
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = False

    def find(self, sha256: str) -> Finding | None:
        """Return the verdict on a content by its sha256 (hexadecimal); None if it is not in the cache."""
        with self._lock, suppress(sqlite3.Error):
            if (connection := self._open()) is not None:
                row = connection.execute(_ASKED, (sha256,)).fetchone()
                return Finding(str(row[0]), str(row[1])) if row else None
        return None

    def find_all(self, digests: Iterable[str]) -> dict[str, Finding]:
        """Return the cached verdicts by sha256, read in one transaction."""
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
        """Write verdicts into the cache, by sha256 of the content; errors are ignored and cost only time."""
        rows = [(sha256, finding.verdict, finding.why) for sha256, finding in found.items()]
        with self._lock, suppress(sqlite3.Error, OSError):
            if rows and (connection := self._open()) is not None:
                with connection:
                    if self._path.stat().st_size > _MOST:
                        connection.execute("delete from verdicts")
                    connection.executemany("insert or replace into verdicts values (?, ?, ?)", rows)

    def look(self, sha256: str, file: BinaryIO, *, keep: bool = True) -> Finding:
        """Return the verdict on a file of known sha256; it is scanned if the cache has no verdict.

        Parameters
        ----------
        sha256:
            The sha256 of the content, in hexadecimal.
        file:
            The open file.
        keep:
            True if the content was verified against its sha256, so that the verdict may be cached.
        """
        found = self.find(sha256)
        if found is None:
            found = contents.scanner.scan(file)
            if keep:
                self.keep({sha256: found})
        return found

    def look_in(self, folder: str | os.PathLike[str], entries: Iterable[FileEntry]) -> dict[str, Finding]:
        """Return the verdicts on verified files in a folder, by sha256; those without a cached verdict are scanned."""
        paths = {entry.sha256: entry.path for entry in entries}
        found = self.find_all(paths)
        new = {sha256: path for sha256, path in paths.items() if sha256 not in found}
        if new:
            looked = {sha256: contents.scanner.scan_path(os.path.join(folder, path)) for sha256, path in new.items()}
            self.keep(looked)
            found |= looked
        return found

    def close(self) -> None:
        """Close the cache file."""
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
        """Return the open cache file; a damaged one is removed and created anew, None if it cannot be used."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            connection = sqlite3.connect(self._path, timeout=1, check_same_thread=False)
            try:
                connection.execute("pragma synchronous=off")
                connection.execute(_SCHEMA)
                connection.execute(_ASKED, ("",))
            except sqlite3.DatabaseError as error:
                connection.close()
                if isinstance(error, sqlite3.OperationalError):  # locked, or not writable
                    return None
                self._path.unlink(missing_ok=True)
            else:
                return connection
        return None


def recorded(findings: Mapping[str, Finding]) -> dict[str, Any]:
    """Return the verdicts that a record stores, by path: those on files that are not plain data."""
    notable = {path: finding for path, finding in findings.items() if finding.verdict != DATA}
    if notable and len(findings) > _LISTED_FILES:
        notable = {_OF_ALL: worst(finding.inside(path) for path, finding in notable.items())}
    return {path: {"verdict": finding.verdict, "why": finding.why} for path, finding in notable.items()}


def contents_row(scan: int | None, contents: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the recorded verdicts as plain data: the worst one, and those on files that are not plain data.

    None if the files were not scanned.
    """
    found = worst_recorded(scan, contents)
    if found is None:
        return None
    return {"verdict": found.verdict, "files": {path: dict(verdict) for path, verdict in contents.items()}}


def worst_recorded(scan: int | None, contents: Mapping[str, Any]) -> Finding | None:
    """Return the worst recorded verdict; None if the files were not scanned."""
    if scan is None:
        return None
    return worst_of(as_recorded(contents, contents))


def worst_of(findings: Mapping[str, Finding]) -> Finding:
    """Return the worst of the verdicts on files, with its path in the reason; "plain data" if there is none."""
    inside = [finding if path == _OF_ALL else finding.inside(path) for path, finding in findings.items()]
    return worst(inside) if inside else Finding(DATA, "plain data")


def code_in(contents: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of each file that, by the record, can run code."""
    for path, verdict in contents.items():
        if verdict.get("verdict") == CODE:
            yield path, str(verdict.get("why", ""))


def as_recorded(contents: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Finding]:
    """Return the recorded verdicts on some files, by path; files without one are left out."""
    of_all = contents.get(_OF_ALL)
    found = {}
    for path in paths:
        verdict = contents.get(path, of_all)
        if isinstance(verdict, Mapping):
            found[path] = Finding(str(verdict.get("verdict", CODE)), str(verdict.get("why", "as the record says")))
    return found


class Difference(NamedTuple):
    """The difference between the recorded and the found verdict on a file.

    Parameters
    ----------
    path:
        The path of the file; ``*`` for all files of an artifact together.
    recorded:
        The recorded verdict.
    found:
        The verdict that was found, with its reason.
    """

    path: str
    recorded: str
    found: Finding

    def __str__(self) -> str:
        name = "the worst of its files" if self.path == _OF_ALL else self.path
        return f"{name} is {self.found.verdict} ({self.found.why}), and its record says {self.recorded}"

    def row(self) -> dict[str, Any]:
        """Return the difference as plain data."""
        return {"recorded": self.recorded, "found": self.found.verdict, "why": self.found.why}


def differences(
    scan: int | None, contents: Mapping[str, Any], found: Mapping[str, Finding], *, whole: bool
) -> Iterator[Difference]:
    """Yield the differences between recorded and found verdicts, if the record was made by the present rules.

    Parameters
    ----------
    scan, contents:
        The version of the rules, and the recorded verdicts.
    found:
        The found verdicts on the files, by path.
    whole:
        True if these are all files of the artifact, so that the worst of them can be compared.
    """
    if scan != RULES:
        return
    if _OF_ALL in contents:
        recorded = as_recorded(contents, [_OF_ALL])
        found = {_OF_ALL: worst(each.inside(path) for path, each in found.items())} if whole and found else {}
    else:
        recorded = as_recorded(contents, found)
    for path, finding in found.items():
        verdict = recorded[path].verdict if path in recorded else DATA
        if verdict != finding.verdict:
            yield Difference(path, verdict, finding)


def summarised(findings: Mapping[str, Finding]) -> Finding:
    """Return the verdicts on the files of a set as one verdict, to be cached."""
    notable = {path: found[:2] for path, found in findings.items() if found.verdict != DATA}
    return Finding(worst(findings.values()).verdict if findings else DATA, json.dumps(notable))


def read_summary(finding: Finding) -> dict[str, Finding] | None:
    """Return the verdicts on files that are not plain data, by path, from the result of `summarised`.

    None if it is damaged.
    """
    try:
        items = json.loads(finding.why).items()
        verdicts = {path: Finding(str(verdict), str(why)) for path, (verdict, why) in items}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    kept = worst(verdicts.values()).verdict if verdicts else DATA
    return verdicts if kept == finding.verdict else None
