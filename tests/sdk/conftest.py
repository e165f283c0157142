"""The same user and registry as the registry's own tests have."""

from tests.registry.conftest import hub, new_registry, one, registry, user, weights

__all__ = ["hub", "new_registry", "one", "registry", "user", "weights"]
