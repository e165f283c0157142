"""The environment variables by which child processes of a run join it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

from gitreg.sdk.environment import REGISTRY_VARIABLE, RUN_VARIABLE, STEP_VARIABLE


class RunAddress(NamedTuple):
    """The address of a run for its child processes.

    Parameters
    ----------
    registry:
        The folder and the branch of the registry, as GITREG_REGISTRY names them.
    run:
        The run: ``PIPELINE@RUN``.
    model:
        The reference of the model that the step or the run works on; "" for none.
    step:
        The step that executes, if it is the only one; None otherwise.
    """

    registry: str
    run: str
    model: str
    step: str | None

    def variables(self) -> Mapping[str, str | None]:
        """Return the environment variables with which a process joins the run; None removes one."""
        return {
            REGISTRY_VARIABLE: self.registry,
            RUN_VARIABLE: f"{self.run}@{self.model}",
            STEP_VARIABLE: self.step,
        }


_LOCK = Lock()
_SHOWN: list[Callable[[], RunAddress]] = []
"""The addresses of the runs that have not ended, in the order in which they began."""
_OUTSIDE: dict[str, str | None] = {}
"""The values of the variables before the first run; None for an unset one."""


@contextmanager
def shown_to_children(address: Callable[[], RunAddress]) -> Iterator[None]:
    """Set the variables so that processes started in the block join a run; of several runs, the latest counts.

    Parameters
    ----------
    address:
        Returns the address of the run at that moment.
    """
    with _LOCK:
        if not _SHOWN:
            _OUTSIDE.update((name, os.environ.get(name)) for name in address().variables())
        _SHOWN.append(address)
        _set_variables()
    try:
        yield
    finally:
        with _LOCK:
            _SHOWN.remove(address)
            _set_variables()


def show_step() -> None:
    """Update the variables, so that processes started from now on know the current step."""
    with _LOCK:
        _set_variables()


def _set_variables() -> None:
    for name, value in (_SHOWN[-1]().variables() if _SHOWN else _OUTSIDE).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
