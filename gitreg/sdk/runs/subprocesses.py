"""The runs of this process, and the environment variables by which its child processes join them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from gitreg.sdk.environment import REGISTRY_VARIABLE, RUN_VARIABLE, STEP_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitreg.sdk.runs.run import Run

_LOCK = Lock()
_UNDER_WAY: list[Run] = []
"""The runs that have not ended, in the order in which they began."""
_OUTSIDE: dict[str, str | None] = {}
"""The values of the variables before the first run; None for an unset one."""


@contextmanager
def shown_to_children(run: Run) -> Iterator[None]:
    """Set the variables so that processes started in the block join the run; of several runs, the latest counts."""
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
    """Update the variables, so that processes started from now on know the current step."""
    with _LOCK:
        _tell()


def only_run() -> Run | None:
    """Return the run of this process, of nested runs the innermost; None if several are independent."""
    outer = {id(each.outer) for each in _UNDER_WAY}
    innermost = [each for each in _UNDER_WAY if id(each) not in outer]
    return innermost[0] if len(innermost) == 1 else None


def is_any_under_way() -> bool:
    """Return whether this process has begun a run that has not ended."""
    return bool(_UNDER_WAY)


def variables(run: Run) -> Mapping[str, str | None]:
    """Return the environment variables with which a process joins a run and its current step; None removes one."""
    branch, step = run.registry.branch, run.only_step
    place = f"{branch.name}:{branch.root}" if branch.root else branch.name
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
