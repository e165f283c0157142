"""A user with a name and a home of their own, and a registry of theirs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.sdk.registry import Registry
from tests.registry.support import World, git


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the environment of a user, and give their home."""
    return set_up_user(tmp_path, monkeypatch)


def set_up_user(where: Path, patch: pytest.MonkeyPatch) -> Path:
    home = where / "home"
    home.mkdir()
    for name, value in {
        "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_CACHE_HOME": str(home / "xdg-cache"),
        "GITREG_CACHE": str(home / "cache"), "TZ": "UTC",
    }.items():  # fmt: skip
        patch.setenv(name, value)
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "Ada Lovelace")
        patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    patch.delenv("GITREG_REGISTRY", raising=False)
    return home


@pytest.fixture(scope="session")
def new_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry without versions, to be copied: making one takes six times as long."""
    top = tmp_path_factory.mktemp("new")
    with pytest.MonkeyPatch.context() as patch:
        set_up_user(top, patch)
        made, _ = Registry.init(top / "registry")
        made.close()
    return top / "registry"


@pytest.fixture
def registry(user: Path, new_registry: Path, tmp_path: Path) -> Iterator[Registry]:
    folder = shutil.copytree(new_registry, tmp_path / "registry", symlinks=True)
    with Registry.open(folder) as made:
        made.session.trust_code()  # as who makes a registry trusts it; the list names its place
        yield made


@pytest.fixture
def hub(user: Path, tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    return tmp_path / "hub.git"


@pytest.fixture
def one(hub: Path, tmp_path: Path) -> Iterator[Registry]:
    git(tmp_path, "init", "-q", "-b", "main", "one")
    git(tmp_path / "one", "remote", "add", "origin", "../hub.git")
    made, _ = Registry.init(tmp_path / "one", store=str(tmp_path / "store"), remote="origin")
    with made:
        yield made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.index.close()
