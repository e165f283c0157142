"""Evidence for the policy of settings: who changes ``gitreg.yaml``, and who approved that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from gitreg.errors import GitregError
from gitreg.policy.evidence import Approval, Held, Incumbent, Said, Seal
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.index import Moment
from gitreg.registry.persons import people
from gitreg.registry.snapshot import Snapshot


class SettingsEvidence:
    """What is known of a change of ``gitreg.yaml`` (:class:`gitreg.policy.evidence.Evidence`).

    Parameters
    ----------
    base:
        What the branch says before: whose keys count.
    head:
        What it will say; the approvals come from there.
    """

    reference = "gitreg.yaml"
    stage_now: str | None = None
    incumbent: Incumbent | None = None
    metadata = Said({}, {})
    card: Mapping[str, Any] = {}
    sealed_artifacts: Collection[str] = ()
    linked_artifacts: Collection[str] = ()
    files_follow = False

    def __init__(self, base: Snapshot, head: Snapshot, circumstances: Circumstances) -> None:
        self._base = base
        self._head = head
        self._circumstances = circumstances
        entry = head.index.get(head.seq, "registry", "", "")
        assert entry is not None  # its change is what is judged
        self._entry = entry

    @cached_property
    def _moment(self) -> Moment:
        """The commit that makes the change; of a proposal the one that says what it comes to."""
        return self._head.index.moment(self._entry.since)

    @property
    def digest(self) -> str:
        """The digest of the new file."""
        return f"sha256:{self._entry.digest}"

    @property
    def promoter(self) -> str | None:
        """The e-mail of the author of the change."""
        return self._moment.email

    @cached_property
    def seal(self) -> Seal:
        """Who signed the commit that makes the change."""
        ledger = self._circumstances.ledger
        if ledger is None:
            return Seal(problem="the commit cannot be looked at here", checked=False)
        try:
            signer = ledger.repository.commit_signer(self._moment.oid, people(self._base).keys)
        except GitregError as error:
            return Seal(problem=error.message, checked=False)
        problem = "" if signer else "its commit is not signed by a key of anybody in `people`"
        return Seal(signer, problem, what="its commit")

    @property
    def approvals(self) -> Sequence[Approval]:
        """All approvals of the change."""
        return ()

    @cached_property
    def authors(self) -> Collection[str]:
        """Who makes the change; case-folded."""
        return {name.casefold() for name in (self._moment.author, self._moment.email) if name}

    def is_signed(self, approval: Approval) -> bool | None:
        """Whether a key of the person made an approval's signature; None where that cannot be looked at here."""
        return None

    def files(self, artifact: str) -> Sequence[str] | None:
        """Return None: settings have no files."""

    def held_for(self, stage: str) -> Held | None:
        """Return None: settings hold no stage."""

    def run(self, command: Sequence[str]) -> bool | None:
        """Return None: no command is run about settings."""
