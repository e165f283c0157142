"""Changes of ``gitreg.yaml`` that a command makes for the user, and approvals of others' changes."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from gitreg.documents.files import read_data
from gitreg.documents.layout import Key
from gitreg.documents.types import ApprovalDocument
from gitreg.errors import InvalidInput, Refused
from gitreg.policy.approval import statement
from gitreg.registry.changes import Changes
from gitreg.registry.operations.approvals import UNSIGNED, Approver
from gitreg.registry.persons import people
from gitreg.registry.snapshot import Snapshot


def give_id(snapshot: Snapshot, registry_id: str) -> Changes:
    """Return what gives an old registry its id; one that has an id keeps it.

    Parameters
    ----------
    registry_id:
        32 hexadecimal digits that no other registry has.
    """
    settings = snapshot.sound_settings()
    if settings.id is not None:
        return Changes()
    return Changes(
        {Key("registry"): settings.but(id=registry_id)},
        "Give the registry an id",
        trailers=(("Operation", "id"),),
    )


def approve_settings(
    snapshot: Snapshot,
    proposed: bytes,
    authors: Collection[str],
    approver: Approver,
    *,
    when: str,
    until: str | None = None,
    reason: str = "",
) -> Changes:
    """Approve that ``gitreg.yaml`` becomes what is proposed, from what it says now.

    Parameters
    ----------
    proposed:
        The file as it is to be, byte for byte.
    authors:
        The e-mails of those who propose it.
    when, until:
        The time in RFC 3339, and when the approval expires; None: never.

    Raises
    ------
    InvalidDocument
        What is proposed is no ``gitreg.yaml``.
    InvalidInput
        It is what the file says now.
    Refused
        It is another registry's; or the approval would not count: ``people`` does not know the approver or their key,
        or they propose it themselves.
    """
    key = Key("registry")
    said = read_data(key, proposed)
    if snapshot.settings.id is not None and said.get("id") != snapshot.settings.id:
        raise Refused(
            f"what is proposed is the {key.path} of another registry: its id is {said.get('id') or 'missing'}",
            hint="approve it where it is proposed: gitreg --repo PATH approve --settings",
        )
    digest = sha256(proposed).hexdigest()
    now = snapshot.index.get(snapshot.seq, *key)
    if now is not None and now.digest == digest:
        hint = "name the commit that changes it: --head COMMIT"
        if (remote := snapshot.settings.remote) is not None:
            branch = snapshot.settings.branch
            aside = f"`git switch -c change`, `git branch -f {branch} {remote}/{branch}`, then --head change"
            hint += f"; one that is on {branch} here and not published is moved to a branch of its own first: {aside}"
        raise InvalidInput(f"{key.path} says that already", hint=hint)
    known = people(snapshot)
    who = next(filter(None, map(known.find, approver.names)), None)
    if who is None:
        raise Refused(
            f"{approver.names[0]} is none of `people` in gitreg.yaml: the approval would not count",
            hint="add their public SSH key there; or tell Git the right user.email",
        )
    if known.any_is(who, authors):
        raise Refused(f"{who} proposes that: an approval of one's own does not count", hint="ask another person")
    document = ApprovalDocument(
        registry=snapshot.settings.id,
        subject="settings",
        base=f"sha256:{now.digest if now else ''}",
        digest=f"sha256:{digest}",
        who=who,
        when=when,
        until=until,
        reason=reason or None,
        signature=UNSIGNED,
    )
    signed = statement(document.to_data())
    document = document.but(signature=approver.sign(signed).decode())
    if not approver.signer(signed, document.signature.encode(), {who: known.keys[who]}):
        raise Refused(
            f"the key that signed is none that gitreg.yaml names for {who}: the approval would not count",
            hint="sign with another one (--key), or add its public half to `people`",
        )
    return Changes(
        {Key("approval", "", f"settings/{digest}/{who}"): document},
        f"Approve a change of {key.path}",
        reason,
        (("Operation", "approve-settings"),),
    )
