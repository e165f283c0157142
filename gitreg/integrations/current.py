"""The object ``current``, which has the models of the active function or step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from gitreg.errors import InvalidInput
from gitreg.sdk.current_run import active_run

if TYPE_CHECKING:
    from gitreg.integrations.models import Models
    from gitreg.sdk.runs.run import Run

_MODELS: ContextVar[Models | None] = ContextVar("gitreg_models", default=None)
_OF_RUNS: WeakKeyDictionary[Run, Models] = WeakKeyDictionary()


class Current:
    """The context of the active function or step, like Metaflow's ``current``."""

    def __repr__(self) -> str:
        return "gitreg.current"

    @property
    def model(self) -> Models:
        """The object that saves and loads models: that of the innermost ``@model``, or else of the active run.

        Raises
        ------
        InvalidInput
            No function or step with ``@model`` and no run is active.
        """
        models = _MODELS.get()
        if models is not None:
            return models
        run = cast("Run | None", active_run())  # the class itself takes long to import
        if run is None:
            raise InvalidInput(
                "no function or step with @model is under way here",
                hint="put @model above the function, or use `with gitreg.run():`",
            )
        if run not in _OF_RUNS:
            from gitreg.integrations.models import Models

            _OF_RUNS[run] = Models(run)
        return _OF_RUNS[run]


current = Current()


@contextmanager
def showing(models: Models) -> Iterator[Models]:
    """Return a context manager that sets ``current.model`` within its block."""
    token = _MODELS.set(models)
    try:
        yield models
    finally:
        _MODELS.reset(token)
