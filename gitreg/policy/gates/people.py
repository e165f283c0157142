"""The gates on time in a stage, on the signature of a version and on its approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from gitreg.policy.evidence import Approval, Evidence
from gitreg.policy.gates.base import Condition, Finding, finding
from gitreg.policy.gates.metric import plain
from gitreg.policy.results import Verdict

_HOUR = 3600  # seconds


@dataclass(frozen=True, kw_only=True)
class SoakGate(Condition):
    """The gate on the hours that a version was in another stage without a break."""

    kind: ClassVar[str] = "soak"
    stage: str
    hours: Decimal

    def _find(self, evidence: Evidence) -> Finding:
        facts: dict[str, Any] = {"stage": self.stage, "needed_hours": plain(self.hours)}
        stay = evidence.time_in_stage(self.stage)
        if stay is None:
            return Verdict.UNKNOWN, f"how long it was in {self.stage} is not known here", facts
        hours = Decimal(str(stay.seconds)) / _HOUR
        facts["hours"] = round(float(hours), 2)
        enough = hours >= self.hours
        # Round down: 47.99 hours must not be shown as 48.
        rounded_down = int(hours * 10) / 10
        sentence = f"it was in {self.stage} for {rounded_down:g} hours" + (
            "" if enough else f"; {self.hours} are needed"
        )
        if stay.since:
            since = datetime.fromtimestamp(stay.since, UTC)
            facts["clock"] = "receipts" if stay.seen else "committers"
            seen = f"as seen here since {since:%Y-%m-%dT%H:%M:%SZ}"
            sentence += f", {seen}" if stay.seen else ", by the committers' clocks"
        return finding(enough, sentence, **facts)


@dataclass(frozen=True, kw_only=True)
class SignatureGate(Condition):
    """The gate on the signature of the version's tag, by one of the listed people."""

    kind: ClassVar[str] = "signature"
    by: tuple[str, ...]

    def _find(self, evidence: Evidence) -> Finding:
        seal = evidence.seal
        facts = {"by": list(self.by), "signer": seal.signer}
        needed = f"a signature by {' or '.join(self.by)} is needed"
        if not seal.checked:
            return Verdict.UNKNOWN, seal.problem, facts
        if seal.signer is None:
            return finding(False, f"{seal.problem}; {needed}", **facts)
        sentence = f"{seal.what} is signed by {seal.signer}" if seal.what else f"signed by {seal.signer}"
        if seal.signer not in self.by:
            return finding(False, f"{sentence}; {needed}", **facts)
        return finding(True, sentence, **facts)


@dataclass(frozen=True, kw_only=True)
class ApprovalsGate(Condition):
    """The gate on signed approvals by enough people, none of them an author of the version.

    Parameters
    ----------
    count:
        The number of approvals that are needed.
    by:
        The people whose approvals count.
    signed_author:
        True if a signature has to prove the author of the version.
    """

    kind: ClassVar[str] = "approvals"
    count: int
    by: tuple[str, ...]
    signed_author: bool = False

    def _find(self, evidence: Evidence) -> Finding:
        counted: list[str] = []
        open_: list[str] = []
        refused: list[str] = []
        for approval in evidence.approvals:
            problem = self._problem(approval, evidence)
            timeless = approval.until is not None and evidence.now is None
            signed = None if problem or timeless else evidence.is_signed(approval)
            if problem or signed is False:
                refused.append(problem or f"that of {approval.who} is not signed by a key of theirs")
            else:
                (open_ if signed is None else counted).append(approval.who)
        enough = len(counted) >= self.count
        tally = f"{len(counted)} of {self.count} approvals" + (f" ({', '.join(counted)})" if counted else "")
        if not enough and open_:
            refused.append(f"the signature of {', '.join(open_)} cannot be checked here")
        if not enough:
            refused.append(f"they can come from {', '.join(self.by)}")
        proof = evidence.proof
        if not proof.proven:
            refused.append(f"author not proven: {proof.problem}")
        sentence = "; ".join([tally, *refused])
        author = {True: "signed", False: "unsigned", None: "unknown"}[proof.proven]
        facts = {"count": self.count, "counted": counted, "by": list(self.by), "author": author}
        if not enough and len(counted) + len(open_) < self.count:
            return finding(False, sentence, **facts)
        if self.signed_author and proof.proven is False:
            return finding(False, sentence, **facts)
        if not enough or (self.signed_author and proof.proven is None):
            return Verdict.UNKNOWN, sentence, facts
        return finding(True, sentence, **facts)

    def _problem(self, approval: Approval, evidence: Evidence) -> str | None:
        who = approval.who
        if approval.digest is None:
            return f"that of {who} cannot be read ({approval.problem})"
        if who not in self.by:
            return f"that of {who} does not count here"
        if evidence.person(who) in evidence.authors:
            return f"that of {who}, who made {evidence.reference}, does not count"
        if approval.registry != evidence.registry:
            return f"that of {who} " + ("is for another registry" if approval.registry else "names no registry")
        if approval.until is not None and evidence.now is not None and evidence.now > approval.until:
            return f"that of {who} expired at {datetime.fromtimestamp(approval.until, UTC):%Y-%m-%dT%H:%M:%SZ}"
        if approval.digest != evidence.digest:
            return f"that of {who} is for another {evidence.subject} ({approval.digest[:19]}...)"
        return None
