"""The claims of an open registry on its stores: left by whoever writes weights, settled once they are published."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gitreg.errors import GitregError
from gitreg.registry.state.branch import PATIENCE
from gitreg.registry.weights.claims import Claims
from gitreg.registry.weights.unpublished import is_unpublished, may_be_unpublished

if TYPE_CHECKING:
    from gitreg.blobs import Store
    from gitreg.sdk.session import Session


def leave_claims(registry: Session, store: Store) -> None:
    """Leave claims on a store for what this clone has: also the clone's own, if the remote may lack some of it."""
    claims_of(registry).leave(store, unpublished=has_unpublished(registry))


def has_unpublished(registry: Session) -> bool:
    """Return whether the remote may lack something that this clone has: fast, and sometimes true without need."""
    remote = registry.remote
    return remote is not None and may_be_unpublished(registry.branch, remote)


def claims_of(registry: Session) -> Claims:
    """Return the claims that this clone leaves in stores, so that garbage collection keeps its blobs."""
    return Claims(registry.branch, registry.remote)


def settle_claims(registry: Session, *, collecting: bool = False) -> None:
    """Remove this clone's own claims on stores once its remote has everything that the clone has.

    If a store cannot be reached now, its claim stays until the next call.

    Parameters
    ----------
    collecting:
        True before a garbage collection: check all stores, also those without a known claim, and leave no new claim.
    """
    remote, claims = registry.remote, claims_of(registry)
    if remote is None:
        return
    with suppress(GitregError):
        urls = claims.stores_with_own()
        if not (urls or collecting):
            return
        with registry.branch.repository.lock(timeout=PATIENCE):
            if is_unpublished(registry.branch, remote):
                return
            for each in registry.named_stores():
                if each.opened is not None and (collecting or each.opened.url in urls):
                    claims.drop(each.opened, leave=not collecting)
