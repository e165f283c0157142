"""The references that ``current.model.save`` returns: plain mappings that identify a version, even before its seal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gitreg.errors import IntegrityError, InvalidInput, NotFound
from gitreg.registry.drafts import read_draft
from gitreg.registry.state.manifests import choose_artifact
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.sdk.verbs.drafts import draft_version

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactRecord, DraftDocument
    from gitreg.registry.drafts import Draft
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.run import Run

TYPE = "gitreg-model"
ARTIFACT = "model"
"""The name of the file set in the record of a version."""


class DraftReference:
    """A reference that was returned while its version was still a draft.

    Parameters
    ----------
    key:
        The id of the version in the draft of the run.
    reference:
        The mapping that the caller has, the same object: :meth:`settle` changes it.
    """

    def __init__(self, key: str, reference: dict[str, Any]) -> None:
        self.key = key
        self.reference = reference

    def settle(self, version: str) -> None:
        """Write the version's name into the reference; such a version has no other name than its number."""
        self.reference.update(version=version, number=int(version), reference=f"{self.reference['model']}@{version}")


def draft_reference(run: Run, document: DraftDocument) -> dict[str, Any]:
    """Return the reference to a version in the draft of a run; it has no version name yet."""
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
        "run": run.steps.made_by(run.draft.run),
    }


def reference_to(version: ModelVersion) -> dict[str, Any]:
    """Return the reference to a version; without a version name if the version is still a draft."""
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
    """Return the file set of a version: the one named ``model``, or the only one (:func:`choose_artifact`)."""
    return choose_artifact(version, None)


def find(registry: Registry, run: Run, reference: Any) -> ModelVersion:
    """Return the version for a reference of `reference_to`, or for a string such as ``iris@production``.

    Parameters
    ----------
    run:
        The active run: versions in its draft are found, too.

    Raises
    ------
    NotFound
        The version does not exist.
    InvalidInput
        The reference is neither a string nor a mapping of `reference_to`.
    IntegrityError
        The version of that name has other content than the reference.
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
    """Return a version by its run, content and metadata, for a reference that was copied before it had a number."""
    made_by = reference.get("run") or {}
    pipeline, name = str(made_by.get("pipeline")), str(made_by.get("run"))
    under_way = (run.pipeline, run.name) == (pipeline, name)
    draft = run.draft if under_way else read_draft(registry.session.branch.repository, pipeline, name)
    sealed = find_run(registry.session.snapshot(), pipeline, name)
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
