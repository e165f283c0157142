"""A person, a registry of its own, some files to save; and a server with hooks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.system.hooked import HOOKS, Server, named
from tests.system.world import PROGRAMS, Person, make_person, write


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


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Server]:
    made = {}
    for hook in HOOKS:
        where = tmp_path_factory.mktemp("settings")
        ada = make_person(where)
        ada.git("init", "-q", "--bare", "-b", "main", where / "hub.git")
        ada.git("init", "-q", "-b", "main", where / "ada")
        ada = ada.at(where / "ada")
        ada.git("remote", "add", "origin", where / "hub.git")
        ada.gitreg("init", "--remote", "origin", "--store", where / "store")
        for number, accuracy in ((1, 0.95), (2, 0.5)):
            weights = write(where / "weights", {"m.bin": f"{number}"})
            ada.gitreg("save", "iris", weights, "--metadata", f"accuracy={accuracy}")
        ada.gitreg("promote", "iris@1", "production")
        shim = where / "hub.git/hooks" / hook
        shim.parent.mkdir(exist_ok=True)
        text = (Path(__file__).parents[2] / "hooks" / hook).read_text()
        shim.write_text(text.replace("program=gitreg ", f"program={PROGRAMS / 'gitreg'} "))
        shim.chmod(0o755)
        made[hook] = Server(where / "hub.git", ada)
    return made


@pytest.fixture(params=HOOKS)
def server(request: pytest.FixtureRequest, _servers: dict[str, Server], tmp_path: Path) -> Server:
    prepared = _servers[request.param]
    shutil.copytree(prepared.hub, tmp_path / "hub.git", symlinks=True)
    prepared.eve.git("clone", "-q", tmp_path / "hub.git", tmp_path / "eve")
    return Server(tmp_path / "hub.git", prepared.eve.at(tmp_path / "eve").with_env(**named("eve")))
