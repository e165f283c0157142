"""The verbs of a registry, as functions over an open session; each module is imported at its first use.

The modules that a verb needs take longer to import than most commands take: who calls one verb imports that one alone.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitreg.sdk.verbs import (
        admission,
        approvals,
        batch,
        decisions,
        doctor,
        drafts,
        find,
        garbage,
        links,
        load,
        models,
        pull_requests,
        remotes,
        save,
        scan,
        sealed,
        stages,
        stores,
        trust_code,
        versions,
    )

__all__ = [
    "admission",
    "approvals",
    "batch",
    "decisions",
    "doctor",
    "drafts",
    "find",
    "garbage",
    "links",
    "load",
    "models",
    "pull_requests",
    "remotes",
    "save",
    "scan",
    "sealed",
    "stages",
    "stores",
    "trust_code",
    "versions",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
