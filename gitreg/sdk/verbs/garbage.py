"""Garbage collection of an open registry: the users of its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.registry.weights.store_users import StoreUsers
from gitreg.sdk.store_claims import claims_of, settle_claims

if TYPE_CHECKING:
    from gitreg.sdk.session import Session


def store_users(registry: Session) -> StoreUsers:
    """Return the users of the registry's store, for garbage collection, after this clone's own claims were settled."""
    settle_claims(registry, collecting=True)
    environment, branch, remote = registry.environment, registry.branch, registry.remote
    shared = remote is not None and branch.repository.remotes.address(remote) is not None
    upstream = registry.published if shared and registry.snapshot().settings.id else None
    return StoreUsers(
        branch,
        registry.store,
        upstream,
        claims_of(registry),
        environment.env,
        environment.mirrors(),
        environment.clock,
        environment.offline,
    )
