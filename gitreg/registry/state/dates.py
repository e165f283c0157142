"""The corrected dates of the branch's commits.

A committer can set any date, and clocks can be wrong. Three things correct it: the order of the branch, as a commit is
no earlier than those before it; the receipts of commits seen here (:mod:`gitreg.registry.state.receipts`); and the
present time, as no commit is later.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, Protocol

from gitreg.git import Commit, Identity
from gitreg.registry.state.index import Index
from gitreg.registry.state.receipts import BY_PUSH, Receipt

LEEWAY = 600
"""The tolerance for clocks in seconds: a commit that moves a stage may be dated this far ahead of now."""

_NONSENSE = 86400  # seconds; no wrong clock or zone explains a parent dated further ahead, so its date is ignored


class Dated(NamedTuple):
    """The corrected date of a commit.

    Parameters
    ----------
    time:
        The date in seconds since the epoch.
    seen:
        True if the date comes from a receipt or a push, False if from committers alone.
    """

    time: int
    seen: bool


class ReceivingBranch(Protocol):
    """A branch with receipts, as `gitreg.registry.state.branch.RegistryBranch` is."""

    def placed_receipts(self, index: Index) -> list[tuple[int, Receipt]]:
        """Return the receipts whose commits are indexed, each with its position; oldest first."""


class Dates:
    """The corrected dates of the commits of a branch.

    Parameters
    ----------
    index:
        The index of the branch, up to the commits in question.
    now:
        The present time in seconds since the epoch; later dates are ignored.
    branch:
        The branch whose receipts count; None where there are none.
    before_push:
        The last commit before the push that is judged; later commits arrive now. None: there is no push.
    """

    def __init__(
        self, index: Index, now: float, branch: ReceivingBranch | None = None, *, before_push: str | None = None
    ) -> None:
        self._index = index
        self._now = int(now)
        self._branch = branch
        self._here = index.position(before_push) if before_push is not None else None

    def seen(self, seq: int) -> Dated:
        """Return the latest possible date of a commit's arrival; time in a stage counts from then.

        A commit that is dated after now and has no receipt counts as of now. `seq` is its sequence number in the index.
        """
        if self._here is not None and seq > self._here:
            return Dated(self._now, True)
        time = self._now if self._index.moment(seq).time > self._now else self._told(seq)
        return self._with_receipt(seq, time, exactly=False)

    def came(self, seq: int) -> Dated:
        """Return the date of a commit's arrival: from the receipt of the push that brought it, else from committers.

        Other receipts are ignored, as they only prove that the commit was here by then. `seq` is as for `seen`.
        """
        if self._here is not None and seq > self._here:
            return Dated(self._now, True)
        return self._with_receipt(seq, self._told(seq), exactly=True)

    def newest(self, time: int, seq: int) -> int | None:
        """Return the highest sequence number up to `seq` whose commit had arrived by a time; None where none had.

        `time` is in seconds since the epoch.
        """
        return bisect_right(range(1, seq + 1), time, key=lambda place: self.came(place).time) or None

    def _told(self, seq: int) -> int:
        """Return the date from committers, in seconds since the epoch: the latest up to `seq` that is not after now.

        After the last commit that is not dated after now, the date is now.
        """
        if seq > self._last_sane:
            return self._now
        latest = self._index.moment(seq).latest
        return latest if latest <= self._now else self._index.latest_time(seq, self._now) or self._now

    @cached_property
    def _last_sane(self) -> int:
        return self._index.before(self._now) or 0

    def _with_receipt(self, seq: int, time: int, *, exactly: bool) -> Dated:
        places, times, by = self._receipts
        covering = bisect_left(places, seq)
        if covering == len(places):  # the commit is newer than the last receipt
            is_older = bool(times) and not exactly and time < times[-1]
            return Dated(times[-1], True) if is_older else Dated(time, False)
        # The first of all receipts does not date the history before it.
        if exactly and (by[covering] != BY_PUSH or covering == 0):
            return Dated(time, False)
        return Dated(max(time, times[covering]), True)

    @cached_property
    def _receipts(self) -> tuple[list[int], list[int], list[str]]:
        """The sequence numbers of receipts, their times and their writers; numbers and times never decrease."""
        if self._branch is None:
            return [], [], []
        placed = self._branch.placed_receipts(self._index)
        found = [(place, each.at, each.by) for place, each in placed if each.at <= self._now]
        places = list(accumulate((place for place, _, _ in found), max))
        return places, list(accumulate((at for _, at, _ in found), max)), [by for _, _, by in found]


def misdated(commit: Commit, parent: Commit | None, now: float | None) -> str | None:
    """Return the problem with the date of a commit that moves a stage, as the end of a sentence; None: no problem.

    Parameters
    ----------
    parent:
        The first parent. It is ignored where it is dated after now; else nobody could move a stage any more.
    now:
        The time in seconds since the epoch; None where there is no clock.
    """
    time = commit.committer.time
    if now is not None and time > now + LEEWAY:
        return f"in a commit dated {_rfc3339(time)}, which is yet to come (it is {_rfc3339(int(now))})"
    if parent is None or time >= parent.committer.time or (now is not None and parent.committer.time > now + LEEWAY):
        return None
    return f"in a commit dated {_rfc3339(time)}, before its parent ({_rfc3339(parent.committer.time)})"


def dated_after(who: Identity, parent: Commit) -> Identity:
    """Return the committer with a date that is not before that of the first parent.

    A parent dated more than a day ahead is ignored: its date is wrong, and all later commits would inherit it.
    """
    time = parent.committer.time
    return who._replace(time=max(who.time, time)) if time <= who.time + _NONSENSE else who


def _rfc3339(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
