"""Gates on time and on people: how long a version was tried, who signed it, who approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from gitreg.policy.evidence import Approval, Evidence
from gitreg.policy.gates import Condition, Finding, finding
from gitreg.policy.metric_gates import plain
from gitreg.policy.results import Outcome

_HOUR = 3600  # seconds


@dataclass(frozen=True, kw_only=True)
class Soak(Condition):
    """Time in another stage, without a break."""

    kind: ClassVar[str] = "soak"
    stage: str
    hours: Decimal

    def _find(self, evidence: Evidence) -> Finding:
        facts: dict[str, Any] = {"stage": self.stage, "needed_hours": plain(self.hours)}
        stay = evidence.held_for(self.stage)
        if stay is None:
            return Outcome.UNKNOWN, f"how long it was in {self.stage} is not known here", facts
        held = Decimal(str(stay.seconds)) / _HOUR
        facts["hours"] = round(float(held), 2)
        enough = held >= self.hours
        # Rounded down: 47.99 hours are not the 48 that are needed.
        told = int(held * 10) / 10
        sentence = f"it was in {self.stage} for {told:g} hours" + ("" if enough else f"; {self.hours} are needed")
        if stay.since:
            since = datetime.fromtimestamp(stay.since, UTC)
            facts["clock"] = "receipts" if stay.seen else "committers"
            seen = f"as seen here since {since:%Y-%m-%dT%H:%M:%SZ}"
            sentence += f", {seen}" if stay.seen else ", by the committers' clocks"
        return finding(enough, sentence, **facts)


@dataclass(frozen=True, kw_only=True)
class Signature(Condition):
    """The version's tag is signed by one of some people."""

    kind: ClassVar[str] = "signature"
    by: tuple[str, ...]

    def _find(self, evidence: Evidence) -> Finding:
        seal = evidence.seal
        facts = {"by": list(self.by), "signer": seal.signer}
        needed = f"a signature by {' or '.join(self.by)} is needed"
        if not seal.checked:
            return Outcome.UNKNOWN, seal.problem, facts
        if seal.signer is None:
            return finding(False, f"{seal.problem}; {needed}", **facts)
        told = f"{seal.what} is signed by {seal.signer}" if seal.what else f"signed by {seal.signer}"
        if seal.signer not in self.by:
            return finding(False, f"{told}; {needed}", **facts)
        return finding(True, told, **facts)


@dataclass(frozen=True, kw_only=True)
class Approvals(Condition):
    """Signed approvals by several people, none of them the version's author."""

    kind: ClassVar[str] = "approvals"
    count: int
    by: tuple[str, ...]

    def _find(self, evidence: Evidence) -> Finding:
        counted: list[str] = []
        open_: list[str] = []
        refused: list[str] = []
        for approval in evidence.approvals:
            problem = self._problem(approval, evidence)
            signed = None if problem else evidence.is_signed(approval)
            if problem or signed is False:
                refused.append(problem or f"that of {approval.who} is not signed by a key of theirs")
            else:
                (open_ if signed is None else counted).append(approval.who)
        enough = len(counted) >= self.count
        told = f"{len(counted)} of {self.count} approvals" + (f" ({', '.join(counted)})" if counted else "")
        if not enough and open_:
            refused.append(f"the signature of {', '.join(open_)} cannot be checked here")
        if not enough:
            refused.append(f"they can come from {', '.join(self.by)}")
        sentence = "; ".join([told, *refused])
        facts = {"count": self.count, "counted": counted, "by": list(self.by)}
        if not enough and len(counted) + len(open_) >= self.count:
            return Outcome.UNKNOWN, sentence, facts
        return finding(enough, sentence, **facts)

    def _problem(self, approval: Approval, evidence: Evidence) -> str | None:
        who = approval.who
        if approval.digest is None:
            return f"that of {who} cannot be read ({approval.problem})"
        if who not in self.by:
            return f"that of {who} does not count here"
        if who.casefold() in evidence.authors:
            return f"that of {who}, who made {evidence.reference}, does not count"
        if approval.digest != evidence.digest:
            return f"that of {who} is for another record ({approval.digest[:19]}...)"
        return None
