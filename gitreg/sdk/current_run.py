"""The active run of a context, and the registry that a call works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from gitreg.sdk.environment import RUN_VARIABLE, STEP_VARIABLE
from gitreg.sdk.runs.subprocesses import is_any_under_way, only_run, shown_to_children

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.run import Run

_ACTIVE: ContextVar[Run | None] = ContextVar("gitreg_run", default=None)


def active_run() -> Run | None:
    """Return the active run: that of this context, else the only one of this process, else the one that started it.

    A thread begins with a new context, in which no run is set. None if no run is active.
    """
    run = _ACTIVE.get() or only_run()
    if run is None and not is_any_under_way() and os.environ.get(RUN_VARIABLE):
        from gitreg.sdk.runs.attach import joined_run

        return joined_run(os.environ[RUN_VARIABLE], os.environ.get(STEP_VARIABLE))
    return run


def run_here() -> Run | None:
    """Return the run in whose block this context is; None if there is none, or if another process began it."""
    run = _ACTIVE.get()
    return None if run is None or run.is_joined else run


@contextmanager
def activated(run: Run) -> Iterator[None]:
    """Make a run the active one in the block, also for processes that are started there."""
    run.outer = _ACTIVE.get()
    token = _ACTIVE.set(run)
    try:
        with shown_to_children(run):
            yield
    finally:
        with suppress(ValueError):  # the block may end in another context, as in a notebook, where the token is invalid
            _ACTIVE.reset(token)


@contextmanager
def opened(registry: Registry | None) -> Iterator[Registry]:
    """Yield the registry that a call works on: the one passed, else that of the active run, else that of the folder."""
    from gitreg.sdk.registry import Registry as _Registry

    if registry is None and (run := active_run()) is not None:
        registry = run.registry
    if registry is not None:
        yield registry
    else:
        with _Registry.open() as mine:
            yield mine
