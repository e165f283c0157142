"""Walking back from commits of two sides, to tell what one has and the other lacks."""

from __future__ import annotations

import heapq

from gitreg.git.objects import Objects
from gitreg.git.values import Commit

OURS, THEIRS = 1, 2


class Walk:
    """Commits, newest first, and who has them."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._queue: list[tuple[int, str]] = []
        self._owners: dict[str, int] = {}
        self._commits: dict[str, Commit] = {}
        self._ours_alone: set[str] = set()  # of those in the queue

    def __bool__(self) -> bool:
        return bool(self._queue)

    def owners(self, oid: str) -> int:
        """Give who is known to have a commit: `OURS`, `THEIRS`, their sum, or 0."""
        return self._owners.get(oid, 0)

    def mark(self, oid: str, owner: int) -> None:
        """Note who has a commit; what is news is in the queue again."""
        before = self.owners(oid)
        now = before | owner
        if now == before or self._objects.kind(oid) is None:  # a partial clone has left it out
            return
        self._owners[oid] = now
        commit = self._commits.setdefault(oid, self._objects.commit(oid))
        heapq.heappush(self._queue, (-commit.committer.time, oid))
        (self._ours_alone.add if now == OURS else self._ours_alone.discard)(oid)

    def pop(self) -> tuple[Commit, int]:
        """Give the newest of those in the queue, and who has it."""
        _, oid = heapq.heappop(self._queue)
        self._ours_alone.discard(oid)
        return self._commits[oid], self._owners[oid]

    def ours_alone(self, boundary: frozenset[str]) -> list[Commit]:
        """Give the commits that only we have, newest first (git-rev-list(1), ``theirs..ours``).

        Dates tell when it is enough to look at them alone: no parent is taken to be newer than its child. Where clocks
        say so, some that both have may count as ours.
        """
        seen: list[Commit] = []
        while self._ours_alone or (self._queue and seen and -self._queue[0][0] >= seen[-1].committer.time):
            commit, owners = self.pop()
            if owners == OURS:
                seen.append(commit)
            for parent in () if commit.oid in boundary else commit.parents:
                self.mark(parent, THEIRS if owners & THEIRS else OURS)
        return [commit for commit in dict.fromkeys(seen) if self.owners(commit.oid) == OURS]
