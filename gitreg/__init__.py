"""gitreg: a Git-native model registry.

    from gitreg import Registry

    with Registry.open(".") as registry:
        registry.save("iris", "model.bst", metadata={"accuracy": 0.95})
        folder = registry.load("iris@production")

Names are brought in when they are first used, so that importing gitreg costs next to nothing.
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
    from gitreg.sdk.client import Client
    from gitreg.sdk.model import Model, ModelStages
    from gitreg.sdk.registry import Registry

__all__ = [
    "AlreadyExists",
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
]

_HOMES = {
    "Client": "gitreg.sdk.client",
    "Model": "gitreg.sdk.model",
    "ModelStages": "gitreg.sdk.model",
    "Registry": "gitreg.sdk.registry",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gitreg' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "gitreg.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
