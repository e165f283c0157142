"""The class `Run`: a run of a pipeline while it executes, with its steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitreg.documents.types import RunDocument
from gitreg.names import fill
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.runs.locked_draft import LockedDraft
from gitreg.sdk.runs.run_artifacts import RunArtifacts, add_input
from gitreg.sdk.runs.run_versions import RunVersions
from gitreg.sdk.runs.step_run import COMPLETED, FAILED, RUNNING, StepRun
from gitreg.sdk.runs.subprocesses import tell_children
from gitreg.sdk.verbs.drafts import seal_draft

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.zenml.model import Model, RunModel


class Run:
    """A run while it executes: ``with gitreg.run(model=Model("iris")) as run``.

    Parameters
    ----------
    registry:
        The open registry that it writes to.
    draft:
        The draft of the run.
    model:
        The model that the run works on, unless a step names another.
    joined_in:
        The step in which this process was started, "" for none; None if this process begins the run.

    Attributes
    ----------
    versions, artifacts:
        The versions and artifacts that the run makes, links and uses.
    in_hand:
        The draft, with a lock for the threads of this process.
    outer:
        The run in whose block this run was begun.
    resumed:
        True if the draft is that of an earlier try of the run.
    is_pipeline, enable_cache:
        True while the body of a pipeline executes; True if its steps may be answered from the step cache.
    is_given_up:
        True if the draft is to be removed at the end of the run, neither sealed nor kept.
    """

    def __init__(
        self,
        registry: Registry,
        draft: Draft,
        model: Model | None,
        *,
        resumed: bool = False,
        joined_in: str | None = None,
    ) -> None:
        self.registry = registry
        self.spec = model
        self.resumed = resumed
        self.outer: Run | None = None
        self.substitutions = moment(draft.run.started_at)
        self.in_hand = LockedDraft(registry, draft)
        self.versions = RunVersions(self)
        self.artifacts = RunArtifacts(self)
        self.is_given_up = False
        self.is_pipeline = False
        self.enable_cache = True
        self._joined_in = joined_in
        self._process = os.getpid() if joined_in is None else None
        self._step: ContextVar[StepRun | None] = ContextVar("gitreg_step", default=None)
        self._steps: list[StepRun] = []
        self._names: list[str] = []

    @property
    def draft(self) -> Draft:
        """The draft of the run, as this process read or wrote it last."""
        return self.in_hand.known

    @property
    def pipeline(self) -> str:
        """The name of the pipeline."""
        return self.draft.run.pipeline

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.draft.run.run

    @property
    def is_joined(self) -> bool:
        """True if another process began the run; a fork counts as another process."""
        return self._process != os.getpid()

    @property
    def step(self) -> StepRun | None:
        """The step that executes in this context; in a thread that a step started, the only step."""
        return self.step_here or self.only_step

    @property
    def step_here(self) -> StepRun | None:
        """The step in whose block this context is."""
        return self._step.get()

    @property
    def only_step(self) -> StepRun | None:
        """The step that executes, if it is the only one at this moment; None otherwise."""
        return self._steps[0] if len(self._steps) == 1 else None

    @property
    def model(self) -> RunModel | None:
        """The version of a model that the step works on, else that of the run; None if neither has one."""
        spec = (self.step.spec if self.step else None) or self.spec
        return None if spec is None else self.versions.bind(spec)

    def fill(self, name: str) -> str:
        """Return a name with its placeholders filled by the date, time and substitutions of the run and the step."""
        return fill(name, {**self.substitutions, **(self.step.substitutions if self.step else {})})

    @property
    def joined_step(self) -> str:
        """The step in which this process was started, "" for none; another process executes it."""
        return self._joined_in or ""

    def made_by(self) -> dict[str, str]:
        """Return the pipeline, the run and the current step, as a record states them."""
        step = self.step.name if self.step else self._joined_in
        return {"pipeline": self.pipeline, "run": self.name, **({"step": step} if step else {})}

    def note_effects(self) -> None:
        """Note that the current step does more than return outputs, so that the step cache does not answer it."""
        if self.step is not None:
            self.step.effects = True

    def change(self, change: Callable[[RunDocument], RunDocument], subject: str) -> None:
        """Change the document of the run in its draft, in one commit."""
        self.in_hand.change(lambda draft: replace(draft, run=change(draft.run)), subject)

    # -- steps -----------------------------------------------------------------------------------------------------

    @contextmanager
    def begin(
        self,
        name: str,
        *,
        model: Model | None = None,
        parameters: Mapping[str, Any] | None = None,
        substitutions: Mapping[str, str] | None = None,
    ) -> Iterator[StepRun]:
        """Execute a step of the run in a block and begin the version that it works on; saves there belong to the step.

        Parameters
        ----------
        name:
            The name of the step; a name that the run already has gets a number.
        model:
            The model that the step works on, if it is not that of the run.
        parameters:
            The parameters of the step: JSON values.
        substitutions:
            Values for placeholders in names, beside ``{date}`` and ``{time}``.
        """
        said = to_json(parameters or {}, "parameters")
        started_at = self.registry.environment.timestamp()
        with self.in_hand.turn:
            step = StepRun(self._free(name), model, started_at, said, dict(substitutions or {}))
            self._names.append(step.name)
            self._steps.append(step)
        token = self._step.set(step)
        tell_children()
        if self.draft.run.steps.get(step.name, {}).get("status") == RUNNING:  # an earlier try was killed in this step
            self.change(lambda run: run.but(steps=_but(run.steps, step.name)), f"Begin the step {step.name} again")
        try:
            if (spec := step.spec or self.spec) is not None:
                step.version = self.versions.key(spec.filled(self.fill))
            yield step
        except BaseException:
            step.end(FAILED)
            raise
        else:
            step.end(COMPLETED)
        finally:
            self._step.reset(token)
            self._steps.remove(step)
            tell_children()
            for each, what in self.artifacts.noted_in(step.name).items():
                add_input(step.inputs, each, what)
            record = step.record()
            self.change(lambda run: run.but(steps={**run.steps, step.name: record}), f"End the step {step.name}")

    def _free(self, name: str) -> str:
        taken = self._names
        return next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}_{n}") not in taken)

    # -- the end ---------------------------------------------------------------------------------------------------

    def end(self, status: str, duration: float) -> None:
        """Seal on success, keep the draft on failure, remove the draft when it is empty or the run was given up.

        Parameters
        ----------
        status:
            ``completed`` or ``failed``.
        duration:
            In seconds.
        """
        when = self.registry.environment.timestamp()
        self.change(lambda run: run.but(status=status, ended_at=when, duration=round(duration, 3)), f"The run {status}")
        # The change above has read the draft again, with the work of all processes of the run.
        self.is_given_up = self.is_given_up or (status == FAILED and not self.draft.holds_something)
        if self.is_given_up:
            self.in_hand.remove()
        elif status == COMPLETED:
            seal_draft(self.registry, self.draft)
            sealed = find_run(self.registry.snapshot(), self.pipeline, self.name)
            if sealed is not None:
                self.versions.settle(sealed)
                self.artifacts.settle()


def _but(steps: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: said for each, said in steps.items() if each != name}


def moment(started_at: str) -> dict[str, str]:
    """Return the values of ``{date}`` and ``{time}``: the beginning of a run in UTC, in zenml's format."""
    when = datetime.fromisoformat(started_at)
    return {"date": f"{when:%Y_%m_%d}", "time": f"{when:%H_%M_%S_%f}"}
