"""One registry for all tests that only read, and one of its own for each that writes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.world import Person, make_person, write


@pytest.fixture(autouse=True)
def _quiet_logger() -> Iterator[None]:
    """Take off what --verbose and --debug put on gitreg's logger: it prints to the standard error of its own test."""
    yield
    logger = logging.getLogger("gitreg")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    where = tmp_path_factory.mktemp("cli")
    ada = make_person(where)
    ada.gitreg("init", where / "registry")
    there = ada.at(where / "registry")
    weights = write(where / "weights", {"model.bin": "weights", "vocab.json": "{}"})
    there.gitreg("save", "iris", weights, "--metadata", "accuracy=0.9", "--tag", "a", "--description", "the first")
    write(weights, {"model.bin": "better weights"})
    there.gitreg("save", "iris@1.1", weights, "--metadata", "accuracy=0.95", "--input", "iris@1")
    there.gitreg("promote", "iris@1", "production")
    there.gitreg("promote", "iris@1.1", "production", "--force", "--reason", "better")
    there.gitreg("alias", "set", "iris@1.1", "champion")
    there.gitreg("model", "register", "team/other", "--license", "mit", "--tag", "x")
    return there


@pytest.fixture
def reader(_shared: Person) -> Person:
    """A registry that nobody changes."""
    return _shared


@pytest.fixture
def writer(_shared: Person, tmp_path: Path) -> Person:
    """A copy of it, to be changed."""
    shutil.copytree(_shared.here, tmp_path / "registry", symlinks=True)
    return replace(_shared, here=tmp_path / "registry", env=_shared.env | {"GITREG_CACHE": str(tmp_path / "cache")})
