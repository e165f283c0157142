"""A person, a registry of its own, and some files to save."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.world import Person, make_person, write


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    return make_person(tmp_path)


@pytest.fixture
def registry(ada: Person, tmp_path: Path) -> Person:
    """Ada in a registry that is a repository of its own."""
    ada.gitreg("init", tmp_path / "registry")
    return ada.at(tmp_path / "registry")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write(tmp_path / "weights", {"model.bin": b"weights" * 1000, "config/vocab.json": b'{"a": 1}\n'})
