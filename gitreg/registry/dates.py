"""Dates of the branch's commits, by more than what their committers say.

A committer's date is whatever their clock, or they, say. What holds it in check is the branch's order, for a commit is
as late as the latest before it; what was seen here (:mod:`gitreg.registry.receipts`); and now, after which none came.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from gitreg.registry.receipts import BY_PUSH

if TYPE_CHECKING:
    from gitreg.git import Commit, Signature
    from gitreg.registry.index import Index
    from gitreg.registry.ledger import Ledger

LEEWAY = 600
"""By how many seconds clocks may differ: so far ahead of now may a commit that moves a stage be dated."""

_NONSENSE = 86400  # seconds; a parent dated further ahead than a wrong clock or zone explains is not followed


class Dated(NamedTuple):
    """The corrected date of a commit.

    Parameters
    ----------
    time:
        In seconds since the epoch.
    seen:
        Whether a receipt says so, and not committers' clocks alone.
    """

    time: int
    seen: bool


class Dates:
    """The corrected dates of the commits of a branch.

    Parameters
    ----------
    index:
        The index, which reaches the commits that are asked for.
    now:
        The time in seconds since the epoch; dates later than that are left out.
    ledger:
        The branch, whose receipts count; None where there are none at hand.
    here:
        The last commit that was here before a push that is judged; what follows it is seen now. None: there is no push.
    """

    def __init__(self, index: Index, now: float, ledger: Ledger | None = None, *, here: str | None = None) -> None:
        self._index = index
        self._now = int(now)
        self._ledger = ledger
        self._here = index.position(here) if here is not None else None

    def seen(self, seq: int) -> Dated:
        """Return by when the commit at a place was here at last: no time in a stage counts before that.

        One that is dated after now, of which there is no receipt, counts as of now.
        """
        if self._here is not None and seq > self._here:
            return Dated(self._now, True)
        told = self._now if self._index.moment(seq).time > self._now else self._told(seq)
        return self._with_receipt(seq, told, exactly=False)

    def came(self, seq: int) -> Dated:
        """Return when the commit at a place came: by the receipt of the push that brought it, else by committers.

        Other receipts only say that it was here by then, as it may have been for long.
        """
        if self._here is not None and seq > self._here:
            return Dated(self._now, True)
        return self._with_receipt(seq, self._told(seq), exactly=True)

    def newest(self, time: int, seq: int) -> int | None:
        """Return the newest place, not after another one, whose commit had come by a time; None where none had."""
        return bisect_right(range(1, seq + 1), time, key=lambda place: self.came(place).time) or None

    def _told(self, seq: int) -> int:
        """Return what committers say: the latest date up to a place that is not after now.

        Where they all are after now from some place on, what is there is as late as now.
        """
        if seq > self._last_sane:
            return self._now
        latest = self._index.moment(seq).latest
        return latest if latest <= self._now else self._index.latest_time(seq, self._now) or self._now

    @cached_property
    def _last_sane(self) -> int:
        return self._index.before(self._now) or 0

    def _with_receipt(self, seq: int, told: int, *, exactly: bool) -> Dated:
        places, times, by = self._receipts
        covering = bisect_left(places, seq)
        if covering == len(places):  # it followed what was seen last
            is_older = bool(times) and not exactly and told < times[-1]
            return Dated(times[-1], True) if is_older else Dated(told, False)
        # The first receipt of all says nothing of when the history before it came.
        if exactly and (by[covering] != BY_PUSH or covering == 0):
            return Dated(told, False)
        return Dated(max(told, times[covering]), True)

    @cached_property
    def _receipts(self) -> tuple[list[int], list[int], list[str]]:
        """The places that receipts are about, their times, and what wrote them; both only grow."""
        if self._ledger is None:
            return [], [], []
        placed = self._ledger.placed_receipts(self._index)
        found = [(place, each.at, each.by) for place, each in placed if each.at <= self._now]
        places = list(accumulate((place for place, _, _ in found), max))
        return places, list(accumulate((at for _, at, _ in found), max)), [by for _, _, by in found]


def misdated(commit: Commit, parent: Commit | None, now: float | None) -> str | None:
    """Return what is wrong with the date of a commit that moves a stage, as the end of a sentence; None: nothing.

    Parameters
    ----------
    parent:
        Its first parent. Where that is dated after now, it says nothing: else nobody could move a stage any more.
    now:
        The time in seconds since the epoch; None where no clock is at hand.
    """
    time = commit.committer.time
    if now is not None and time > now + LEEWAY:
        return f"in a commit dated {_rfc3339(time)}, which is yet to come (it is {_rfc3339(int(now))})"
    if parent is None or time >= parent.committer.time or (now is not None and parent.committer.time > now + LEEWAY):
        return None
    return f"in a commit dated {_rfc3339(time)}, before its parent ({_rfc3339(parent.committer.time)})"


def dated_after(who: Signature, parent: Commit) -> Signature:
    """Return a committer whose date is never before that of the first parent.

    A parent that is dated more than a day ahead is left alone: its date is nonsense, and would be handed on for ever.
    """
    time = parent.committer.time
    return who._replace(time=max(who.time, time)) if time <= who.time + _NONSENSE else who


def _rfc3339(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
