"""The same user and registry as the registry's own tests have."""

from tests.registry.conftest import registry, user, weights

__all__ = ["registry", "user", "weights"]
