"""The pre-commit framework: it builds gitreg out of its repository, and runs the hooks that are offered there."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, write

ROOT = Path(__file__).parents[2]
RECORD = "models/iris/versions/1.yaml"
BUILT_FROM = (
    "gitreg", "schemas", "hooks", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml",
)  # fmt: skip


@pytest.fixture
def offered(ada: Person, tmp_path: Path) -> Person:
    """A repository with gitreg as it is here."""
    if not all((ROOT / name).exists() for name in BUILT_FROM):
        pytest.skip("gitreg's sources are not here")
    source = tmp_path / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    there = ada.at(source)
    there.git("init", "-q", "-b", "main")
    there.git("add", "-A")
    there.git("commit", "-q", "-m", "gitreg")
    return there


@pytest.mark.slow
def test_the_framework_runs_the_hooks_before_a_commit_and_before_a_push(
    ada: Person, weights: Path, offered: Person, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    ada.gitreg("init", tmp_path / "registry", "--store", store)
    person = ada.at(tmp_path / "registry").with_env(
        PRE_COMMIT_HOME=str(tmp_path / "pre-commit"),
        # What gitreg needs is taken from the tests' own environment: nothing is fetched.
        PYTHONPATH=sysconfig.get_path("purelib"),
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    person.gitreg("save", "iris", weights, "--metadata", "accuracy=0.9")
    rev = offered.git("rev-parse", "HEAD")
    config = f"repos: [{{repo: {offered.here}, rev: {rev}, hooks: [{{id: gitreg}}, {{id: gitreg-weights}}]}}]\n"
    write(person.here, {".pre-commit-config.yaml": config})
    person.run(PROGRAMS / "pre-commit", "install", "-t", "pre-commit", "-t", "pre-push")
    person.git("add", "-A")
    person.git("commit", "-q", "-m", "the framework")

    path = person.here / RECORD
    sealed = path.read_text()
    path.write_text(sealed.replace("0.9", "0.99"))
    refused = person.run("git", "commit", "-qam", "better")
    assert (refused.code, "Failed" in refused.err) == (1, True)
    assert f"{RECORD} is a sealed record and is edited" in refused.err
    path.write_text(sealed)
    write(person.here, {"models/iris/README.md": "# Iris\n"})
    person.git("add", "-A")
    person.git("commit", "-q", "-m", "a sound change of the registry")

    person.git("init", "-q", "--bare", tmp_path / "hub.git")
    person.git("remote", "add", "origin", tmp_path / "hub.git")
    store.rename(tmp_path / "elsewhere")
    refused = person.run("git", "push", "-q", "origin", "main", "models/iris@1")
    assert refused.code == 1
    assert f"the store {store} is not there" in refused.out
    assert "this push is refused: 1 problem, named above" in refused.out
    assert person.git("ls-remote", "origin") == ""
    (tmp_path / "elsewhere").rename(store)
    person.git("push", "-q", "origin", "main", "models/iris@1")
