"""Evidence for gates on people, alike of a version and of a change of the settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

from gitreg.documents.types import ApprovalDocument
from gitreg.policy.evidence import Approval
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.persons import people, signed_by
from gitreg.registry.snapshot import Snapshot

Approvals = Mapping[str, tuple[Approval, ApprovalDocument | None]]
"""By who gave them: approvals, and their documents; None for one that cannot be read."""


class PeopleEvidence(ABC):
    """The approvals of what is to come, by the people and the id of the branch.

    Parameters
    ----------
    base:
        What the branch says before: whose keys count.
    head:
        What is to be: the approvals come from there.
    """

    def __init__(self, base: Snapshot, head: Snapshot, circumstances: Circumstances) -> None:
        self._base = base
        self._head = head
        self._circumstances = circumstances

    @property
    @abstractmethod
    def _approvals(self) -> Approvals: ...

    @property
    def approvals(self) -> Sequence[Approval]:
        """All approvals of what is to come."""
        return [approval for approval, _ in self._approvals.values()]

    @cached_property
    def registry(self) -> str | None:
        """The registry's id."""
        return self._base.settings.id

    @cached_property
    def now(self) -> float | None:
        """The time in seconds since the epoch."""
        return self._circumstances.now() if self._circumstances.now else None

    def person(self, email: str) -> str:
        """Return the word by which a person is told from all others, by the base's people."""
        return people(self._base).person(email)

    def is_signed(self, approval: Approval) -> bool | None:
        """Return whether a key of the person made an approval's signature; None where that cannot be looked at here."""
        document, ledger = self._approvals[approval.who][1], self._circumstances.ledger
        assert document is not None
        return None if ledger is None else signed_by(ledger.repository, document, people(self._base))
