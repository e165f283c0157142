"""The stage history as a stack of holders: a promotion pushes a version, a rollback pops one."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from gitreg.documents.types import StageDocument
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.snapshot import Snapshot


class StageHistory(NamedTuple):
    """The stage history of one stage.

    Parameters
    ----------
    holders:
        The versions that rollbacks can return to, newest last; if the stage is held, the last one holds it.
    undone:
        The versions that rollbacks removed and that were not promoted since: a rollback to them needs no force.
    vacant:
        True if no version holds the stage now.
    """

    holders: tuple[str, ...]
    undone: frozenset[str]
    vacant: bool

    def before(self, version: str) -> str | None:
        """Return the version that a rollback returns to once ``version`` has taken the stage; None if there is none."""
        return next((other for other in reversed(self.holders) if other != version), None)

    def below(self) -> list[int]:
        """Return the positions in ``holders`` that a rollback can go to, the nearest first."""
        top = len(self.holders) if self.vacant else len(self.holders) - 1
        return list(range(top - 1, -1, -1))


def stage_history(snapshot: Snapshot, model: str, stage: str) -> StageHistory:
    """Return the stage history, read from all versions of the stage's pointer file.

    If a pointer file has again, byte for byte, the content of an earlier holder, then ``git revert`` restored it: that
    is a rollback, too.
    """
    stack = _Stack()
    undone: set[str] = set()
    for entry in reversed(snapshot.index.history(snapshot.seq, "stage", model, stage)):
        if entry.data is None:
            continue
        pointer = StageDocument.from_data(entry.data)
        version, digest = pointer.version, entry.digest
        if pointer.rolled_back_from is not None and stack.versions[version]:
            undone.update(stack.cut(stack.versions[version][-1] + 1))
            stack.pop()
            stack.push(version, digest)
        elif stack.files[digest] and stack.files[digest][0] < len(stack) - 1:
            stack.cut(stack.files[digest][0] + 1)
        else:
            undone = undone - {version} if version in undone else set()
            if stack.versions[version] and stack.versions[version][-1] == len(stack) - 1:
                stack.pop()
            stack.push(version, digest)
    return StageHistory(stack.names(), frozenset(undone), snapshot.find_stage(model, stage) is None)


class _Stack:
    """The stack of the holders of a stage, with the positions of each version and of each pointer file."""

    def __init__(self) -> None:
        self._held: list[tuple[str, str]] = []
        self.versions: defaultdict[str, list[int]] = defaultdict(list)
        self.files: defaultdict[str, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._held)

    def names(self) -> tuple[str, ...]:
        return tuple(version for version, _ in self._held)

    def push(self, version: str, digest: str) -> None:
        self.versions[version].append(len(self._held))
        self.files[digest].append(len(self._held))
        self._held.append((version, digest))

    def pop(self) -> str:
        version, digest = self._held.pop()
        self.versions[version].pop()
        self.files[digest].pop()
        return version

    def cut(self, place: int) -> list[str]:
        """Remove the holders from a position upwards and return their versions, newest first."""
        return [self.pop() for _ in range(len(self._held) - place)]


def is_rollback(snapshot: Snapshot, pointer: IndexEntry) -> bool:
    """Return whether a stage's new pointer returns the stage to a former holder: by `rollback`, or by ``git revert``.

    Parameters
    ----------
    snapshot:
        The branch before the new pointer.
    pointer:
        The new pointer file.
    """
    if pointer.data is None:
        return False
    document = StageDocument.from_data(pointer.data)
    past = stage_history(snapshot, pointer.model, pointer.name)
    if document.version not in [past.holders[place] for place in past.below()]:
        return False
    before = snapshot.index.history(snapshot.seq, "stage", pointer.model, pointer.name)
    return document.rolled_back_from is not None or any(entry.digest == pointer.digest for entry in before)
