"""Approvals of a version for a stage or for aliases: one signed file per person, so that approvals never conflict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitreg.documents.layout import Key
from gitreg.documents.types import ApprovalDocument
from gitreg.errors import Refused
from gitreg.policy.approval import statement
from gitreg.policy.evaluate import ALIASES
from gitreg.policy.promotion import check_stage_is_known
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.promotion.people import people
from gitreg.registry.promotion.snapshot_evidence import SnapshotEvidence
from gitreg.registry.state.references import resolve
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes

UNSIGNED = "-----BEGIN SSH SIGNATURE-----\n"
"""The placeholder for the signature in a document that is not signed yet."""


@dataclass(frozen=True)
class Approver:
    """The person who approves.

    Parameters
    ----------
    names:
        The e-mail and the name from the Git configuration: ``people`` has to list one of them.
    sign:
        A function from a statement to the person's SSH signature of it.
    signer:
        A function from a statement, a signature and public keys by person to the person who signed; None: nobody.
    """

    names: Sequence[str]
    sign: Callable[[bytes], bytes]
    signer: Callable[[bytes, bytes, Mapping[str, Sequence[str]]], str | None]


def approve(
    snapshot: Snapshot,
    reference: str,
    stage: str,
    approver: Approver,
    *,
    when: str,
    until: str | None = None,
    reason: str = "",
    context: PromotionContext = UNKNOWN,
) -> Changes:
    """Return the changes that approve a version for a stage; no files if the same approval exists already.

    Parameters
    ----------
    stage:
        The stage, or ``aliases`` for every alias.
    when, until:
        The time of the approval and the time at which it expires, in RFC 3339; None: it never expires.
    context:
        The context of the promotion: its repository has the signatures that show the authors of the version.

    Raises
    ------
    NotFound, InvalidInput
        The version or the stage does not exist.
    Refused
        The approval would not count: ``people`` does not list the approver or the key, or the approver is an author of
        the version.
    """
    version = resolve(snapshot, reference, withdrawn=True)
    if stage != ALIASES:
        check_stage_is_known(stage, snapshot.settings.stages)
    known = people(snapshot)
    who = next(filter(None, map(known.find, approver.names)), None)
    if who is None:
        raise Refused(
            f"{approver.names[0]} is none of `people` in gitreg.yaml: the approval would not count",
            hint="add their public SSH key there (`gitreg edit`); or tell Git the right user.email",
        )
    evidence = SnapshotEvidence(snapshot, snapshot, version, Key("stage", version.model, stage), context)
    if known.person(who) in evidence.authors:
        raise Refused(f"{who} made {version.reference}: nobody approves their own version", hint="ask another person")

    def signed_by(document: ApprovalDocument) -> str | None:
        return approver.signer(statement(document.to_data()), document.signature.encode(), {who: known.keys[who]})

    key = Key("approval", version.model, f"{version.version}/{stage}/{who}")
    trailers = (("Operation", "approve"), ("Model", version.model), ("Version", version.version), ("Stage", stage))
    about = (version.model, version.version)
    entry = snapshot.index.get(snapshot.seq, *key)
    if entry is not None and entry.data is not None:
        former = ApprovalDocument.from_data(entry.data)
        same = (former.digest, former.registry, former.until) == (version.digest, snapshot.settings.id, until)
        if same and signed_by(former):
            return Changes(version=about)
    document = ApprovalDocument(
        registry=snapshot.settings.id,
        model=version.model,
        version=version.version,
        stage=stage,
        digest=version.digest,
        who=who,
        when=when,
        until=until,
        reason=reason or None,
        signature=UNSIGNED,
    )
    signature = approver.sign(statement(document.to_data())).decode()
    document = document.but(signature=signature)
    if not signed_by(document):
        raise Refused(
            f"the key that signed is none that gitreg.yaml names for {who}: the approval would not count",
            hint="sign with another one (--key), or add its public half to `people`",
        )
    return Changes({key: document}, f"Approve {version.reference} for {stage}", reason, trailers, version=about)
