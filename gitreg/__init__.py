"""The public names of gitreg, a Git-native model registry.

    from gitreg import Registry

    with Registry.open(".") as registry:
        registry.save("iris", "model.bst", metadata={"accuracy": 0.95})
        folder = registry.load("iris@production")

Each name is imported at its first use, so that ``import gitreg`` itself takes almost no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.errors import (
        AlreadyExists,
        Conflict,
        GitregError,
        IntegrityError,
        InvalidDocument,
        InvalidInput,
        NotFound,
        Refused,
    )
    from gitreg.integrations.current import current
    from gitreg.integrations.model_decorator import model
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.outputs import ArtifactConfig
    from gitreg.sdk.runs.pipelines import pipeline, step
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.runs.start import run
    from gitreg.sdk.runs.step_context import get_step_context
    from gitreg.sdk.zenml.artifacts import (
        ArtifactType,
        ArtifactVersion,
        get_artifact_version,
        link_artifact_to_model,
        load_artifact,
        save_artifact,
    )
    from gitreg.sdk.zenml.client import Client
    from gitreg.sdk.zenml.model import Model, ModelStages

__all__ = [
    "AlreadyExists",
    "ArtifactConfig",
    "ArtifactType",
    "ArtifactVersion",
    "Client",
    "Conflict",
    "GitregError",
    "IntegrityError",
    "InvalidDocument",
    "InvalidInput",
    "Model",
    "ModelStages",
    "NotFound",
    "Refused",
    "Registry",
    "Run",
    "current",
    "get_artifact_version",
    "get_step_context",
    "link_artifact_to_model",
    "load_artifact",
    "model",
    "pipeline",
    "run",
    "save_artifact",
    "step",
]

_HOMES = {
    "ArtifactConfig": "gitreg.sdk.runs.outputs",
    "ArtifactType": "gitreg.sdk.zenml.artifacts",
    "ArtifactVersion": "gitreg.sdk.zenml.artifacts",
    "Client": "gitreg.sdk.zenml.client",
    "Model": "gitreg.sdk.zenml.model",
    "ModelStages": "gitreg.sdk.zenml.model",
    "Registry": "gitreg.sdk.registry",
    "Run": "gitreg.sdk.runs.run",
    "current": "gitreg.integrations.current",
    "get_artifact_version": "gitreg.sdk.zenml.artifacts",
    "get_step_context": "gitreg.sdk.runs.step_context",
    "link_artifact_to_model": "gitreg.sdk.zenml.artifacts",
    "load_artifact": "gitreg.sdk.zenml.artifacts",
    "model": "gitreg.integrations.model_decorator",
    "pipeline": "gitreg.sdk.runs.pipelines",
    "run": "gitreg.sdk.runs.start",
    "save_artifact": "gitreg.sdk.zenml.artifacts",
    "step": "gitreg.sdk.runs.pipelines",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gitreg' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "gitreg.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
