"""Evidence for the gates of stages and aliases, gathered where and when a gate asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.types import StageDocument
from gitreg.errors import GitregError
from gitreg.policy.deciding import ALIASES
from gitreg.policy.evidence import Contents, Held, Incumbent, Proof, Said, Seal
from gitreg.registry.artifacts import manifest_of
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.dates import Dated, Dates
from gitreg.registry.index import Moment
from gitreg.registry.merging import told_by
from gitreg.registry.people_evidence import Approvals, PeopleEvidence
from gitreg.registry.persons import names_in, people, read_approval
from gitreg.registry.references import is_as_sealed
from gitreg.registry.signatures import tag_seal
from gitreg.registry.snapshot import ModelVersion, Snapshot
from gitreg.registry.verdicts import worst_recorded


class SnapshotEvidence(PeopleEvidence):
    """The evidence on a version that is to take a stage, or an alias (:class:`gitreg.policy.evidence.Evidence`).

    Parameters
    ----------
    base:
        The branch that the promotion is committed upon: who holds which stage, and held it, and whose keys count.
    head:
        What is to be: the version, its card and its approvals. For a direct promotion, the same.
    pointer:
        The stage, or the alias.
    """

    subject = "record"

    def __init__(
        self, base: Snapshot, head: Snapshot, version: ModelVersion, pointer: Key, circumstances: Circumstances
    ) -> None:
        super().__init__(base, head, circumstances)
        self._version = version
        self._pointer = pointer
        self.reference = version.reference
        self.digest = version.digest
        self.files_follow = circumstances.files_follow

    @cached_property
    def stage_now(self) -> str | None:
        """The stage that it holds on the base."""
        held = self._base.stages(self._version.model).items()
        return next((stage for stage, holder in held if holder == self._version.version), None)

    @cached_property
    def promoter(self) -> str | None:
        """The e-mail of who promotes."""
        try:
            return self._circumstances.promoter() if self._circumstances.promoter else None
        except GitregError:  # Git does not know who the user is
            return None

    @cached_property
    def incumbent(self) -> Incumbent | None:
        """The version that holds the stage, or that the alias names, if that is another one."""
        entry = self._base.index.get(self._base.seq, *self._pointer)
        if entry is None or entry.data is None or entry.data["version"] == self._version.version:
            return None
        now: str = entry.data["version"]
        holder = self._base.find_version(self._version.model, now)
        if holder is not None and not is_as_sealed(self._base, holder):
            holder = None
        # One that is deleted, edited or cannot be read says nothing, and nothing is better than what is not known.
        return Incumbent(f"{self._version.model}@{now}", _said(holder) if holder else Said({}, {}))

    @cached_property
    def metadata(self) -> Said:
        """What is said of the version."""
        return _said(self._version)

    @cached_property
    def card(self) -> Mapping[str, Any]:
        """The card's fields and its text."""
        document = self._head.find_model(self._version.model)
        return {**(document.to_data() if document else {}), "readme": self._head.card(self._version.model)}

    @property
    def sealed_artifacts(self) -> Collection[str]:
        """The names of the artifacts that its record has."""
        return self._version.record.artifacts.keys()

    @property
    def linked_artifacts(self) -> Collection[str]:
        """The names of those that were linked to it later."""
        return [name for name in self._version.artifacts if name not in self._version.record.artifacts]

    def files(self, artifact: str) -> Sequence[str] | None:
        """Give the paths of an artifact's files, from the store where the record does not list them."""
        record = self._version.artifacts[artifact]
        if record.files is not None:
            return list(record.files)
        if self._circumstances.source is None:
            return None
        try:
            return [entry.path for entry in manifest_of(record, self._circumstances.source()).files]
        except GitregError:
            return None

    def contents(self, artifact: str) -> Contents:
        """Return what an artifact's files are, by its record and by who reads them here."""
        record, look = self._version.artifacts[artifact], self._circumstances.look
        return Contents(worst_recorded(record.scan, record.contents), look(record) if look else None)

    def held_for(self, stage: str) -> Held | None:
        """Return the longest time for which the version held a stage, up to now, by corrected dates."""
        there = self._circumstances
        if there.now is None:
            return None
        now = int(there.now())
        index = self._base.index
        dates = Dates(index, now, there.ledger, here=there.here)
        date = dates.came if there.again else dates.seen
        longest, began, ended = Held(0), Dated(now, False), None
        for entry in reversed(index.history(self._base.seq, "stage", self._version.model, stage)):
            if entry.data is None or StageDocument.from_data(entry.data).version != self._version.version:
                continue
            if entry.since != ended:  # what is said anew of the same holder is no break
                began = date(entry.since)
            ended = entry.until if entry.until is not None and entry.until <= self._base.seq else None
            until = date(ended).time if ended is not None else now
            longest = max(longest, Held(until - began.time, began.time, began.seen))
        return longest

    # -- signatures ----------------------------------------------------------------------------------------------------

    @cached_property
    def seal(self) -> Seal:
        """Who signed the version's tag."""
        ledger = self._circumstances.ledger
        if ledger is None:
            return Seal(problem="its tag cannot be looked at here", checked=False)
        return tag_seal(ledger, self._base, self._head, self._version, people(self._base).keys)

    @cached_property
    def _approvals(self) -> Approvals:
        place = self._pointer.name if self._pointer.kind == "stage" else ALIASES
        entries = self._head.approvals(self._version.model, self._version.version, place)
        return {approval.who: (approval, document) for approval, document in map(read_approval, entries)}

    @cached_property
    def _arrival(self) -> Moment | None:
        """The commit that brought its record; None where it is not known."""
        key, ledger = Key("model_version", self._version.model, self._version.version), self._circumstances.ledger
        said = self._head.index.history(self._head.seq, *key)
        if not said:
            return None
        moment = self._head.index.moment(said[-1].since)
        try:
            return told_by(ledger, moment, key) if ledger is not None else moment
        except GitregError:  # a shallow clone lacks what was merged
            return moment

    @cached_property
    def authors(self) -> Collection[str]:
        """The persons whom its record, the commit that brought it, and the keys that signed tag or commit name."""
        names = names_in(self._version.record.created_by)
        if self._arrival is not None:
            names += [self._arrival.author, self._arrival.email, *names_in(self._arrival.committer)]
        return people(self._base).persons([*names, *self._signers])

    @cached_property
    def _signers(self) -> list[str]:
        """The persons whose keys signed its tag, and the commit that brought it."""
        ledger, arrival = self._circumstances.ledger, self._arrival
        found = [self.seal.signer] if self.seal.signer else []
        if ledger is not None and arrival is not None:
            with suppress(GitregError):
                signer = ledger.repository.commit_signer(arrival.oid, people(self._base).keys)
                found += [signer] if signer else []
        return found

    @cached_property
    def proof(self) -> Proof:
        """The proof of its author."""
        if self._signers:
            return Proof(True)
        if not self.seal.checked:
            return Proof(None, self.seal.problem)
        return Proof(False, f"the record is {self.seal.problem}")

    def run(self, command: Sequence[str]) -> bool | None:
        """Run a command, where that is done at all."""
        run = self._circumstances.run
        return run(command, self.reference, self._pointer) if run else None


def _said(version: ModelVersion) -> Said:
    return Said(version.record.metadata, version.metadata)
