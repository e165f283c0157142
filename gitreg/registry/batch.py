"""Rows on their way into the index, many together: a statement for each costs more than the row itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gitreg.documents.layout import Key
    from gitreg.git import Commit

HIDDEN_DELETED = 1
HIDDEN_YANKED = 2

_MOST_ROWS = 2000
_MOST_TEXT = 8 * 1024 * 1024  # characters that wait in memory


class Derived(NamedTuple):
    """What the index keeps of one file.

    Parameters
    ----------
    digest:
        The sha256 of its bytes, in hexadecimal.
    number:
        A record's number.
    hidden:
        What an annotation hides (:data:`HIDDEN_DELETED`, :data:`HIDDEN_YANKED`).
    data:
        What it says, as JSON; None where it cannot be read.
    problem:
        Why it cannot be read.
    """

    digest: str
    number: int | None
    hidden: int
    data: str | None
    problem: str | None


class Batch:
    """Commits of the line and what they changed, kept back until they are written together."""

    def __init__(self) -> None:
        self._commits: list[tuple[Any, ...]] = []
        self._ended: list[tuple[Any, ...]] = []
        self._rows: list[list[Any]] = []
        self._standing: dict[Key, list[Any]] = {}  # the rows above that no later commit has ended
        self._text = 0

    @property
    def full(self) -> bool:
        """Whether it is time to write."""
        return len(self._commits) >= _MOST_ROWS or len(self._rows) >= _MOST_ROWS or self._text >= _MOST_TEXT

    def add(
        self,
        seq: int,
        commit: Commit,
        changes: Iterable[tuple[Key, Derived | None]],
        *,
        latest: int,
        boundary: bool,
    ) -> None:
        """Take in a commit and its place: its keys with what is derived of their files, None for removed ones.

        Parameters
        ----------
        latest:
            The latest time that a committer names up to it.
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
        """Give what writes it: what was there before ends first."""
        yield "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._commits
        yield (
            "UPDATE documents SET until = ? WHERE kind = ? AND model = ? AND name = ? AND until IS NULL",
            self._ended,
        )
        yield "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._rows


_UNTIL = 4  # where a row says at which commit it ended
