"""Who held a stage, as a stack: promotions lay a version on it, rollbacks take one off."""

from __future__ import annotations

from typing import NamedTuple

from gitreg.documents.types import StageDocument
from gitreg.registry.index import Entry
from gitreg.registry.snapshot import Snapshot


class Tenure(NamedTuple):
    """How a stage came to be held as it is.

    Parameters
    ----------
    held:
        The versions that a rollback can go through, the newest last. Where the stage is held, the last one holds it.
    undone:
        The versions that rollbacks took out and that nobody has replaced since: they may come back without force.
    vacant:
        Whether nobody holds the stage now.
    """

    held: tuple[str, ...]
    undone: frozenset[str]
    vacant: bool

    def before(self, version: str) -> str | None:
        """Give who stands in line before a version that takes the stage now."""
        return next((other for other in reversed(self.held) if other != version), None)

    def below(self) -> list[int]:
        """Give the places in ``held`` that a rollback can go to, the nearest first."""
        top = len(self.held) if self.vacant else len(self.held) - 1
        return list(range(top - 1, -1, -1))


def tenure(snapshot: Snapshot, model: str, stage: str) -> Tenure:
    """Read a stage's history as a stack.

    A pointer file that says again, byte for byte, what it said below the top was put back by ``git revert``: that is a
    rollback too.
    """
    held: list[tuple[str, str]] = []  # version, digest of the pointer's file
    undone: set[str] = set()
    for entry in reversed(snapshot.index.history(snapshot.seq, "stage", model, stage)):
        if entry.data is None:
            continue
        pointer = StageDocument.from_data(entry.data)
        versions, files = [version for version, _ in held], [digest for _, digest in held]
        if pointer.rolled_back_from is not None and pointer.version in versions:
            place = len(versions) - 1 - versions[::-1].index(pointer.version)
            undone.update(versions[place + 1 :])
            held = [*held[:place], (pointer.version, entry.digest)]
        elif entry.digest in files[:-1]:
            held = held[: files.index(entry.digest) + 1]
        else:
            undone = undone - {pointer.version} if pointer.version in undone else set()
            if versions[-1:] == [pointer.version]:
                held.pop()
            held.append((pointer.version, entry.digest))
    return Tenure(tuple(version for version, _ in held), frozenset(undone), snapshot.find_stage(model, stage) is None)


def is_rollback(snapshot: Snapshot, pointer: Entry) -> bool:
    """Whether a stage's new pointer gives it back to who held it before: by `rollback`, or by ``git revert``.

    Parameters
    ----------
    snapshot:
        The branch before the pointer is.
    """
    if pointer.data is None:
        return False
    said = StageDocument.from_data(pointer.data)
    past = tenure(snapshot, pointer.model, pointer.name)
    if said.version not in [past.held[place] for place in past.below()]:
        return False
    before = snapshot.index.history(snapshot.seq, "stage", pointer.model, pointer.name)
    return said.rolled_back_from is not None or any(entry.digest == pointer.digest for entry in before)
