"""The class `Run`: a run of a pipeline while it executes, with its steps."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitreg import cards
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk import current_run
from gitreg.sdk.runs.locked_draft import LockedDraft
from gitreg.sdk.runs.run_artifacts import RunArtifacts, add_input
from gitreg.sdk.runs.run_model import RunModel
from gitreg.sdk.runs.run_steps import RunSteps
from gitreg.sdk.runs.run_versions import RunVersions
from gitreg.sdk.runs.step_run import COMPLETED, FAILED, RUNNING, StepRun
from gitreg.sdk.runs.subprocesses import RunAddress, show_step
from gitreg.sdk.verbs.drafts import seal_draft

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.registry.drafts import Draft
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.session import Session
    from gitreg.sdk.zenml.model import Model


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
    steps:
        The steps that execute.
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
    sealed:
        The record of the run, once it was sealed; None until then.
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
        self.resumed = resumed
        self.outer: Run | None = None
        self.in_hand = LockedDraft(registry.session, draft)
        self.steps = RunSteps(model, moment(draft.run.started_at), joined_in or "")
        self.versions = RunVersions(registry.session, self.in_hand, self.steps)
        self.artifacts = RunArtifacts(registry.session, self.in_hand, self.steps, self.versions)
        self.is_given_up = False
        self.sealed: RunDocument | None = None
        self.is_pipeline = False
        self.enable_cache = True
        self._process = os.getpid() if joined_in is None else None

    def __repr__(self) -> str:
        return f"Run({self.draft.name!r}, {(self.sealed or self.draft.run).status!r})"

    def _repr_html_(self) -> str:
        record = self.sealed or self.draft.run
        facts = {
            "status": record.status,
            "started": cards.notebook.when(record.started_at),
            "ended": cards.notebook.when(record.ended_at),
            "by": record.created_by,
            "made from": record.inputs,
            "made": record.versions,
        }
        steps = [
            (name, step.get("status"), step.get("duration"), ", ".join(step.get("outputs", {})))
            for name, step in record.steps.items()
        ]
        tables = [
            cards.notebook.Table(("step", "status", "seconds", "outputs"), steps),
            cards.notebook.Table(("parameter", "value"), list(record.parameters.items())),
        ]
        return cards.notebook.render("Run", self.draft.name, facts=facts, tables=tables)

    @property
    def session(self) -> Session:
        """The open registry that it writes to, without its public methods."""
        return self.registry.session

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
        return self.steps.current

    @property
    def model(self) -> RunModel | None:
        """The version of a model that the step works on, else that of the run; None if neither has one."""
        spec = self.steps.spec
        return None if spec is None else self.bind(spec)

    def bind(self, spec: Model) -> RunModel:
        """Return the handle of a version in the run's draft, where a missing one is begun."""
        spec = spec.filled(self.steps.fill)
        bound = RunModel(self.versions, self.artifacts, self.versions.key(spec), spec)
        self.versions.hand_out(bound)
        return bound

    def address(self) -> RunAddress:
        """Return the address by which child processes join the run and its only step."""
        step = self.steps.only
        spec = (step.spec if step else None) or self.steps.model
        model = "" if spec is None else spec.filled(self.steps.fill).reference
        return RunAddress(
            self.session.local_address, f"{self.pipeline}@{self.name}", model, step.name if step else None
        )

    def read_draft(self) -> Draft:
        """Return the draft as it is now."""
        return self.in_hand.read()

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
        parameters_json = to_json(parameters or {}, "parameters")
        step = StepRun(name, model, self.session.environment.timestamp(), parameters_json, dict(substitutions or {}))
        try:
            with self.steps.executing(step):
                show_step()
                try:
                    if self.draft.run.steps.get(step.name, {}).get("status") == RUNNING:  # an earlier try was killed
                        self._forget(step)
                    if (spec := self.steps.spec) is not None:
                        step.version = self.versions.key(spec.filled(self.steps.fill))
                    yield step
                except BaseException:
                    step.end(FAILED)
                    raise
                step.end(COMPLETED)
        finally:
            show_step()
            for each, place in self.artifacts.noted_in(step.name).items():
                add_input(step.inputs, each, place)
            self._record(step)

    def _record(self, step: StepRun) -> None:
        record = {step.name: step.record()}
        self.in_hand.change_run(lambda run: run.but(steps={**run.steps, **record}), f"End the step {step.name}")

    def _forget(self, step: StepRun) -> None:
        others = {name: record for name, record in self.draft.run.steps.items() if name != step.name}
        self.in_hand.change_run(lambda run: run.but(steps=others), f"Begin the step {step.name} again")

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
        when = self.session.environment.timestamp()
        end = {"status": status, "ended_at": when, "duration": round(duration, 3)}
        self.in_hand.change_run(lambda run: run.but(**end), f"The run {status}")
        # The change above has read the draft again, with the work of all processes of the run.
        self.is_given_up = self.is_given_up or (status == FAILED and not self.draft.holds_something)
        if self.is_given_up:
            self.in_hand.remove()
        elif status == COMPLETED:
            seal_draft(self.session, self.draft)
            sealed = self.sealed = find_run(self.session.snapshot(), self.pipeline, self.name)
            if sealed is not None:
                self.versions.settle(sealed)
                self.artifacts.settle()


def moment(started_at: str) -> dict[str, str]:
    """Return the values of ``{date}`` and ``{time}``: the beginning of a run in UTC, in zenml's format."""
    when = datetime.fromisoformat(started_at)
    return {"date": f"{when:%Y_%m_%d}", "time": f"{when:%H_%M_%S_%f}"}


def active_run() -> Run | None:
    """Return the active run (:func:`gitreg.sdk.current_run.active_run`)."""
    run = current_run.active_run()
    assert run is None or isinstance(run, Run)
    return run


def run_here() -> Run | None:
    """Return the run in whose block this context is (:func:`gitreg.sdk.current_run.run_here`)."""
    run = current_run.run_here()
    assert run is None or isinstance(run, Run)
    return run
