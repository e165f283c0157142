"""What is under way: a run that makes versions of models, and the step of it that does something now."""

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
from gitreg.registry.collections import find_run
from gitreg.registry.metadata import to_json
from gitreg.sdk.children import tell_children
from gitreg.sdk.draft_in_hand import DraftInHand
from gitreg.sdk.drafting import seal_draft
from gitreg.sdk.run_artifacts import RunArtifacts, add_input
from gitreg.sdk.run_versions import RunVersions
from gitreg.sdk.steps import COMPLETED, FAILED, RUNNING, Step

if TYPE_CHECKING:
    from gitreg.registry.drafts import Draft
    from gitreg.sdk.model import Model, RunModel
    from gitreg.sdk.registry import Registry


class Run:
    """A run under way: ``with gitreg.run(model=Model("iris")) as run``.

    Parameters
    ----------
    registry:
        The open registry that it writes to.
    draft:
        What it has made so far.
    model:
        What it works on where no step says otherwise.
    joined_in:
        The step of it in which this process was started, "" for none; None where this process begins the run.

    Attributes
    ----------
    versions, artifacts:
        What it makes, links and uses.
    in_hand:
        The draft as this process has it.
    outer:
        The run in whose block it was begun.
    resumed:
        Whether the draft is one that an earlier try of the run left.
    is_pipeline, enable_cache:
        Whether a pipeline's body is under way, and whether its steps may be left out.
    is_given_up:
        Whether what it made is to be forgotten when it ends, neither sealed nor kept.
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
        self.in_hand = DraftInHand(registry, draft)
        self.versions = RunVersions(self)
        self.artifacts = RunArtifacts(self)
        self.is_given_up = False
        self.is_pipeline = False
        self.enable_cache = True
        self._joined_in = joined_in
        self._process = os.getpid() if joined_in is None else None
        self._step: ContextVar[Step | None] = ContextVar("gitreg_step", default=None)
        self._steps: list[Step] = []
        self._names: list[str] = []

    @property
    def draft(self) -> Draft:
        """What it has made so far."""
        return self.in_hand.known

    @property
    def pipeline(self) -> str:
        """What it is a run of."""
        return self.draft.run.pipeline

    @property
    def name(self) -> str:
        """The run's own name."""
        return self.draft.run.run

    @property
    def is_joined(self) -> bool:
        """Whether another process began it; a fork of that one is another."""
        return self._process != os.getpid()

    @property
    def step(self) -> Step | None:
        """The step that is under way in this context; in a thread that a step has started, the only one."""
        return self.step_here or self.only_step

    @property
    def step_here(self) -> Step | None:
        """The step in whose block this context is."""
        return self._step.get()

    @property
    def only_step(self) -> Step | None:
        """The step that is under way, where it is not one of several."""
        return self._steps[0] if len(self._steps) == 1 else None

    @property
    def model(self) -> RunModel | None:
        """The version of a model that the step, or the run, works on."""
        spec = (self.step.spec if self.step else None) or self.spec
        return None if spec is None else self.versions.bind(spec)

    def fill(self, name: str) -> str:
        """Put the run's date and time, and what the pipeline and the step say, into a name's placeholders."""
        return fill(name, {**self.substitutions, **(self.step.substitutions if self.step else {})})

    @property
    def joined_step(self) -> str:
        """The step in which this process was started, "" for none: another process does it."""
        return self._joined_in or ""

    def made_by(self) -> dict[str, str]:
        """Give the run, and the step that is under way, as a record says them."""
        step = self.step.name if self.step else self._joined_in
        return {"pipeline": self.pipeline, "run": self.name, **({"step": step} if step else {})}

    def note_effects(self) -> None:
        """Note that the step under way does more than give outputs."""
        if self.step is not None:
            self.step.effects = True

    def change(self, change: Callable[[RunDocument], RunDocument], subject: str) -> None:
        """Say something else of the run itself."""
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
    ) -> Iterator[Step]:
        """Do a step of the run in a block, and begin the version that it works on: what is saved there is the step's.

        Parameters
        ----------
        name:
            The step's; one that the run has already gets a number.
        model:
            What it works on, where that is not what the run works on.
        substitutions:
            Values for placeholders in names, beside ``{date}`` and ``{time}``.
        """
        said = to_json(parameters or {}, "parameters")
        started_at = self.registry.ambient.timestamp()
        with self.in_hand.turn:
            step = Step(self._free(name), model, started_at, said, dict(substitutions or {}))
            self._names.append(step.name)
            self._steps.append(step)
        token = self._step.set(step)
        tell_children()
        if self.draft.run.steps.get(step.name, {}).get("status") == RUNNING:  # an earlier try was killed in it
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
        """Seal what was made, or keep it as the draft of a run that failed, or forget it where that is nothing."""
        when = self.registry.ambient.timestamp()
        self.change(lambda run: run.but(status=status, ended_at=when, duration=round(duration, 3)), f"The run {status}")
        # Only now the draft is what all processes of the run have made of it.
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
    """Give the date and the time of a run's beginning as names have them; in UTC, in zenml's format."""
    when = datetime.fromisoformat(started_at)
    return {"date": f"{when:%Y_%m_%d}", "time": f"{when:%H_%M_%S_%f}"}
