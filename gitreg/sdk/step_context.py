"""What a step may ask of the run that it is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput
from gitreg.sdk.active import active_run

if TYPE_CHECKING:
    from gitreg.sdk.model import RunModel
    from gitreg.sdk.steps import Step
    from gitreg.sdk.under_way import Run


class StepContext:
    """What a step may ask of the run that it is part of."""

    def __init__(self, run: Run, step: Step) -> None:
        self.run = run
        self._step = step

    @property
    def step_name(self) -> str:
        """The step's name in this run."""
        return self._step.name

    @property
    def pipeline_name(self) -> str:
        """The name of what it is a run of."""
        return self.run.pipeline

    @property
    def run_name(self) -> str:
        """The run's name."""
        return self.run.name

    @property
    def model(self) -> RunModel:
        """The version of a model that the step works on: its own, else the pipeline's.

        Raises
        ------
        InvalidInput
            Neither has one.
        """
        found = self.run.model
        if found is None:
            raise InvalidInput(
                f"neither the step {self._step.name} nor its pipeline works on a model",
                hint='give one of them model=Model(name="iris")',
            )
        return found


def get_step_context() -> StepContext:
    """Give the context of the step that is under way.

    Raises
    ------
    InvalidInput
        There is none: the function is called outside of a pipeline.
    """
    under_way = active_run()
    step = under_way.step if under_way is not None else None
    if under_way is None or step is None:
        raise InvalidInput("no step of a run is under way here", hint="call this in a @step, from a @pipeline")
    return StepContext(under_way, step)
