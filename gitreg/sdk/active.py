"""Which run is under way here, and the registry that a call works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from gitreg.sdk.ambient import RUN_VARIABLE

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.under_way import Run

_ACTIVE: ContextVar[Run | None] = ContextVar("gitreg_run", default=None)


def active_run() -> Run | None:
    """Give the run that is under way here: this context's, else the one that this process was started in."""
    run = _ACTIVE.get()
    if run is None and os.environ.get(RUN_VARIABLE):
        from gitreg.sdk.joining import joined_run

        return joined_run(os.environ[RUN_VARIABLE])
    return run


def activate(run: Run) -> Token[Run | None]:
    """Make a run the one that is under way in this context."""
    return _ACTIVE.set(run)


def deactivate(token: Token[Run | None]) -> None:
    """Return to what was under way before."""
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
