"""The task of a flow as a run of the registry: one run for each task, whatever the number of attempts.

The run is named after Metaflow's run, step and task, so that an attempt finds the results of an earlier one. The draft
of a failed attempt is removed if another attempt follows, and kept otherwise. If the task failed after an attempt was
sealed (Metaflow could not store its artifacts, the machine disappeared), the next attempt reuses the sealed versions
that it saves again, and yanks the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitreg.errors import GitregError
from gitreg.integrations.current import showing
from gitreg.integrations.metaflow.card import CardData
from gitreg.integrations.models import Models
from gitreg.registry.drafts import alive, read_draft, read_drafts, remove_draft
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.sdk.registry import Registry
from gitreg.sdk.runs.start import run

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import PathLike


@dataclass(frozen=True)
class Attempt:
    """One attempt at a task of Metaflow.

    Parameters
    ----------
    number:
        The number of the attempt, counted from 0.
    is_last:
        True if no other attempt follows after a failure.
    origin:
        The Metaflow run that this one resumes; None: it resumes none.
    foreach:
        The index of the task in each surrounding foreach.
    parameters:
        The parameters of the flow: JSON values.
    """

    flow: str
    run: str
    step: str
    task: str
    number: int = 0
    is_last: bool = True
    origin: str | None = None
    foreach: tuple[int, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def name(self, number: int) -> str:
        """Return the name of the run in the registry; the number is added if it is not 0."""
        task = f"{self.run}-{self.step}-{self.task}"
        return f"{task}-{number}" if number else task


class FlowTask:
    """The active task of a flow, with its run in the registry.

    Attributes
    ----------
    told:
        The data of the task's card; None until the task succeeds, or if it saved and loaded no model.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._registry = Registry.open()
        self._under_way = ExitStack()
        self.told: CardData | None = None

    def begin(self, *, temp_dir_root: PathLike | None) -> Models:
        """Start the run of the task, and return its ``current.model``."""
        attempt, stack, registry = self._attempt, self._under_way, self._registry
        name, published = self._earlier()
        self._forget_leftover(name)
        self.run = stack.enter_context(
            run(name, pipeline=attempt.flow, parameters=attempt.parameters, registry=registry)
        )
        stack.enter_context(self.run.begin(attempt.step, parameters=_place(attempt.foreach)))
        self.models = Models(self.run, temp_dir_root=temp_dir_root, published=published)
        return stack.enter_context(showing(self.models))

    def succeed(self) -> None:
        """Seal the run in one commit, and yank outdated versions; a run that saved nothing is not written.

        Raises
        ------
        GitregError
            The run cannot be sealed; its draft is kept.
        """
        self.run.is_given_up = not self._made_something
        try:
            self._under_way.close()
            for each in self.models.outdated:
                self._registry.yank(each.reference, reason="its task failed after it was saved, and ran again")
            self._forget_origin()
            if self.models.saved or self.models.loaded:
                run = {"pipeline": self.run.pipeline, "run": self.run.name, "step": self._attempt.step}
                self.told = CardData(run, self.run.draft.run.source or {}, self.models.saved, self.models.loaded.info)
        finally:
            self._registry.close()

    def fail(self, error: BaseException) -> None:
        """Keep the saved versions as a draft, or remove the draft if another attempt follows."""
        if not hasattr(self, "run"):
            self._registry.close()
            return
        self.run.is_given_up = not self._attempt.is_last or not self._made_something
        with self._registry:
            self._under_way.__exit__(type(error), error, error.__traceback__)

    @property
    def _made_something(self) -> bool:
        return bool(self.run.draft.versions or self.run.draft.artifacts)

    def _earlier(self) -> tuple[str, list[ModelVersion]]:
        """Return a run name that no sealed run of the task has, and the versions of its sealed runs."""
        published: list[ModelVersion] = []
        snapshot = self._registry.session.snapshot()
        for number in range(self._attempt.number + 1):
            name = self._attempt.name(number)
            sealed = find_run(snapshot, self._attempt.flow, name)
            if sealed is None:
                break
            versions = [self._registry.version(reference) for reference in sealed.versions]
            published += [version for version in versions if not version.yanked]
        return name, published

    def _forget_leftover(self, name: str) -> None:
        repository = self._registry.session.branch.repository
        left = read_draft(repository, self._attempt.flow, name)
        if left is not None:
            with alive(repository, self._attempt.flow, name):
                remove_draft(repository, left)

    def _forget_origin(self) -> None:
        """Remove the draft that the same task left in the Metaflow run that this one resumes."""
        if self._attempt.origin is None:
            return
        repository = self._registry.session.branch.repository
        for draft in read_drafts(repository):
            if self._is_origin(draft):
                try:
                    remove_draft(repository, draft)
                except GitregError as error:
                    self._registry.session.tell(f"the draft of {draft.name} is left: {error.message}")

    def _is_origin(self, draft: Draft) -> bool:
        attempt, run = self._attempt, draft.run
        if run.pipeline != attempt.flow or not run.run.startswith(f"{attempt.origin}-{attempt.step}-"):
            return False
        step = run.steps.get(attempt.step, {})
        return bool(step.get("parameters", {}) == _place(attempt.foreach))


def _place(foreach: tuple[int, ...]) -> dict[str, Any]:
    return {"foreach": list(foreach)} if foreach else {}
