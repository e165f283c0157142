"""The run of a parent process, as a child process sees and uses it."""

from __future__ import annotations

import atexit
import os
from functools import lru_cache

from gitreg.errors import NotFound
from gitreg.registry.drafts import read_draft
from gitreg.sdk.environment import RUN_VARIABLE, STEP_VARIABLE
from gitreg.sdk.registry import Registry
from gitreg.sdk.runs.run import Run
from gitreg.sdk.zenml.model import Model


def parent_run() -> Run:
    """Return the run that GITREG_RUN and GITREG_STEP name; its registry stays open until this process ends.

    Raises
    ------
    NotFound
        The run has ended.
    """
    return _joined(os.environ[RUN_VARIABLE], os.environ.get(STEP_VARIABLE) or "")


@lru_cache(1)
def _joined(run: str, step: str) -> Run:
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
