"""The same user and registry as the registry's own tests have, and a folder beside it to work in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg import Registry
from tests.registry.conftest import new_registry, registry, user, weights

__all__ = ["new_registry", "registry", "user", "weights"]


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Registry:
    """A registry that the environment names, from a folder that is outside of it."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("GITREG_REGISTRY", str(registry.folder))
    (work / "m.bin").write_text("weights")
    return registry
