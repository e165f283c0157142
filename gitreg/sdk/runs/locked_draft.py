"""The draft of a run, locked between the threads of this process and kept up to date with other processes."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from gitreg.registry.drafts import Draft, read_draft_at, remove_draft, write_draft
from gitreg.sdk.store_claims import settle_claims

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry


class LockedDraft:
    """A run's draft, locked between threads and kept up to date.

    Parameters
    ----------
    registry:
        The open registry with the draft.
    draft:
        The draft as it was read last.

    Attributes
    ----------
    turn:
        The lock for each read and write: a repository or draft must not be used by two threads at once.
    """

    def __init__(self, registry: Registry, draft: Draft) -> None:
        self._registry = registry
        self._draft = draft
        self.turn = RLock()

    @property
    def known(self) -> Draft:
        """The draft as this process read or wrote it last."""
        return self._draft

    def read(self) -> Draft:
        """Return the draft as it is now.

        Raises
        ------
        InvalidDocument
            A file of the draft cannot be read.
        """
        with self.turn:
            repository, ref = self._registry.branch.repository, self._draft.ref
            commit = repository.read_ref(ref)
            if commit is not None and commit != self._draft.commit:
                self._draft = read_draft_at(repository, commit, ref)
            return self._draft

    def change(self, change: Callable[[Draft], Draft], subject: str) -> None:
        """Change the draft, in one commit on its ref.

        Raises
        ------
        Conflict
            Other processes locked the repository for a minute.
        """
        with self.turn:
            repository = self._registry.branch.repository
            self._draft = write_draft(repository, self._draft, change, self._registry.writer, subject)

    def remove(self) -> None:
        """Remove the draft."""
        with self.turn:
            remove_draft(self._registry.branch.repository, self._draft)
            settle_claims(self._registry)
