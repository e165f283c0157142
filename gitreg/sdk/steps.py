"""A step under way, and what the file of its run says of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.sdk.model import Model

RUNNING, COMPLETED, FAILED = "running", "completed", "failed"
"""What a run and a step can be."""


class Step:
    """A step under way.

    Attributes
    ----------
    inputs, outputs:
        By name, the artifact versions that it uses and makes: ids of the draft's, references of others.
    key:
        What tells whether another run of it gives the same; None where that cannot be told.
    cached:
        Whether its outputs are those of an earlier run.
    effects:
        Whether it did more than give outputs, so that it has to be done again each time.
    version:
        The draft's id of the version that it works on.
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

    def end(self, status: str) -> None:
        """Note how it ended, and how long it took."""
        self.status = status
        self._duration = round(time.monotonic() - self._start, 3)

    def record(self) -> dict[str, Any]:
        """Give what the run's file says of it."""
        said = {
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
        return {key: value for key, value in said.items() if value not in (None, {}, False)}
