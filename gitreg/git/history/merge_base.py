"""The walk from two commits back to their merge base, to find the commits that only one side has."""

from __future__ import annotations

import heapq

from gitreg.git.objects.store import ObjectStore
from gitreg.git.values import Commit

OURS, THEIRS = 1, 2


class Walk:
    """A queue of commits, newest first, and the sides that have each commit."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._queue: list[tuple[int, str]] = []
        self._owners: dict[str, int] = {}
        self._commits: dict[str, Commit] = {}
        self._ours_alone: set[str] = set()  # of those in the queue

    def __bool__(self) -> bool:
        return bool(self._queue)

    def owners(self, oid: str) -> int:
        """Return the sides known to have a commit: `OURS`, `THEIRS`, their sum for both, or 0."""
        return self._owners.get(oid, 0)

    def mark(self, oid: str, owner: int) -> None:
        """Note that a side has a commit; where that is new, the commit is put into the queue (again)."""
        before = self.owners(oid)
        now = before | owner
        if now == before or self._objects.kind(oid) is None:  # missing in a partial clone
            return
        self._owners[oid] = now
        commit = self._commits.setdefault(oid, self._objects.commit(oid))
        heapq.heappush(self._queue, (-commit.committer.time, oid))
        (self._ours_alone.add if now == OURS else self._ours_alone.discard)(oid)

    def pop(self) -> tuple[Commit, int]:
        """Remove the newest commit from the queue, and return it with the sides that have it."""
        _, oid = heapq.heappop(self._queue)
        self._ours_alone.discard(oid)
        return self._commits[oid], self._owners[oid]

    def ours_alone(self, boundary: frozenset[str]) -> list[Commit]:
        """Return the commits that only our side has, newest first (git-rev-list(1), ``theirs..ours``).

        The walk ends early by the dates: no parent is taken to be newer than its child. Where clocks are wrong, some
        commits that both sides have may be returned too.
        """
        seen: list[Commit] = []
        while self._ours_alone or (self._queue and seen and -self._queue[0][0] >= seen[-1].committer.time):
            commit, owners = self.pop()
            if owners == OURS:
                seen.append(commit)
            for parent in () if commit.oid in boundary else commit.parents:
                self.mark(parent, THEIRS if owners & THEIRS else OURS)
        return [commit for commit in dict.fromkeys(seen) if self.owners(commit.oid) == OURS]
