"""The registry branch, whose files are the truth; read through the index."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.errors import Conflict, InvalidInput, NotFound
from gitreg.names import slug
from gitreg.registry.state.index import Index, RewrittenError, open_index
from gitreg.registry.state.index_file import discard
from gitreg.registry.state.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.state.receipts import Receipt


PATIENCE = 60.0
"""The time in seconds after which a writer gives up waiting for others in the same repository."""

DRAFTS = "refs/drafts/"
"""The namespace of the refs of drafts, the unsealed versions of runs."""

_DATE = r"\d{4}-\d{2}-\d{2}($|[T ])"  # with hyphens: eight digits alone may be the start of a commit id
_NEVER = float(2**62)  # no commit is dated later


class RegistryBranch:
    """The registry branch of a repository.

    Parameters
    ----------
    repository:
        The repository with the branch.
    branch:
        The branch's short name.
    root:
        The folder of ``gitreg.yaml`` inside the branch, "" for the top.
    """

    def __init__(self, repository: Repository, branch: str, root: str = "") -> None:
        self.repository = repository
        self.name = branch
        self.root = root
        self._index: Index | None = None
        self._aside: Index | None = None
        self._last: Snapshot | None = None
        self._placed: tuple[tuple[Any, ...], list[tuple[int, Receipt]]] = (), []
        self._lock = threading.RLock()  # one thread at a time opens, replaces and extends indexes

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.name}"

    @property
    def index_path(self) -> Path:
        """The path of the index file."""
        return index_path(self.repository, self.name, self.root)

    def head(self) -> str | None:
        """Return the id of the commit that the branch is at; None if there is no branch."""
        return self.repository.read_ref(self.ref)

    def snapshot(self, at: str | None = None, *, now: float = _NEVER) -> Snapshot:
        """Return the snapshot of the registry now, or at a date or commit.

        Parameters
        ----------
        at:
            A commit, branch or tag, or a date in ISO 8601 (``2026-11-22``: the end of that day; UTC without a time
            zone).
        now:
            The time in seconds since the epoch; commits with a later date count as made by now.

        Raises
        ------
        NotFound
            There is no registry on the branch, or there was none then.
        InvalidInput
            ``at`` is neither a date nor a commit.
        """
        head = self.head()
        if head is None:
            raise NotFound(
                f"the branch {self.name!r} of {self.repository.git_dir} has no commit", hint="run `gitreg init`"
            )
        if at is None:
            return self.snapshot_at(head)
        time = seconds_of(at)
        if time is not None:
            from gitreg.registry.state.dates import Dates  # lazy: few commands read the past

            last = self.snapshot_at(head)
            dates = Dates(last.index, now, self)
            seq = dates.newest(time, last.seq)
            if seq is None:
                first = datetime.fromtimestamp(dates.came(1).time).astimezone()
                raise NotFound(f"the registry did not exist at {at}", hint=f"its history begins {first:%Y-%m-%d %H:%M}")
            return Snapshot(last.index, seq, last.index.moment(seq).oid)
        commit = self.repository.resolve(at)
        if commit is None:
            raise InvalidInput(
                f"{at!r} is neither a date nor a commit of this repository",
                hint="write 2026-11-22, or a commit: an id, a branch or a tag, HEAD~1",
            )
        return self.snapshot_at(commit)

    def snapshot_at(self, commit: str) -> Snapshot:
        """Return the snapshot of the registry at a commit id."""
        with self._lock:
            try:
                return self._snapshot_at(commit)
            except Conflict:
                if self._index is None or self._index.failed is None:
                    raise
                return self._snapshot_at(commit)

    def _snapshot_at(self, commit: str) -> Snapshot:
        index = self._opened()
        place = index.position(commit)
        last = self._last
        if last is not None and last.index is index and (last.seq, last.commit) == (place, commit):
            return last  # with its cached answers
        if place is not None:
            self._last = Snapshot(index, place, commit)
            return self._last
        if commit == self.head():
            return self._caught_up(index, commit)
        # A commit that is not on the branch (a proposal, or older than a rewrite) is indexed in memory only.
        if self._aside is not None and (place := self._aside.position(commit)) is not None:
            return Snapshot(self._aside, place, commit)
        self._aside = index.copied()  # a new copy each time: other threads may still read the last one
        return Snapshot(self._aside, self._catch_up(self._aside, commit, rewind=True), commit)

    def placed_receipts(self, index: Index) -> list[tuple[int, Receipt]]:
        """Return the branch's receipts whose commits are indexed, each with its position; oldest first.

        The list is cached until the receipts or the indexed commits change, for it is used once per date.
        """
        from gitreg.registry.state.receipts import read_receipts, receipts_state  # lazy: few commands need dates

        state = index, index.head(), receipts_state(self.repository)
        if self._placed[0] != state:
            known = read_receipts(self.repository, self.ref)
            placed = index.positions([each.commit for each in known])
            self._placed = state, [(placed[each.commit], each) for each in known if each.commit in placed]
        return self._placed[1]

    def close(self) -> None:
        """Close the index; the repository stays open and belongs to the caller."""
        with self._lock:
            for index in (self._index, self._aside):
                if index is not None:
                    index.close()
            self._index = self._aside = self._last = None

    def reopen(self) -> None:
        """Forget the open index, so that the next access opens it again; snapshots in use keep theirs."""
        with self._lock:
            if self._index is not None:
                self._index.detached()
            self._index = self._aside = self._last = None
            self._placed = (), []

    def forget_index(self) -> None:
        """Remove the index file; the next access builds it again."""
        with self._lock:
            self.reopen()
            discard(self.index_path)

    def _caught_up(self, index: Index, commit: str) -> Snapshot:
        """Extend the index to the branch's head; after a rewrite, snapshots in use keep an in-memory copy."""
        try:
            return Snapshot(index, self._catch_up(index, commit), commit)
        except RewrittenError:
            self._index = index.detached()
        return Snapshot(self._index, self._catch_up(self._index, commit, rewind=True), commit)

    def _catch_up(self, index: Index, commit: str, *, rewind: bool = False) -> int:
        from gitreg.registry.state.index_builder import catch_up  # not needed while the index is warm

        self.repository.bring_missing(commit, self.root)
        return catch_up(index, self.repository, commit, self.root, rewind=rewind)

    def _opened(self) -> Index:
        """Return the open index; if its file failed, a new one, in memory if the file cannot be written."""
        index = self._index
        if index is not None and index.failed is None:
            return index
        self._index = open_index(None if index is not None and index.failed == "unwritable" else self.index_path)
        if self._index.head() is not None:
            first = self._index.moment(1)
            if first.boundary and not self.repository.is_boundary(first.oid):  # a shallow clone was deepened
                with self._index.writing():
                    self._index.rewind(0)
        return self._index


def index_path(repository: Repository, branch: str, root: str) -> Path:
    """Return the path of a registry's index file; it exists once the registry was read."""
    name = slug(f"{branch}:{root}").replace("/", "%2F")
    return repository.common_dir / "gitreg" / f"index-{name}.sqlite"


def seconds_of(text: str) -> int | None:
    """Return a date as seconds since the epoch (a day means its end); None if the text is no date."""
    if not re.match(_DATE, text):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-11-22"):
        when = when.replace(hour=23, minute=59, second=59)
    return int(when.timestamp() if when.tzinfo else when.replace(tzinfo=UTC).timestamp())
