"""The steps of a run that execute, and the model and the names that they work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING

from gitreg.names import fill

if TYPE_CHECKING:
    from gitreg.documents.types import RunDocument
    from gitreg.sdk.runs.step_run import StepRun
    from gitreg.sdk.zenml.model import Model


class RunSteps:
    """The steps of a run that execute.

    Parameters
    ----------
    model:
        The model that the run works on, unless a step names another.
    substitutions:
        The values of the placeholders in names.
    joined_in:
        The step in which this process was started, and which another process executes; "" for none.
    """

    def __init__(self, model: Model | None, substitutions: Mapping[str, str], joined_in: str = "") -> None:
        self.model = model
        self.substitutions = dict(substitutions)
        self.joined_in = joined_in
        self._here: ContextVar[StepRun | None] = ContextVar("gitreg_step", default=None)
        self._executing: list[StepRun] = []
        self._names: list[str] = []
        self._lock = Lock()

    @property
    def here(self) -> StepRun | None:
        """The step in whose block this context is."""
        return self._here.get()

    @property
    def only(self) -> StepRun | None:
        """The step that executes, if it is the only one at this moment; None otherwise."""
        return self._executing[0] if len(self._executing) == 1 else None

    @property
    def current(self) -> StepRun | None:
        """The step that executes in this context; in a thread that a step started, the only step."""
        return self.here or self.only

    @property
    def spec(self) -> Model | None:
        """The model that the current step works on, else that of the run, as it was given."""
        step = self.current
        return (step.spec if step else None) or self.model

    def fill(self, name: str) -> str:
        """Return a name with its placeholders filled by the date, time and substitutions of the run and the step."""
        step = self.current
        return fill(name, {**self.substitutions, **(step.substitutions if step else {})})

    def note_effects(self) -> None:
        """Note that the current step does more than return outputs, so that the step cache does not answer it."""
        if (step := self.current) is not None:
            step.effects = True

    def made_by(self, run: RunDocument) -> dict[str, str]:
        """Return the pipeline, the run and the current step, as a record states them."""
        step = self.current.name if self.current else self.joined_in
        return {"pipeline": run.pipeline, "run": run.run, **({"step": step} if step else {})}

    @contextmanager
    def executing(self, step: StepRun) -> Iterator[None]:
        """Make a step the current one in the block; a name that the run already has gets a number."""
        with self._lock:
            step.name = self._free(step.name)
            self._names.append(step.name)
            self._executing.append(step)
        token = self._here.set(step)
        try:
            yield
        finally:
            self._here.reset(token)
            self._executing.remove(step)

    def _free(self, name: str) -> str:
        taken = self._names
        return next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}_{n}") not in taken)
