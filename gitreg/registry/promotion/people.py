"""The people whom ``gitreg.yaml`` names at a commit, and the check of their signatures."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.documents.types import ApprovalDocument
from gitreg.errors import GitregError
from gitreg.policy.approval import NAMESPACE, statement
from gitreg.policy.evidence import Approval
from gitreg.policy.people import People
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.git import Repository

_EMAIL = re.compile(r"(.*?)\s*<([^<>]*)>")


def people(snapshot: Snapshot) -> People:
    """Return the people whom ``gitreg.yaml`` names."""
    return snapshot.remember("people", lambda: People(snapshot.settings.people))


def signed_by(repository: Repository, document: ApprovalDocument, known: People) -> bool | None:
    """Return whether a key of the approver signed the approval; None if the signature cannot be checked."""
    keys = {document.who: known.keys.get(document.who, ())}
    try:
        signer = repository.statement_signer(
            statement(document.to_data()), document.signature.encode(), namespace=NAMESPACE, keys=keys
        )
    except GitregError:
        return None
    return signer is not None


def read_approval(entry: IndexEntry) -> tuple[Approval, ApprovalDocument | None]:
    """Return the approval in a file, and its document; None for a document that cannot be read."""
    who = entry.name.rpartition("/")[2]
    if entry.data is None:
        return Approval(who, problem=entry.problem), None
    document = ApprovalDocument.from_data(entry.data)
    try:
        until = int(datetime.fromisoformat(document.until).timestamp()) if document.until else None
    except ValueError:
        return Approval(who, problem=f"{document.until} is no time"), None
    return Approval(who, document.digest, registry=document.registry, until=until), document


def names_in(text: str | None) -> list[str]:
    """Return name and e-mail address from ``Name <email>``, or a text of another form as the only item."""
    named = _EMAIL.fullmatch(text or "")
    return [name for name in (named.groups() if named else (text,)) if name]
