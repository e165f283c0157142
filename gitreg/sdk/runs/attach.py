"""The run of a parent process, as a child process sees and uses it."""

from __future__ import annotations

from functools import lru_cache

from gitreg.errors import NotFound
from gitreg.registry.drafts import read_draft
from gitreg.sdk.environment import RUN_VARIABLE
from gitreg.sdk.runs.run import Run


@lru_cache(1)
def joined_run(told: str, step: str | None) -> Run:
    """Return the run that the environment variables name; its registry stays open until this process ends.

    Parameters
    ----------
    told, step:
        The values of GITREG_RUN and GITREG_STEP.

    Raises
    ------
    NotFound
        The run has ended.
    """
    import atexit

    from gitreg.sdk.registry import Registry
    from gitreg.sdk.zenml.model import Model

    pipeline, _, rest = told.partition("@")
    name, _, reference = rest.partition("@")
    registry = Registry.open()
    atexit.register(registry.close)
    draft = read_draft(registry.branch.repository, pipeline, name)
    if draft is None:
        raise NotFound(
            f"{RUN_VARIABLE} names the run {pipeline}/{name}, which is not under way", hint=f"unset {RUN_VARIABLE}"
        )
    model, _, version = reference.partition("@")
    return Run(registry, draft, Model(model, version or None) if model else None, joined_in=step or "")
