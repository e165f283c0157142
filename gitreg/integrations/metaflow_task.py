"""A task of a flow as a run of the registry: one for each task, whatever becomes of its attempts.

The run is called after Metaflow's run, step and task, so an attempt finds what an earlier one left. What an attempt
saved that failed is forgotten where another follows, else kept as a draft. Where an attempt was sealed and the task
failed all the same (its artifacts could not be kept, its machine went away), the next one takes the versions that it
saves again from there, and withdraws the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitreg.errors import GitregError
from gitreg.integrations.current import showing
from gitreg.integrations.metaflow_card import Told
from gitreg.integrations.models import Models
from gitreg.registry.collections import find_run
from gitreg.registry.drafts import alive, read_draft, read_drafts, remove_draft
from gitreg.sdk.registry import Registry
from gitreg.sdk.running import run

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.registry.snapshot import ModelVersion
    from gitreg.sdk.opened import PathLike


@dataclass(frozen=True)
class Attempt:
    """An attempt at a task.

    Parameters
    ----------
    number:
        Counted from 0.
    is_last:
        Whether none follows when it fails.
    origin:
        The run that the task's run resumes.
    foreach:
        The task's place in each foreach around it.
    parameters:
        The flow's: JSON values.
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
        """Give what the run in the registry is called, where that of an earlier attempt is sealed."""
        task = f"{self.run}-{self.step}-{self.task}"
        return f"{task}-{number}" if number else task


class FlowTask:
    """A task under way.

    Attributes
    ----------
    told:
        What its card says, once it has ended well and did anything: the run, what was saved and what was loaded.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._registry = Registry.open()
        self._under_way = ExitStack()
        self.told: Told | None = None

    def begin(self, *, temp_dir_root: PathLike | None) -> Models:
        """Begin its run, and give what is ``current.model`` in it."""
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
        """Publish what was saved, in one commit; where nothing was made nothing is written.

        Raises
        ------
        GitregError
            It cannot be sealed; the draft is kept.
        """
        self.run.is_given_up = not self._made_something
        try:
            self._under_way.close()
            for each in self.models.outdated:
                self._registry.yank(each.reference, reason="its task failed after it was saved, and ran again")
            self._forget_origin()
            if self.models.saved or self.models.loaded:
                run = {"pipeline": self.run.pipeline, "run": self.run.name, "step": self._attempt.step}
                self.told = Told(run, self.run.draft.run.source or {}, self.models.saved, self.models.loaded.info)
        finally:
            self._registry.close()

    def fail(self, error: BaseException) -> None:
        """Keep what was saved as a draft, or forget it where another attempt follows."""
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
        """Give a name that no sealed run of the task has, and the versions of those that are sealed."""
        published: list[ModelVersion] = []
        snapshot = self._registry.snapshot()
        for number in range(self._attempt.number + 1):
            name = self._attempt.name(number)
            sealed = find_run(snapshot, self._attempt.flow, name)
            if sealed is None:
                break
            versions = [self._registry.version(reference) for reference in sealed.versions]
            published += [version for version in versions if not version.yanked]
        return name, published

    def _forget_leftover(self, name: str) -> None:
        repository = self._registry.ledger.repository
        left = read_draft(repository, self._attempt.flow, name)
        if left is not None:
            with alive(repository, self._attempt.flow, name):
                remove_draft(repository, left)

    def _forget_origin(self) -> None:
        """Forget what the same task had left as a draft in the run that this one resumes."""
        if self._attempt.origin is None:
            return
        repository = self._registry.ledger.repository
        for draft in read_drafts(repository):
            if self._is_origin(draft):
                try:
                    remove_draft(repository, draft)
                except GitregError as error:
                    self._registry.tell(f"the draft of {draft.name} is left: {error.message}")

    def _is_origin(self, draft: Draft) -> bool:
        attempt, said = self._attempt, draft.run
        if said.pipeline != attempt.flow or not said.run.startswith(f"{attempt.origin}-{attempt.step}-"):
            return False
        step = said.steps.get(attempt.step, {})
        return bool(step.get("parameters", {}) == _place(attempt.foreach))


def _place(foreach: tuple[int, ...]) -> dict[str, Any]:
    return {"foreach": list(foreach)} if foreach else {}
