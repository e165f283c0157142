"""The commands on stages and aliases; each is one commit, and returns its outcome."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gitreg.registry.operations import stages

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import Session


def promote(session: Session, reference: str, stage: str, *, force: bool = False, reason: str = "") -> Outcome:
    """Move a version into a stage (:meth:`gitreg.Registry.promote`)."""
    context = session.context()
    operation = partial(stages.promote, reference=reference, stage=stage, force=force, reason=reason, context=context)
    return session.commit(operation)


def rollback(session: Session, model: str, stage: str, *, reason: str = "") -> Outcome:
    """Return a stage to the version that held it before (:meth:`gitreg.Registry.rollback`)."""
    context = session.context()
    return session.commit(partial(stages.rollback, model=model, stage=stage, reason=reason, context=context))


def archive(session: Session, reference: str, *, reason: str = "") -> Outcome:
    """Mark a version as no longer relevant (:meth:`gitreg.Registry.archive`)."""
    return session.commit(partial(stages.archive, reference=reference, reason=reason))


def set_alias(session: Session, reference: str, alias: str, *, force: bool = False) -> Outcome:
    """Point an alias to a version (:meth:`gitreg.Registry.set_alias`)."""
    context = session.context()
    return session.commit(partial(stages.set_alias, reference=reference, alias=alias, force=force, context=context))


def delete_alias(session: Session, model: str, alias: str) -> Outcome:
    """Remove an alias (:meth:`gitreg.Registry.delete_alias`)."""
    return session.commit(partial(stages.delete_alias, model=model, alias=alias))
