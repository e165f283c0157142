"""The commands that link artifacts to versions of models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gitreg.registry.operations import artifacts
from gitreg.registry.operations.versions import NewVersion

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import Session


def link_artifact(session: Session, artifact: str, reference: str) -> Outcome:
    """Link an artifact version, by its id or reference, to a version of a model and return the outcome."""
    return session.commit(partial(artifacts.link_artifact, artifact=artifact, reference=reference))


def link_artifact_to_name(session: Session, artifact: str, model: str, version: str) -> Outcome:
    """Link an artifact version to the version of a name, which is created if missing, and return the outcome."""
    new = NewVersion(
        model=model,
        name=version,
        created_at=session.environment.timestamp(),
        created_by=str(session.writer().author),
    )
    return session.commit(partial(artifacts.link_artifact_to_name, artifact=artifact, new=new))
