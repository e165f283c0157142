"""The public names of gitreg, a Git-native model registry.

    from gitreg import Registry

    with Registry.open(".") as registry:
        registry.save("iris", estimator, metadata={"accuracy": 0.95}, stage="production")
        registry.load_object("iris@production").predict(rows)

Each name is imported at its first use, so that ``import gitreg`` itself takes almost no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.documents.types import ArtifactDocument, ArtifactRecord
    from gitreg.errors import (
        AbsentError,
        AlreadyExists,
        CloneLags,
        Conflict,
        Declined,
        GitregError,
        IntegrityError,
        InvalidDocument,
        InvalidInput,
        Locked,
        NotAtomic,
        NotFound,
        OvertakenError,
        Protected,
        Refused,
        StaleRefs,
        StoreGoneError,
        TooLarge,
        Unreachable,
        UnsafeCode,
        WorkTreeBusy,
        WorkTreeLags,
    )
    from gitreg.integrations.current import current
    from gitreg.integrations.model_decorator import model
    from gitreg.integrations.models import Models
    from gitreg.policy.evaluate import Decision
    from gitreg.policy.results import Result
    from gitreg.registry.drafts import Draft
    from gitreg.registry.lineage.lineage import Lineage
    from gitreg.registry.promotion.signatures import VersionSignature
    from gitreg.registry.query.filters import Page
    from gitreg.registry.rules.problem import Problem
    from gitreg.registry.state.snapshot import ModelCard, ModelVersion
    from gitreg.registry.weights.garbage import Garbage
    from gitreg.registry.weights.verification import Verification, VerifiedItem
    from gitreg.registry.writing.commit import Outcome
    from gitreg.sdk.registry import Registry
    from gitreg.sdk.runs.outputs import ArtifactConfig
    from gitreg.sdk.runs.pipelines import pipeline, step
    from gitreg.sdk.runs.run import Run
    from gitreg.sdk.runs.run_model import RunModel
    from gitreg.sdk.runs.start import run
    from gitreg.sdk.runs.step_context import StepContext, get_step_context
    from gitreg.sdk.runs.step_run import StepRun
    from gitreg.sdk.verbs.batch import Batch
    from gitreg.sdk.views.shortcuts import load, load_object
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

    __version__: str

__docformat__ = "numpy"

__all__ = [
    "AbsentError",
    "AlreadyExists",
    "ArtifactConfig",
    "ArtifactDocument",
    "ArtifactRecord",
    "ArtifactType",
    "ArtifactVersion",
    "Batch",
    "Client",
    "CloneLags",
    "Conflict",
    "Decision",
    "Declined",
    "Draft",
    "Garbage",
    "GitregError",
    "IntegrityError",
    "InvalidDocument",
    "InvalidInput",
    "Lineage",
    "Locked",
    "Model",
    "ModelCard",
    "ModelStages",
    "ModelVersion",
    "Models",
    "NotAtomic",
    "NotFound",
    "Outcome",
    "OvertakenError",
    "Page",
    "Problem",
    "Protected",
    "Refused",
    "Registry",
    "Result",
    "Run",
    "RunModel",
    "StaleRefs",
    "StepContext",
    "StepRun",
    "StoreGoneError",
    "TooLarge",
    "Unreachable",
    "UnsafeCode",
    "Verification",
    "VerifiedItem",
    "VersionSignature",
    "WorkTreeBusy",
    "WorkTreeLags",
    "current",
    "get_artifact_version",
    "get_step_context",
    "link_artifact_to_model",
    "load",
    "load_artifact",
    "load_object",
    "model",
    "pipeline",
    "run",
    "save_artifact",
    "step",
]

_HOMES = {
    "ArtifactConfig": "gitreg.sdk.runs.outputs",
    "ArtifactDocument": "gitreg.documents.types",
    "ArtifactRecord": "gitreg.documents.types",
    "ArtifactType": "gitreg.sdk.zenml.artifacts",
    "ArtifactVersion": "gitreg.sdk.zenml.artifacts",
    "Batch": "gitreg.sdk.verbs.batch",
    "Client": "gitreg.sdk.zenml.client",
    "Decision": "gitreg.policy.evaluate",
    "Draft": "gitreg.registry.drafts",
    "Garbage": "gitreg.registry.weights.garbage",
    "Lineage": "gitreg.registry.lineage.lineage",
    "Model": "gitreg.sdk.zenml.model",
    "ModelCard": "gitreg.registry.state.snapshot",
    "ModelStages": "gitreg.sdk.zenml.model",
    "ModelVersion": "gitreg.registry.state.snapshot",
    "Models": "gitreg.integrations.models",
    "Outcome": "gitreg.registry.writing.commit",
    "Page": "gitreg.registry.query.filters",
    "Problem": "gitreg.registry.rules.problem",
    "Registry": "gitreg.sdk.registry",
    "Result": "gitreg.policy.results",
    "Run": "gitreg.sdk.runs.run",
    "RunModel": "gitreg.sdk.runs.run_model",
    "StepContext": "gitreg.sdk.runs.step_context",
    "StepRun": "gitreg.sdk.runs.step_run",
    "Verification": "gitreg.registry.weights.verification",
    "VerifiedItem": "gitreg.registry.weights.verification",
    "VersionSignature": "gitreg.registry.promotion.signatures",
    "current": "gitreg.integrations.current",
    "get_artifact_version": "gitreg.sdk.zenml.artifacts",
    "get_step_context": "gitreg.sdk.runs.step_context",
    "link_artifact_to_model": "gitreg.sdk.zenml.artifacts",
    "load": "gitreg.sdk.views.shortcuts",
    "load_artifact": "gitreg.sdk.zenml.artifacts",
    "load_object": "gitreg.sdk.views.shortcuts",
    "model": "gitreg.integrations.model_decorator",
    "pipeline": "gitreg.sdk.runs.pipelines",
    "run": "gitreg.sdk.runs.start",
    "save_artifact": "gitreg.sdk.zenml.artifacts",
    "step": "gitreg.sdk.runs.pipelines",
}
"""The module of each name; that of the errors is :mod:`gitreg.errors`."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("gitreg.distribution").installed_version() or "0+unknown"
    if name not in __all__:
        raise AttributeError(f"module 'gitreg' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "gitreg.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, without the submodules and imports that a person does not look for."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__, "__version__"})
