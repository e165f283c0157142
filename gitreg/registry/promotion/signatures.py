"""The signers of versions: the signature on the tag, in the words of `verify` and the gate ``signature``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitreg.errors import GitregError
from gitreg.policy.evidence import SealEvidence
from gitreg.registry.promotion.people import people
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import tag_ref
from gitreg.registry.state.seals import same_record
from gitreg.registry.state.snapshot import ModelVersion, Snapshot

_NAMES = {"openpgp": "OpenPGP", "x509": "X.509"}


class VersionSignature(NamedTuple):
    """The signature of a version."""

    reference: str
    seal: SealEvidence

    def __repr__(self) -> str:
        return f"VersionSignature({self.reference!r}, {self.words!r})"

    @property
    def words(self) -> str:
        """The signature in words, as ``signed by ada@example.com`` or ``unsigned``."""
        return f"signed by {self.seal.signer}" if self.seal.signer else self.seal.problem

    def row(self) -> dict[str, Any]:
        """Return the signature as plain data."""
        return {"reference": self.reference, "by": self.seal.signer, "kind": self.seal.kind}


def signed(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> VersionSignature:
    """Return the signature of a version, checked with the keys that the registry has now."""
    return VersionSignature(version.reference, tag_seal(branch, snapshot, snapshot, version, people(snapshot).keys))


def tag_seal(
    branch: RegistryBranch, base: Snapshot, head: Snapshot, version: ModelVersion, keys: Mapping[str, Sequence[str]]
) -> SealEvidence:
    """Return the signature on a version's tag.

    Parameters
    ----------
    base:
        The snapshot whose settings name the tags.
    head:
        The snapshot with the record.
    keys:
        The public keys of each person.
    """
    repository = branch.repository
    ref = tag_ref(base.settings, version.model, version.version)
    oid = repository.read_ref(ref)
    tag = repository.tag(oid) if oid else None
    if oid is None or tag is None:
        return SealEvidence(problem=f"unsigned: it has no annotated tag {ref.removeprefix('refs/tags/')}")
    if not tag.signed:
        return SealEvidence(problem="unsigned")
    kind = repository.tag_signature_kind(oid)
    commit = repository.peel(oid)
    entry = head.index.get(head.seq, "model_version", version.model, version.version)
    if f"refs/tags/{tag.name}" != ref or not commit or entry is None or not same_record(branch, commit, entry):
        return SealEvidence(problem=f"unsigned: its tag was made for something else ({tag.name})")
    if kind in _NAMES:
        return SealEvidence(problem=f"signed by {_NAMES[kind]} (not asked here)", kind=kind)
    try:
        signer = repository.tag_signer(oid, keys)
    except GitregError as error:
        return SealEvidence(problem=error.message, checked=False, kind=kind)
    return SealEvidence(signer, "" if signer else "signed by a key of nobody in people", kind=kind)
