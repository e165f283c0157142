"""The versions of models and artifacts that references name, for verbs that work on many or decide on a promotion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gitreg.errors import NotFound
from gitreg.registry.state.runs_and_artifacts import artifact_names, artifact_versions
from gitreg.sdk.verbs.find import sealed_version, warn_of_unreadable
from gitreg.sdk.verbs.sealed import fetch_history, sealed_artifact

if TYPE_CHECKING:
    from gitreg.registry.state.manifests import Holder
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import Session


def candidate(session: Session, reference: str, *, withdrawn: bool = False) -> ModelVersion:
    """Return the version for a decision on a promotion; a shallow clone fetches the missing history first."""
    if session.branch.repository.is_shallow:
        fetch_history(session)
    return sealed_version(session, reference, withdrawn=withdrawn)


def holders(session: Session, references: Sequence[str], *, warn: bool = True) -> list[Holder]:
    """Return the versions of models and artifacts that references name; all of the registry for no references.

    Parameters
    ----------
    warn:
        True to warn of files that cannot be read, where all versions are returned.
    """
    snapshot = session.snapshot()
    if not references:
        if warn:
            warn_of_unreadable(snapshot)
        models = [version for name in snapshot.model_names() for version in snapshot.versions(name)]
        return [*models, *artifact_versions(snapshot)]
    found: list[Holder] = []
    for reference in references:
        try:
            found.append(sealed_version(session, reference))
        except NotFound:
            if reference.partition("@")[0] not in artifact_names(snapshot):
                raise
            found.append(sealed_artifact(session, reference))
    return found
