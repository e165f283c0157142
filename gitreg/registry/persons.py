"""The persons whom a registry knows at a commit, and what they signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.errors import GitregError
from gitreg.policy.approval import NAMESPACE, statement
from gitreg.policy.people import People
from gitreg.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.documents.types import ApprovalDocument
    from gitreg.git import Repository


def people(snapshot: Snapshot) -> People:
    """Return the persons whom ``gitreg.yaml`` names."""
    return snapshot.remember("people", lambda: People(snapshot.settings.people))


def signed_by(repository: Repository, document: ApprovalDocument, known: People) -> bool | None:
    """Whether a key of the person whom an approval names made its signature; None where that cannot be looked at."""
    keys = {document.who: known.keys.get(document.who, ())}
    try:
        signer = repository.statement_signer(
            statement(document.to_data()), document.signature.encode(), namespace=NAMESPACE, keys=keys
        )
    except GitregError:
        return None
    return signer is not None
