"""The draft of a run as this process has it: its threads take turns, and see what other processes have added."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from gitreg.registry.drafts import Draft, read_draft_at, remove_draft, write_draft

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry


class DraftInHand:
    """A run's draft, kept up to date.

    Parameters
    ----------
    registry:
        The open registry that it lies in.
    draft:
        What it says so far.

    Attributes
    ----------
    turn:
        Held by the thread that reads or writes: neither a repository nor a draft is for two at once.
    """

    def __init__(self, registry: Registry, draft: Draft) -> None:
        self._registry = registry
        self._draft = draft
        self.turn = RLock()

    @property
    def known(self) -> Draft:
        """What it said when this process read or wrote it last."""
        return self._draft

    def read(self) -> Draft:
        """Give what it says now.

        Raises
        ------
        InvalidDocument
            A file of it cannot be read.
        """
        with self.turn:
            repository, ref = self._registry.ledger.repository, self._draft.ref
            commit = repository.read_ref(ref)
            if commit is not None and commit != self._draft.commit:
                self._draft = read_draft_at(repository, commit, ref)
            return self._draft

    def change(self, change: Callable[[Draft], Draft], subject: str) -> None:
        """Let it say something else, in one commit.

        Raises
        ------
        Conflict
            Others held the repository for a minute.
        """
        with self.turn:
            repository = self._registry.ledger.repository
            self._draft = write_draft(repository, self._draft, change, self._registry.writer, subject)

    def remove(self) -> None:
        """Remove it."""
        with self.turn:
            remove_draft(self._registry.ledger.repository, self._draft)
            self._registry.settle_claims()
