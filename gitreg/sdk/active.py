"""Which run is under way here, and the registry that a call works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from gitreg.sdk.ambient import RUN_VARIABLE, STEP_VARIABLE
from gitreg.sdk.children import is_any_under_way, only_run, shown_to_children

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.under_way import Run

_ACTIVE: ContextVar[Run | None] = ContextVar("gitreg_run", default=None)


def active_run() -> Run | None:
    """Give the run that is under way here: this context's, the process's only one, the one that it was started in.

    A thread begins with a context of its own, in which no run is known.
    """
    run = _ACTIVE.get() or only_run()
    if run is None and not is_any_under_way() and os.environ.get(RUN_VARIABLE):
        from gitreg.sdk.joining import joined_run

        return joined_run(os.environ[RUN_VARIABLE], os.environ.get(STEP_VARIABLE))
    return run


def run_here() -> Run | None:
    """Give the run in whose block this context is, and no other."""
    run = _ACTIVE.get()
    return None if run is None or run.is_joined else run


@contextmanager
def activated(run: Run) -> Iterator[None]:
    """Let a run be the one that is under way in the block, and for the processes that are started there."""
    run.outer = _ACTIVE.get()
    token = _ACTIVE.set(run)
    try:
        with shown_to_children(run):
            yield
    finally:
        with suppress(ValueError):  # it ends in another context, as a notebook's cells may be: this one is gone
            _ACTIVE.reset(token)


@contextmanager
def opened(registry: Registry | None) -> Iterator[Registry]:
    """Give the registry that a call works on: the one given, else the active run's, else that of the folder."""
    from gitreg.sdk.registry import Registry as _Registry

    if registry is None and (run := active_run()) is not None:
        registry = run.registry
    if registry is not None:
        yield registry
    else:
        with _Registry.open() as mine:
            yield mine
