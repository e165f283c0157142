"""Garbage collection of an open registry: the users of its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.registry.weights.store_users import StoreUsers

if TYPE_CHECKING:
    from gitreg.sdk.session import Session


def store_users(session: Session) -> StoreUsers:
    """Return the users of the registry's store, for garbage collection, after this clone's own claims were settled."""
    session.settle_claims(collecting=True)
    environment, branch, remote = session.environment, session.branch, session.remote
    shared = remote is not None and branch.repository.remotes.address(remote) is not None
    upstream = session.published if shared and session.snapshot().settings.id else None
    return StoreUsers(
        branch,
        session.store,
        upstream,
        session.claims,
        environment.env,
        environment.mirrors(),
        environment.clock,
        environment.offline,
    )
