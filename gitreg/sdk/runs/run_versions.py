"""The versions of models that a run makes or adds to: in its draft until it ends well, sealed from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from gitreg.documents.types import DraftDocument
from gitreg.names import check_model
from gitreg.registry.drafts import Draft, is_alive, open_drafts, remove_draft
from gitreg.registry.operations.versions import check_new_name, find_existing
from gitreg.registry.state.references import only_looked_up, resolve
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.sdk.verbs.drafts import draft_version, sealing

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.sdk.runs.locked_draft import LockedDraft
    from gitreg.sdk.runs.run_steps import RunSteps
    from gitreg.sdk.session import Session
    from gitreg.sdk.zenml.model import Model

    class Settling(Protocol):
        """A handle of a version that a run is making."""

        @property
        def key(self) -> str:
            """The id of the version in the run's draft."""

        def settle(self, version: str) -> None:
            """Refer to the sealed version of this name from now on."""


class RunVersions:
    """The versions of models in a run's draft.

    Parameters
    ----------
    session:
        The open registry.
    draft:
        The draft of the run.
    steps:
        The steps of the run that execute.
    """

    def __init__(self, session: Session, draft: LockedDraft, steps: RunSteps) -> None:
        self.session = session
        self.draft = draft
        self.steps = steps
        self._handed: list[Settling] = []
        self._lent: dict[str, str] = {}
        self._sealed: dict[str, str] = {}

    def hand_out(self, handle: Settling) -> None:
        """Register a handle of a version, so that it learns the name of the sealed version."""
        self._handed.append(handle)
        if handle.key in self._sealed:
            handle.settle(self._sealed[handle.key])

    def key(self, spec: Model) -> str:
        """Return the id of a version in the draft; a missing version is begun.

        Raises
        ------
        NotFound
            The number or stage does not exist.
        InvalidInput, AlreadyExists
            The name cannot be that of a version.
        """
        with self.draft.turn:
            model, wanted = check_model(spec.name), self._resolved(spec)
            known = self.draft.known.find_version(model, wanted)
            return known or self._begun(spec, model, wanted)

    def _begun(self, spec: Model, model: str, wanted: str | None) -> str:
        session, step = self.session, self.steps.current
        spec.warn_of_differences(session.snapshot())
        document = DraftDocument(
            model=model,
            version=wanted,
            created_at=session.environment.timestamp(),
            created_by=str(session.writer().author),
            card=spec.card(),
            step=step.name if step and step.spec and self.steps.fill(step.spec.reference) == spec.reference else None,
        )
        left = None if wanted is None else left_over(session, model, wanted)

        def change(draft: Draft) -> Draft:
            if draft.find_version(model, wanted):
                return draft
            return draft.with_version(document) if left is None else draft.with_all_of(left, document.step)

        subject = f"Begin {spec.reference}" if left is None else f"Go on with what {left.name} left"
        self.draft.change(change, subject)
        if left is not None:
            remove_draft(session.branch.repository, left)
        key = self.draft.known.find_version(model, wanted)
        assert key is not None
        return key

    def _resolved(self, spec: Model) -> str | None:
        """Return the name of the version that a selector means, resolved once for the whole run."""
        selector = spec.selector
        if selector is None:
            return None
        if spec.reference not in self._lent:
            snapshot = self.session.snapshot()
            if only_looked_up(snapshot, selector):
                self._lent[spec.reference] = resolve(snapshot, spec.reference).version
            else:
                existing = find_existing(snapshot, check_model(spec.name), selector)
                self._lent[spec.reference] = (
                    existing.version if existing else check_new_name(snapshot, spec.name, selector)
                )
        return self._lent[spec.reference]

    def begin(self, document: DraftDocument) -> str:
        """Begin a further version of a model, beside those in the draft, and return its id in the draft."""
        with self.draft.turn:
            self.draft.change(lambda draft: draft.with_version(document), f"Begin a version of {document.model}")
            return list(self.draft.known.versions)[-1]

    def change(self, key: str, change: Callable[[DraftDocument], DraftDocument], subject: str) -> None:
        """Change the document of a version in the draft, in one commit."""
        self.draft.change(lambda draft: draft.with_version(change(draft.versions[key]), key), subject)

    def set_stage(self, key: str, stage: str, *, force: bool) -> None:
        """Set the stage that a version enters when it is sealed; rules and policy are checked now and at sealing.

        Raises
        ------
        Refused
            Another version holds the stage and ``force`` is False, or the policy of the stage forbids it.
        InvalidInput
            There is no such stage.
        """
        draft = self.draft.known
        document = draft.versions[key].but(stage=stage, force=force)
        sealing(self.session, replace(draft, versions={key: document}))(self.session.snapshot())
        self.change(key, lambda document: document.but(stage=stage, force=force), f"Give it {stage}")

    def get(self, key: str) -> ModelVersion:
        """Return a version as it is now: the draft in the form of a sealed one, or the sealed one with additions."""
        draft = self.draft.known
        document = draft.versions[key]
        if document.version is not None:
            existing = find_existing(self.session.snapshot(), document.model, document.version)
            if existing is not None:
                records = {**existing.annotation.artifacts, **draft.artifacts_of(document)}
                metadata = {**existing.annotation.metadata, **document.metadata}
                removed = tuple(key for key in existing.annotation.removed if key not in document.metadata)
                changed = existing.annotation.but(artifacts=records, metadata=metadata, removed=removed)
                return existing._replace(annotation=changed)
        return draft_version(draft, document)

    def settle(self, sealed: RunDocument) -> None:
        """Update the handles to the sealed versions."""
        for key, reference in zip(self.draft.known.versions, sealed.versions, strict=False):
            self._sealed[key] = reference.rpartition("@")[2]
        for handle in self._handed:
            if handle.key in self._sealed:
                handle.settle(self._sealed[handle.key])


def left_over(session: Session, model: str, version: str | None) -> Draft | None:
    """Return the draft of a failed or killed run that contains only the version of this name; None if there is none."""
    repository = session.branch.repository
    for draft in open_drafts(repository, session.snapshot()):
        alone = len(draft.versions) == 1 and draft.find_version(model, version)
        if alone and not is_alive(repository, draft.run.pipeline, draft.run.run):
            return draft
    return None
