"""Weights of a registry: stores that are trusted, verification, replicas, garbage and scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.registry.weights import claims as claims
    from gitreg.registry.weights import garbage as garbage
    from gitreg.registry.weights import json_lists as json_lists
    from gitreg.registry.weights import replica_status as replica_status
    from gitreg.registry.weights import store_users as store_users
    from gitreg.registry.weights import trusted_code as trusted_code
    from gitreg.registry.weights import trusted_stores as trusted_stores
    from gitreg.registry.weights import unpublished_work as unpublished_work
    from gitreg.registry.weights import verification as verification
    from gitreg.registry.weights import verify_checkpoint as verify_checkpoint
else:
    __getattr__ = import_on_use(__name__)
