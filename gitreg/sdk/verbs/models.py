"""The commands on models: register, update and delete; each is one commit, and returns its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gitreg.registry.operations import models
from gitreg.registry.writing.metadata import to_json

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import Session


def register_model(
    session: Session,
    name: str,
    *,
    fields: Mapping[str, Any],
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Outcome:
    """Register a model (:meth:`gitreg.Registry.register_model`)."""
    operation = partial(
        models.register_model,
        name=name,
        created_at=session.environment.timestamp(),
        fields=fields,
        tags=tags,
        metadata=to_json(metadata or {}),
    )
    return session.commit(operation)


def update_model(
    session: Session,
    name: str,
    *,
    fields: Mapping[str, Any],
    tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Outcome:
    """Change the card of a model (:meth:`gitreg.Registry.update_model`)."""
    operation = partial(
        models.update_model,
        name=name,
        fields=fields,
        tags=tags,
        remove_tags=remove_tags,
        metadata=to_json(metadata or {}),
    )
    return session.commit(operation)


def delete_model(session: Session, name: str, *, force: bool = False) -> Outcome:
    """Delete a model with its versions (:meth:`gitreg.Registry.delete_model`)."""
    return session.commit(partial(models.delete_model, name=name, force=force))
