"""The run of a parent process, as a child process sees and uses it; importing this module makes it known."""

from __future__ import annotations

import atexit
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from gitreg.errors import NotFound
from gitreg.sdk.current_run import set_parent_run
from gitreg.sdk.environment import RUN_VARIABLE, STEP_VARIABLE

if TYPE_CHECKING:
    from gitreg.sdk.runs.run import Run


def parent_run() -> Run | None:
    """Return the run that GITREG_RUN and GITREG_STEP name; its registry stays open until this process ends.

    Raises
    ------
    NotFound
        The run has ended.
    """
    run = os.environ.get(RUN_VARIABLE)
    return _joined(run, os.environ.get(STEP_VARIABLE) or "") if run else None


@lru_cache(1)
def _joined(run: str, step: str) -> Run:
    from gitreg.registry.drafts import read_draft  # most commands that a run starts never ask for it
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.zenml.model import Model

    pipeline, _, rest = run.partition("@")
    name, _, reference = rest.partition("@")
    registry = Registry.open()
    atexit.register(registry.close)
    draft = read_draft(registry.session.branch.repository, pipeline, name)
    if draft is None:
        raise NotFound(
            f"{RUN_VARIABLE} names the run {pipeline}/{name}, which is not under way", hint=f"unset {RUN_VARIABLE}"
        )
    model, _, version = reference.partition("@")
    return Run(registry, draft, Model(model, version or None) if model else None, joined_in=step)


set_parent_run(parent_run)
