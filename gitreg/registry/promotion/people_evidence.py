"""The evidence for gates on people: the same for a version and for a change of the settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

from gitreg.documents.types import ApprovalDocument
from gitreg.policy.evidence import Approval
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.people import people, signed_by
from gitreg.registry.state.snapshot import Snapshot

Approvals = Mapping[str, tuple[Approval, ApprovalDocument | None]]
"""For each approver, the approval and its document; None for a document that cannot be read."""


class PeopleEvidence(ABC):
    """The approvals of a proposed change, judged by the people and the registry id of the branch before it.

    Parameters
    ----------
    base:
        The snapshot before the change: its people and keys count.
    head:
        The snapshot after the change: the approvals are read from it.
    context:
        The clock and the branch for the check of signatures.
    """

    def __init__(self, base: Snapshot, head: Snapshot, context: PromotionContext) -> None:
        self._base = base
        self._head = head
        self._context = context

    @property
    @abstractmethod
    def _approvals(self) -> Approvals: ...

    @property
    def approvals(self) -> Sequence[Approval]:
        """All approvals of the change."""
        return [approval for approval, _ in self._approvals.values()]

    @cached_property
    def registry(self) -> str | None:
        """The id of the registry."""
        return self._base.settings.id

    @cached_property
    def now(self) -> float | None:
        """The time in seconds since the epoch."""
        return self._context.now() if self._context.now else None

    def person(self, email: str) -> str:
        """Return the name of the person with an e-mail address, case-folded; the address itself if nobody has it."""
        return people(self._base).person(email)

    def is_signed(self, approval: Approval) -> bool | None:
        """Return whether a key of the approver made the signature; None if the signature cannot be checked here."""
        document, branch = self._approvals[approval.who][1], self._context.branch
        assert document is not None
        return None if branch is None else signed_by(branch.repository, document, people(self._base))
