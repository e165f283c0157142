"""The draft of a run, locked between the threads of this process and kept up to date with other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from gitreg.registry.drafts import Draft, read_draft_at, remove_draft, write_draft

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.sdk.session import Session


class LockedDraft:
    """A run's draft, locked between threads and kept up to date.

    Parameters
    ----------
    session:
        The open registry with the draft.
    draft:
        The draft as it was read last.

    Attributes
    ----------
    turn:
        The lock for each read and write: a repository or draft must not be used by two threads at once.
    """

    def __init__(self, session: Session, draft: Draft) -> None:
        self._session = session
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
            repository, ref = self._session.branch.repository, self._draft.ref
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
            repository = self._session.branch.repository
            self._draft = write_draft(repository, self._draft, change, self._session.writer, subject)

    def change_run(self, change: Callable[[RunDocument], RunDocument], subject: str) -> None:
        """Change the document of the run in the draft, in one commit."""
        self.change(lambda draft: replace(draft, run=change(draft.run)), subject)

    def remove(self) -> None:
        """Remove the draft."""
        with self.turn:
            remove_draft(self._session.branch.repository, self._draft)
            self._session.settle_claims()
