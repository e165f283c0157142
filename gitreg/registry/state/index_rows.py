"""Rows for the index, collected in memory and written many at once, as a statement for each row is slow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gitreg.documents.layout import Key
    from gitreg.git import Commit

HIDDEN_DELETED = 1
HIDDEN_YANKED = 2

_MOST_ROWS = 2000
_MOST_TEXT = 8 * 1024 * 1024  # characters kept in memory


class FileColumns(NamedTuple):
    """The columns that the index derives from one file.

    Parameters
    ----------
    digest:
        The sha256 of the file's bytes, in hexadecimal.
    number:
        The number of a version, for a record.
    hidden:
        The flags of an annotation: :data:`HIDDEN_DELETED`, :data:`HIDDEN_YANKED`.
    data:
        The document as JSON; None where the file cannot be read.
    problem:
        The reason why the file cannot be read.
    """

    digest: str
    number: int | None
    hidden: int
    data: str | None
    problem: str | None


class IndexRows:
    """Commits of the first-parent line with the files that they changed, collected until they are written at once."""

    def __init__(self) -> None:
        self._commits: list[tuple[Any, ...]] = []
        self._ended: list[tuple[Any, ...]] = []
        self._rows: list[list[Any]] = []
        self._standing: dict[Key, list[Any]] = {}  # the rows above that are still current
        self._text = 0

    @property
    def full(self) -> bool:
        """True if the batch is large enough to be written."""
        return len(self._commits) >= _MOST_ROWS or len(self._rows) >= _MOST_ROWS or self._text >= _MOST_TEXT

    def add(
        self,
        seq: int,
        commit: Commit,
        changes: Iterable[tuple[Key, FileColumns | None]],
        *,
        latest: int,
        boundary: bool,
    ) -> None:
        """Add a commit with the files that it changed.

        Parameters
        ----------
        seq:
            The commit's position on the line.
        changes:
            The keys of the changed files with their derived columns; None for a removed file.
        latest:
            The latest committer time up to this commit, in seconds since the epoch.
        boundary:
            True if the history of a shallow clone is cut off at this commit.
        """
        who, by = commit.author, commit.committer
        committer = None if (who.name, who.email) == (by.name, by.email) else f"{by.name} <{by.email}>"
        self._commits.append(
            (seq, commit.oid, who.name, who.email, committer, by.time, by.offset, latest, commit.message, int(boundary))
        )
        for key, derived in changes:
            former = self._standing.pop(key, None)
            if former is not None:
                former[_UNTIL] = seq
            else:
                self._ended.append((seq, *key))
            if derived is not None:
                row = [*key, seq, None, *derived]
                self._rows.append(row)
                self._standing[key] = row
                self._text += len(derived.data or "")

    def statements(self) -> Iterator[tuple[str, Sequence[Sequence[Any]]]]:
        """Yield the SQL statements of the batch, each with its rows; earlier rows end before new ones are added."""
        yield "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._commits
        yield (
            "UPDATE documents SET until = ? WHERE kind = ? AND model = ? AND name = ? AND until IS NULL",
            self._ended,
        )
        yield "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._rows


_UNTIL = 4  # the column of a row that says at which commit it ended
