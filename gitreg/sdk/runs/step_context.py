"""The context of a step, or of a script that is a run as a whole: its run, its names and its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput
from gitreg.sdk.runs.run import active_run

if TYPE_CHECKING:
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.runs.run_model import RunModel
    from gitreg.sdk.runs.step_run import StepRun


class StepContext:
    """The context of a step: its run, its names and its model; in a script that is a run as a whole, without a step."""

    def __init__(self, run: Run, step: StepRun | None) -> None:
        self.run = run
        self._step = step

    def __repr__(self) -> str:
        return f"StepContext({self.run!r}{f', {self._step.name!r}' if self._step else ''})"

    @property
    def step_name(self) -> str:
        """The name of the step in this run.

        Raises
        ------
        InvalidInput
            The run is a script as a whole, without steps.
        """
        if self._step is None:
            raise InvalidInput(f"the run {self.run.pipeline}/{self.run.name} has no step here", hint="see .run_name")
        return self._step.name

    @property
    def pipeline_name(self) -> str:
        """The name of the pipeline."""
        return self.run.pipeline

    @property
    def run_name(self) -> str:
        """The name of the run."""
        return self.run.name

    @property
    def model(self) -> RunModel:
        """The version of a model that the step works on: its own, else that of the pipeline.

        Raises
        ------
        InvalidInput
            Neither has one.
        """
        found = self.run.model
        if found is None and self._step is None:
            raise InvalidInput(
                f"the run {self.run.pipeline}/{self.run.name} works on no model",
                hint="name one: `gitreg run --model MODEL`, or gitreg.run(model=Model(...))",
            )
        if found is None:
            assert self._step is not None
            raise InvalidInput(
                f"neither the step {self._step.name} nor its pipeline works on a model",
                hint='give one of them model=Model(name="iris")',
            )
        return found


def get_step_context() -> StepContext:
    """Return the context of the step that executes now, or of the run, where a script is one as a whole.

    A script is one under ``gitreg run``, and in the block of :func:`gitreg.run`.

    Returns
    -------
    StepContext:
        The names of the run and the step, and the version of a model that the step works on.

    Raises
    ------
    InvalidInput
        No run executes in this context, or this is the body of a pipeline, between its steps.

    Examples
    --------
    >>> with gitreg.run("monday", model=Model("iris")):
    ...     get_step_context().model.log_metadata({"accuracy": 0.97})
    >>> registry.version("iris").metadata
    {'accuracy': 0.97}
    """
    under_way = active_run()
    step = under_way.step if under_way is not None else None
    if under_way is None or (step is None and under_way.is_pipeline):
        raise InvalidInput(
            "no step of a run is under way here", hint="call this in a @step, from a @pipeline, or under `gitreg run`"
        )
    return StepContext(under_way, step)
