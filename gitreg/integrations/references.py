"""What ``current.model.save`` gives: a plain mapping, to be kept and passed on, that finds the version again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitreg.errors import IntegrityError, InvalidInput, NotFound
from gitreg.registry.collections import find_run
from gitreg.registry.drafts import read_draft
from gitreg.sdk.drafting import draft_version

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactRecord, DraftDocument
    from gitreg.registry.drafts import Draft
    from gitreg.registry.snapshot import ModelVersion
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.under_way import Run

TYPE = "gitreg-model"
ARTIFACT = "model"
"""What the files of a version are called in its record."""


class Saved:
    """A reference that was handed out while its version is a draft.

    Parameters
    ----------
    key:
        The id of the version in the run's draft.
    reference:
        The very mapping that the caller has.
    """

    def __init__(self, key: str, reference: dict[str, Any]) -> None:
        self.key = key
        self.reference = reference

    def settle(self, version: str) -> None:
        """Say in the reference what the version is called now; it was given no name, so that is its number."""
        self.reference.update(version=version, number=int(version), reference=f"{self.reference['model']}@{version}")


def draft_reference(run: Run, document: DraftDocument) -> dict[str, Any]:
    """Give the reference to a version that a run is making."""
    record = document.artifacts[ARTIFACT]
    return {
        "type": TYPE,
        "model": document.model,
        "version": None,
        "number": None,
        "reference": None,
        "digest": record.digest,
        "size": record.size,
        "created_at": document.created_at,
        "metadata": dict(document.metadata),
        "run": run.made_by(),
    }


def reference_to(version: ModelVersion) -> dict[str, Any]:
    """Give the reference to a version; one that a run is still making has no name in it."""
    record = files_of(version)
    sealed = version.number > 0
    return {
        "type": TYPE,
        "model": version.model,
        "version": version.version if sealed else None,
        "number": version.number if sealed else None,
        "reference": version.reference if sealed else None,
        "digest": record.digest,
        "size": record.size,
        "created_at": version.record.created_at,
        "metadata": dict(version.metadata),
        "run": dict(version.record.run or {}),
    }


def files_of(version: ModelVersion) -> ArtifactRecord:
    """Give the files of a version: those called ``model``, or the only ones (:func:`choose_artifact`)."""
    from gitreg.registry.artifacts import choose_artifact

    return choose_artifact(version, None)


def find(registry: Registry, run: Run, reference: Any) -> ModelVersion:
    """Give the version that is meant by a reference of ours, or by a text as ``iris@production``.

    Parameters
    ----------
    run:
        The run that is under way: what it has saved itself is found, too.

    Raises
    ------
    NotFound
        There is no such version.
    InvalidInput
        It is neither a text nor a reference of ours.
    IntegrityError
        The version of that name holds something else than what the reference was given for.
    """
    if isinstance(reference, str):
        return registry.version(reference)
    if not isinstance(reference, Mapping) or reference.get("type") != TYPE:
        raise InvalidInput(
            f"a {type(reference).__name__} is no reference to a model",
            hint="give what current.model.save returned, or a text such as 'iris@production'",
        )
    model, digest, named = str(reference.get("model")), reference.get("digest"), reference.get("version")
    if named is None:
        return _find_by_run(registry, run, model, reference)
    version = registry.version(f"{model}@{named}")
    if digest not in [artifact.digest for artifact in version.sealed.values()]:
        raise IntegrityError(
            f"{version.reference} holds something else than what was saved under that name",
            hint="the reference is of another registry; name it by GITREG_REGISTRY",
        )
    return version


def _find_by_run(registry: Registry, run: Run, model: str, reference: Mapping[str, Any]) -> ModelVersion:
    """Find a version by the run that made it and what it holds: the reference was copied before it had a number."""
    made_by = reference.get("run") or {}
    pipeline, name = str(made_by.get("pipeline")), str(made_by.get("run"))
    under_way = (run.pipeline, run.name) == (pipeline, name)
    draft = run.draft if under_way else read_draft(registry.ledger.repository, pipeline, name)
    sealed = find_run(registry.snapshot(), pipeline, name)
    if sealed is not None:
        made = [registry.version(each) for each in sealed.versions if each.rpartition("@")[0] == model]
    else:
        made = _in_draft(draft, model) if draft is not None else []
    same = [each for each in made if reference.get("digest") in [found.digest for found in each.sealed.values()]]
    exact = [each for each in same if each.metadata == reference.get("metadata")]
    if not same:
        raise NotFound(
            f"the run {pipeline}/{name} has no version of {model} with what was saved there",
            hint="it failed and was discarded, or is of another registry (GITREG_REGISTRY)",
        )
    return (exact or same)[-1]


def _in_draft(draft: Draft, model: str) -> list[ModelVersion]:
    return [draft_version(draft, document) for document in draft.versions.values() if document.model == model]
