"""The commands on sealed versions: annotate, yank and delete; each is one commit, and returns its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gitreg.errors import GitregError
from gitreg.registry.operations import versions
from gitreg.registry.state.manifests import manifest_of
from gitreg.registry.writing.metadata import to_json

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.session import Session


def annotate(
    session: Session,
    reference: str,
    *,
    description: str | None = None,
    tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    remove_metadata: Sequence[str] = (),
    stage: str | None = None,
    force: bool = False,
) -> Outcome:
    """Change the annotation of a version, and move it to a stage (:meth:`gitreg.Registry.annotate`)."""
    operation = partial(
        versions.annotate,
        reference=reference,
        description=description,
        tags=tags,
        remove_tags=remove_tags,
        metadata=to_json(metadata or {}),
        remove_metadata=remove_metadata,
        stage=stage,
        force=force,
        context=session.context(),
    )
    return session.commit(operation)


def yank(session: Session, reference: str, *, reason: str = "") -> Outcome:
    """Yank a version (:meth:`gitreg.Registry.yank`)."""
    return session.commit(partial(versions.yank, reference=reference, reason=reason))


def unyank(session: Session, reference: str) -> Outcome:
    """Undo a yank (:meth:`gitreg.Registry.unyank`)."""
    return session.commit(partial(versions.unyank, reference=reference))


def delete_version(session: Session, reference: str, *, force: bool = False) -> Outcome:
    """Delete a version softly (:meth:`gitreg.Registry.delete_version`)."""
    return session.commit(partial(versions.delete_version, reference=reference, force=force))


def undelete_version(session: Session, reference: str) -> Outcome:
    """Undo the deletion of a version; its former stages and aliases stay as they are now.

    Raises
    ------
    NotFound
        There never was such a version.

    Warns
    -----
    UserWarning
        Weights of it are not in the store any more.
    """
    outcome = session.commit(partial(versions.undelete_version, reference=reference))
    version = session.about(outcome)
    try:
        missing = session.store.missing(
            manifest_of(artifact, session.stores) for artifact in version.artifacts.values()
        )
    except GitregError as error:
        session.tell(f"the weights of {version.reference} were not looked for: {error.message}")
    else:
        if missing:
            session.tell(f"weights of {version.reference} are not in the store any more: `gitreg gc` has removed them")
    return outcome
