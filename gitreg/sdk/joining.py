"""Joining a run from another process: a child of the one that began it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from gitreg.errors import NotFound
from gitreg.registry.drafts import read_draft
from gitreg.sdk.ambient import REGISTRY_VARIABLE, RUN_VARIABLE
from gitreg.sdk.under_way import Run

if TYPE_CHECKING:
    from collections.abc import Mapping


@contextmanager
def shown_to_children(run: Run) -> Iterator[None]:
    """Let processes that are started in the block find the run, through their environment."""
    told = variables(run)
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def variables(run: Run) -> Mapping[str, str]:
    """Give what a process has to find in its environment to join a run."""
    ledger = run.registry.ledger
    place = f"{ledger.branch}:{ledger.root}" if ledger.root else ledger.branch
    model = "" if run.spec is None else run.spec.reference
    return {
        REGISTRY_VARIABLE: f"{run.registry.folder}#{place}",
        RUN_VARIABLE: f"{run.pipeline}@{run.name}@{model}",
    }


@lru_cache(1)
def joined_run(told: str) -> Run:
    """Give the run that the environment names, as this process sees it; its registry is open until the process ends.

    Raises
    ------
    NotFound
        It has ended.
    """
    import atexit

    from gitreg.sdk.model import Model
    from gitreg.sdk.registry import Registry

    pipeline, _, rest = told.partition("@")
    name, _, reference = rest.partition("@")
    registry = Registry.open()
    atexit.register(registry.close)
    draft = read_draft(registry.ledger.repository, pipeline, name)
    if draft is None:
        raise NotFound(
            f"{RUN_VARIABLE} names the run {pipeline}/{name}, which is not under way", hint=f"unset {RUN_VARIABLE}"
        )
    model, _, version = reference.partition("@")
    run = Run(registry, draft, Model(model, version or None) if model else None)
    run.is_joined = True
    return run
