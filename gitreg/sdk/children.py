"""The runs that this process has begun, and what its children are told of them, by their environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from gitreg.sdk.ambient import REGISTRY_VARIABLE, RUN_VARIABLE, STEP_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitreg.sdk.under_way import Run

_LOCK = Lock()
_UNDER_WAY: list[Run] = []
"""In the order in which they were begun."""
_OUTSIDE: dict[str, str | None] = {}
"""What the variables were before the first of them."""


@contextmanager
def shown_to_children(run: Run) -> Iterator[None]:
    """Let processes that are started in the block join the run. Where there are several, they join the latest."""
    with _LOCK:
        if not _UNDER_WAY:
            _OUTSIDE.update((name, os.environ.get(name)) for name in variables(run))
        _UNDER_WAY.append(run)
        _tell()
    try:
        yield
    finally:
        with _LOCK:
            _UNDER_WAY.remove(run)
            _tell()


def tell_children() -> None:
    """Let processes that are started from now on know the step that is under way."""
    with _LOCK:
        _tell()


def only_run() -> Run | None:
    """Give the run that this process has begun, the innermost of nested ones; None where several go on beside it."""
    outer = {id(each.outer) for each in _UNDER_WAY}
    innermost = [each for each in _UNDER_WAY if id(each) not in outer]
    return innermost[0] if len(innermost) == 1 else None


def is_any_under_way() -> bool:
    """Whether this process has begun a run that has not ended."""
    return bool(_UNDER_WAY)


def variables(run: Run) -> Mapping[str, str | None]:
    """Give what a process has to find in its environment to join a run, and the step of it that is under way."""
    ledger, step = run.registry.ledger, run.only_step
    place = f"{ledger.branch}:{ledger.root}" if ledger.root else ledger.branch
    spec = (step.spec if step else None) or run.spec
    model = "" if spec is None else spec.filled(run.fill).reference
    return {
        REGISTRY_VARIABLE: f"{run.registry.folder}#{place}",
        RUN_VARIABLE: f"{run.pipeline}@{run.name}@{model}",
        STEP_VARIABLE: step.name if step else None,
    }


def _tell() -> None:
    for name, value in (variables(_UNDER_WAY[-1]) if _UNDER_WAY else _OUTSIDE).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
