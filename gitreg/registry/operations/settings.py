"""Changes of ``gitreg.yaml`` that a command makes for the user, and approvals of changes that other people propose."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from gitreg.documents.files import read_data
from gitreg.documents.layout import Key
from gitreg.documents.types import ApprovalDocument
from gitreg.errors import InvalidInput, Refused
from gitreg.policy.approval import statement
from gitreg.registry.operations.approvals import UNSIGNED, Approver
from gitreg.registry.promotion.people import people
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes, Difference


def give_id(snapshot: Snapshot, registry_id: str) -> Changes:
    """Return the changes that add an id to a registry; no files if it has one.

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


def set_field(snapshot: Snapshot, field: str, value: str | tuple[str, ...] | None) -> Changes:
    """Return the changes that set one field of ``gitreg.yaml``; no files if it has that value.

    Parameters
    ----------
    value:
        The new value; None removes the field.
    """
    settings = snapshot.sound_settings()
    before = getattr(settings, field)
    if before == value:
        return Changes(subject=f"Set {field}")
    words = "nothing" if value is None else value if isinstance(value, str) else ", ".join(value)
    return Changes(
        {Key("registry"): settings.but(**{field: value})},
        f"Set {field} to {words}",
        trailers=(("Operation", "config"),),
        differences=(Difference(field, before, value),),
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
    """Return the changes that approve a proposed content of ``gitreg.yaml``, as a change of its present content.

    Parameters
    ----------
    proposed:
        The proposed content of the file, byte for byte.
    authors:
        The e-mails of the people who propose the change.
    when, until:
        The time of the approval and the time at which it expires, in RFC 3339; None: it never expires.

    Raises
    ------
    InvalidDocument
        The proposed content is not a valid ``gitreg.yaml``.
    InvalidInput
        The file has this content already.
    Refused
        The content is that of another registry; or the approval would not count: ``people`` does not list the approver
        or the key, or the approver is one of the authors.
    """
    key = Key("registry")
    settings = read_data(key, proposed)
    if snapshot.settings.id is not None and settings.get("id") != snapshot.settings.id:
        raise Refused(
            f"what is proposed is the {key.path} of another registry: its id is {settings.get('id') or 'missing'}",
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
        raise InvalidInput(f"{key.path} has these settings already", hint=hint)
    known = people(snapshot)
    who = next(filter(None, map(known.find, approver.names)), None)
    if who is None:
        raise Refused(
            f"{approver.names[0]} is none of `people` in gitreg.yaml: the approval would not count",
            hint="add their public SSH key there (`gitreg edit`); or tell Git the right user.email",
        )
    if known.any_is(who, authors):
        raise Refused(f"{who} proposes this change: nobody approves their own", hint="ask another person")
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
