"""The evidence for the settings policy: the author of a change of ``gitreg.yaml``, and its approvals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gitreg.documents.types import ApprovalDocument
from gitreg.errors import GitregError
from gitreg.policy.evidence import Approval, Contents, Incumbent, Proof, SealEvidence, StageStay, VersionMetadata
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.people import names_in, people, read_approval
from gitreg.registry.promotion.people_evidence import Approvals, PeopleEvidence
from gitreg.registry.state.index import BranchCommit
from gitreg.registry.state.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.git import Repository


class SettingsEvidence(PeopleEvidence):
    """The evidence on a change of ``gitreg.yaml`` (:class:`gitreg.policy.evidence.Evidence`).

    Parameters
    ----------
    base:
        The snapshot before the change: its people and keys count.
    head:
        The snapshot after the change: the approvals are read from it.
    """

    reference = "gitreg.yaml"
    subject = "change of gitreg.yaml"
    stage_now: str | None = None
    place = ""
    incumbent: Incumbent | None = None
    metadata = VersionMetadata({}, {})
    card: Mapping[str, Any] = {}
    sealed_artifacts: Collection[str] = ()
    linked_artifacts: Collection[str] = ()
    files_follow = False

    def __init__(self, base: Snapshot, head: Snapshot, context: PromotionContext) -> None:
        super().__init__(base, head, context)
        entry = head.index.get(head.seq, "registry", "", "")
        assert entry is not None  # it is the file that changes
        self._entry = entry

    @cached_property
    def _moment(self) -> BranchCommit:
        """The commit that makes the change; in a proposal, the commit that writes the final content."""
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
    def seal(self) -> SealEvidence:
        """The signer of the commit that makes the change."""
        branch = self._context.branch
        if branch is None:
            return SealEvidence(problem="the commit cannot be looked at here", checked=False)
        try:
            if not self._is_made_upon_the_base(branch.repository):
                return SealEvidence(problem="its commit was made upon another gitreg.yaml; rebase it onto the branch")
            signer = branch.repository.commit_signer(self._moment.oid, people(self._base).keys)
        except GitregError as error:
            return SealEvidence(problem=error.message, checked=False)
        problem = "" if signer else "its commit is not signed by a key of anybody in `people`"
        return SealEvidence(signer, problem, what="its commit")

    def _is_made_upon_the_base(self, repository: Repository) -> bool:
        """Return whether the commit descends from the one that wrote the file before the change.

        A merge can bring a commit that was signed long ago, for a file with other content.
        """
        before = self._base.index.get(self._base.seq, "registry", "", "")
        return before is None or repository.is_ancestor(self._base.index.moment(before.since).oid, self._moment.oid)

    @cached_property
    def _approvals(self) -> Approvals:
        before = self._base.index.get(self._base.seq, "registry", "", "")
        found: dict[str, tuple[Approval, ApprovalDocument | None]] = {}
        for entry in self._head.approvals("", "settings", self._entry.digest):
            approval, document = read_approval(entry)
            if document is not None and (before is None or document.base != f"sha256:{before.digest}"):
                approval = approval._replace(digest=document.base)  # approved as a change of another file content
            found[approval.who] = approval, document
        return found

    @cached_property
    def authors(self) -> Collection[str]:
        """The persons who make the change: author, committer and signer of its commit."""
        names = (self._moment.author, self._moment.email, *names_in(self._moment.committer), self.seal.signer or "")
        return people(self._base).persons(names)

    @property
    def proof(self) -> Proof:
        """The proof that a known person made the change: the signature of its commit."""
        if self.seal.signer:
            return Proof(True)
        return Proof(False if self.seal.checked else None, self.seal.problem)

    def files(self, artifact: str) -> Sequence[str] | None:
        """Return None: settings have no files."""

    def contents(self, artifact: str) -> Contents:
        """Return no verdicts: settings have no files."""
        return Contents(None, None)

    def time_in_stage(self, stage: str) -> StageStay | None:
        """Return None: settings hold no stage."""

    def run(self, command: Sequence[str]) -> bool | None:
        """Return None: no command is run about settings."""
