"""The class `Step`: a step of a run while it executes, and its entry in the record of the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.sdk.zenml.model import Model

RUNNING, COMPLETED, FAILED = "running", "completed", "failed"
"""The possible statuses of a run and of a step."""


class StepRun:
    """A step of a run while it executes.

    Attributes
    ----------
    inputs, outputs:
        By name, the artifact versions that it uses and makes: ids if the draft has them, references otherwise.
    key:
        The key in the step cache; None if the step must not be reused.
    cached:
        True if the outputs are those of an earlier run.
    effects:
        True if it did more than return outputs, so that it has to be executed each time.
    version:
        The id in the draft of the version that it works on.
    """

    def __init__(
        self, name: str, spec: Model | None, started_at: str, parameters: dict[str, Any], substitutions: dict[str, str]
    ) -> None:
        self.name = name
        self.spec = spec
        self.started_at = started_at
        self.parameters = parameters
        self.substitutions = substitutions
        self.status = RUNNING
        self.inputs: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.key: str | None = None
        self.cached = False
        self.effects = False
        self.version: str | None = None
        self._start = time.monotonic()
        self._duration = 0.0

    def __repr__(self) -> str:
        return f"StepRun({self.name!r}, {self.status!r})"

    def end(self, status: str) -> None:
        """Set the final status and the duration."""
        self.status = status
        self._duration = round(time.monotonic() - self._start, 3)

    def record(self) -> dict[str, Any]:
        """Return the step's entry in the record of the run; values that are None, empty or False are left out."""
        fields = {
            "status": self.status,
            "started_at": self.started_at,
            "duration": self._duration,
            "cached": self.cached,
            "key": self.key,
            "parameters": self.parameters,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "version": self.version,
        }
        return {key: value for key, value in fields.items() if value not in (None, {}, False)}
