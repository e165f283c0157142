"""Evidence by hand, for rules that are pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitreg.policy.evaluate import Policy
from gitreg.policy.evidence import Approval, Contents, Incumbent, Proof, SealEvidence, StageStay, VersionMetadata
from gitreg.policy.gates.base import Gate
from gitreg.policy.parse import parse_policies

PEOPLE = {"ada@example.com": ["ssh-ed25519 A"], "bob@example.com": ["ssh-ed25519 B"], "cy": ["ssh-ed25519 C"]}
STAGES = ("dev", "staging", "production")

PROVEN = Proof(True)
UNSIGNED = SealEvidence(problem="unsigned")


@dataclass
class Facts:
    reference: str = "iris@7"
    digest: str = "sha256:7"
    subject: str = "record"
    stage_now: str | None = None
    promoter: str | None = "ada@example.com"
    place: str = "in production"
    incumbent: Incumbent | None = None
    sealed: Mapping[str, Any] = field(default_factory=dict)
    annotated: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    paths: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    linked: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    verdicts: Mapping[str, Contents] = field(default_factory=dict)
    files_follow: bool = False
    seal: SealEvidence = UNSIGNED
    approvals: Sequence[Approval] = ()
    authors: Collection[str] = ("ada lovelace", "ada@example.com")
    registry: str | None = None
    now: float | None = 1000
    proof: Proof = PROVEN
    emails: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, StageStay | None] = field(default_factory=dict)
    signed: Mapping[str, bool | None] = field(default_factory=dict)
    ran: bool | None = None

    @property
    def metadata(self) -> VersionMetadata:
        return VersionMetadata(self.sealed, {**self.sealed, **self.annotated})

    @property
    def sealed_artifacts(self) -> Collection[str]:
        return self.paths.keys()

    @property
    def linked_artifacts(self) -> Collection[str]:
        return self.linked.keys()

    def files(self, artifact: str) -> Sequence[str] | None:
        return {**self.linked, **self.paths}[artifact]

    def contents(self, artifact: str) -> Contents:
        return self.verdicts[artifact]

    def time_in_stage(self, stage: str) -> StageStay | None:
        return self.held.get(stage, StageStay(0))

    def person(self, email: str) -> str:
        return self.emails.get(email, email).casefold()

    def is_signed(self, approval: Approval) -> bool | None:
        return self.signed.get(approval.who, True)

    def run(self, command: Sequence[str]) -> bool | None:
        return self.ran


def policy(**said: Any) -> Policy:
    """Read production's policy."""
    return parse_policies({"production": said}, PEOPLE, STAGES)["production"][0]


def gate(said: Mapping[str, Any]) -> Gate:
    return policy(gates=[said]).gates[0]
