"""The evidence for the gates of stages and aliases, read from snapshots only when a gate asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.types import StageDocument
from gitreg.errors import GitregError
from gitreg.policy.evaluate import ALIASES
from gitreg.policy.evidence import Contents, Incumbent, Proof, SealEvidence, StageStay, VersionMetadata
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.people import names_in, people, read_approval
from gitreg.registry.promotion.people_evidence import Approvals, PeopleEvidence
from gitreg.registry.promotion.signatures import tag_seal
from gitreg.registry.state.content_verdicts import worst_recorded
from gitreg.registry.state.dates import Dated, Dates
from gitreg.registry.state.index import BranchCommit
from gitreg.registry.state.manifests import manifest_of
from gitreg.registry.state.merge_preview import writing_commit
from gitreg.registry.state.references import is_as_sealed
from gitreg.registry.state.snapshot import ModelVersion, Snapshot


class SnapshotEvidence(PeopleEvidence):
    """The evidence on a version that is to take a stage, or an alias (:class:`gitreg.policy.evidence.Evidence`).

    Parameters
    ----------
    base:
        The snapshot of the target branch: its stages, their history, and the keys that count.
    head:
        The snapshot with the version, its card and its approvals. For a direct promotion, the same as `base`.
    version:
        The version in `head`.
    pointer:
        The key of the stage or alias.
    context:
        The promotion context.
    """

    subject = "record"

    def __init__(
        self, base: Snapshot, head: Snapshot, version: ModelVersion, pointer: Key, context: PromotionContext
    ) -> None:
        super().__init__(base, head, context)
        self._version = version
        self._pointer = pointer
        self.reference = version.reference
        self.digest = version.digest
        self.files_follow = context.files_follow
        self.place = f"in {pointer.name}" if pointer.kind == "stage" else f"at the alias {pointer.name}"

    @cached_property
    def stage_now(self) -> str | None:
        """The stage of the version on the base; None where it has none."""
        stages = self._base.stages(self._version.model).items()
        return next((stage for stage, holder in stages if holder == self._version.version), None)

    @cached_property
    def promoter(self) -> str | None:
        """The e-mail of the promoter; None where it is not known."""
        try:
            return self._context.promoter() if self._context.promoter else None
        except GitregError:  # Git does not know who the user is
            return None

    @cached_property
    def incumbent(self) -> Incumbent | None:
        """The other version that has the stage or alias now; None where there is none."""
        entry = self._base.index.get(self._base.seq, *self._pointer)
        if entry is None or entry.data is None or entry.data["version"] == self._version.version:
            return None
        now: str = entry.data["version"]
        holder = self._base.find_version(self._version.model, now)
        if holder is not None and not is_as_sealed(self._base, holder):
            holder = None
        # A deleted, edited or unreadable incumbent has no metadata: nothing is compared with unknown values.
        return Incumbent(f"{self._version.model}@{now}", _metadata_of(holder) if holder else VersionMetadata({}, {}))

    @cached_property
    def metadata(self) -> VersionMetadata:
        """The metadata of the version, sealed and current."""
        return _metadata_of(self._version)

    @cached_property
    def card(self) -> Mapping[str, Any]:
        """The fields of the model card, with its text as ``readme``."""
        document = self._head.find_model(self._version.model)
        return {**(document.to_data() if document else {}), "readme": self._head.card(self._version.model)}

    @property
    def sealed_artifacts(self) -> Collection[str]:
        """The names of the artifacts in the version's record."""
        return self._version.record.artifacts.keys()

    @property
    def linked_artifacts(self) -> Collection[str]:
        """The names of the artifacts that were linked to the version later."""
        return [name for name in self._version.artifacts if name not in self._version.record.artifacts]

    def files(self, artifact: str) -> Sequence[str] | None:
        """Return the paths of an artifact's files, from the record or the store; None where they cannot be read."""
        record = self._version.artifacts[artifact]
        if record.files is not None:
            return list(record.files)
        if self._context.source is None:
            return None
        try:
            return [entry.path for entry in manifest_of(record, self._context.source()).files]
        except GitregError:
            return None

    def contents(self, artifact: str) -> Contents:
        """Return the worst findings on an artifact's files: the recorded one, and that of a scan here."""
        record, look = self._version.artifacts[artifact], self._context.look
        return Contents(worst_recorded(record.scan, record.contents), look(record) if look else None)

    def time_in_stage(self, stage: str) -> StageStay | None:
        """Return the longest unbroken time that the version had a stage, by corrected dates; None without a clock."""
        context = self._context
        if context.now is None:
            return None
        now = int(context.now())
        index = self._base.index
        dates = Dates(index, now, context.branch, before_push=context.before_push)
        date = dates.came if context.again else dates.seen
        longest, began, ended = StageStay(0), Dated(now, False), None
        for entry in reversed(index.history(self._base.seq, "stage", self._version.model, stage)):
            if entry.data is None or StageDocument.from_data(entry.data).version != self._version.version:
                continue
            if entry.since != ended:  # a rewritten pointer with the same version is no break
                began = date(entry.since)
            ended = entry.until if entry.until is not None and entry.until <= self._base.seq else None
            until = date(ended).time if ended is not None else now
            longest = max(longest, StageStay(until - began.time, began.time, began.seen))
        return longest

    # -- signatures ----------------------------------------------------------------------------------------------------

    @cached_property
    def seal(self) -> SealEvidence:
        """The signature on the version's tag."""
        branch = self._context.branch
        if branch is None:
            return SealEvidence(problem="its tag cannot be looked at here", checked=False)
        return tag_seal(branch, self._base, self._head, self._version, people(self._base).keys)

    @cached_property
    def _approvals(self) -> Approvals:
        place = self._pointer.name if self._pointer.kind == "stage" else ALIASES
        entries = self._head.approvals(self._version.model, self._version.version, place)
        return {approval.who: (approval, document) for approval, document in map(read_approval, entries)}

    @cached_property
    def _arrival(self) -> BranchCommit | None:
        """The commit that brought the version's record; None where it is not known."""
        key, branch = Key("model_version", self._version.model, self._version.version), self._context.branch
        contents = self._head.index.history(self._head.seq, *key)
        if not contents:
            return None
        moment = self._head.index.moment(contents[-1].since)
        try:
            return writing_commit(branch, moment, key) if branch is not None else moment
        except GitregError:  # a shallow clone lacks the merged commits
            return moment

    @cached_property
    def authors(self) -> Collection[str]:
        """The persons named by the record, by the commit that brought it, and by the signatures on tag and commit."""
        names = names_in(self._version.record.created_by)
        if self._arrival is not None:
            names += [self._arrival.author, self._arrival.email, *names_in(self._arrival.committer)]
        return people(self._base).persons([*names, *self._signers])

    @cached_property
    def _signers(self) -> list[str]:
        """The persons whose keys signed the tag or the commit that brought the record."""
        branch, arrival = self._context.branch, self._arrival
        found = [self.seal.signer] if self.seal.signer else []
        if branch is not None and arrival is not None:
            with suppress(GitregError):
                signer = branch.repository.commit_signer(arrival.oid, people(self._base).keys)
                found += [signer] if signer else []
        return found

    @cached_property
    def proof(self) -> Proof:
        """The proof of the version's author: a signature of a known key."""
        if self._signers:
            return Proof(True)
        if not self.seal.checked:
            return Proof(None, self.seal.problem)
        return Proof(False, f"the record is {self.seal.problem}")

    def run(self, command: Sequence[str]) -> bool | None:
        """Run a command and return whether it succeeded; None where commands are not run."""
        run = self._context.run
        return run(command, self.reference, self._pointer) if run else None


def _metadata_of(version: ModelVersion) -> VersionMetadata:
    removed = version.annotation.removed
    sealed = {key: value for key, value in version.record.metadata.items() if key not in removed}
    return VersionMetadata(sealed, version.metadata)
