"""What git exports to hooks and to ``git rebase -x`` never leads to another registry than the one that is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system.world import Person, make_person, write

pytestmark = pytest.mark.slow


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    return make_person(tmp_path)


def _registry(person: Person, name: str) -> Person:
    """Make a registry with one model, which is named as its folder is."""
    there = person.at(write(person.here / name, {"model/w.bin": name}))
    person.gitreg("init", name)
    there.gitreg("save", name, "model")
    return there


def _exported(repository: Person) -> dict[str, str]:
    """Return all that points to a repository, as hooks and rebases export it."""
    git = repository.here / ".git"
    return {
        "GIT_DIR": str(git),
        "GIT_WORK_TREE": str(repository.here),
        "GIT_COMMON_DIR": str(git),
        "GIT_INDEX_FILE": str(git / "index"),
        "GIT_OBJECT_DIRECTORY": str(git / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(git / "objects"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_PREFIX": "models/",
    }


def _refs(person: Person) -> str:
    return person.git("for-each-ref") + person.git("status", "--porcelain", "--untracked-files=no")


def test_a_registry_that_is_named_is_the_one_that_is_read_and_written(ada: Person) -> None:
    named, other = _registry(ada, "named"), _registry(ada, "other")
    before = _refs(other)
    hook = ada.with_env(**_exported(other))

    assert [row["name"] for row in hook.gitreg("--repo", "named", "list", "--json").data["items"]] == ["named"]
    hook.gitreg("--repo", "named", "save", "named", write(ada.here / "more", {"w.bin": "more"}))
    by_variable = hook.with_env(GITREG_REGISTRY=str(named.here))
    by_variable.gitreg("promote", "named@2", "production")
    code = "import gitreg; print(gitreg.Registry.open('named').version('named@production').version)"
    assert hook.run(sys.executable, "-c", code).out == "2\n"
    hook.gitreg("--repo", "named", "hooks", "install")
    assert hook.gitreg("--repo", "named", "doctor", "--json").data["problems"] == []

    assert _refs(other) == before
    assert not (other.here / ".git/hooks/pre-commit").exists()
    assert named.gitreg("show", "named@production", "--json").data["version"] == "2"
    assert named.git("status", "--porcelain", "--untracked-files=no") == ""


def test_what_is_made_at_a_path_is_made_there(ada: Person) -> None:
    other = _registry(ada, "other")
    before = _refs(other)
    hook = ada.with_env(**_exported(other))
    assert hook.gitreg("init", "made", "--json").data["folder"] == str(ada.here / "made")
    hub = ada.at(ada.here / "made")
    hub.gitreg("save", "iris", write(ada.here / "w", {"w.bin": "x"}))
    hook.gitreg("clone", "made", "cloned")
    assert ada.at(ada.here / "cloned").gitreg("list", "--json").data["items"][0]["name"] == "iris"
    assert _refs(other) == before


def test_git_dir_counts_where_nothing_is_named(ada: Person) -> None:
    here, other = _registry(ada, "here"), _registry(ada, "other")
    elsewhere = here.with_env(GIT_DIR=str(other.here / ".git"), GIT_WORK_TREE=str(other.here))
    assert [row["name"] for row in elsewhere.gitreg("list", "--json").data["items"]] == ["other"]
    elsewhere.gitreg("init")  # and says that there is one already
    assert [row["name"] for row in here.gitreg("list", "--json").data["items"]] == ["here"]


def test_a_rebase_and_a_hook_of_the_code_save_to_the_registry_that_they_name(ada: Person) -> None:
    registry = _registry(ada, "named")
    code = ada.at(write(ada.here / "code", {"train.py": "1\n"}))
    code.git("init", "-q", "-b", "trunk")
    for number in range(3):
        write(code.here, {"train.py": f"{number}\n"})
        code.git("add", ".")
        code.git("commit", "-q", "-m", f"step {number}")
    saved = f"gitreg --repo {registry.here} save model-of-code train.py"
    code.git("rebase", "-q", "-x", saved, "HEAD~1")
    write(code.here, {".git/hooks/post-commit": f"#!/bin/sh\nexec {saved}\n"})
    (code.here / ".git/hooks/post-commit").chmod(0o755)
    write(code.here, {"train.py": "more\n"})
    code.git("commit", "-q", "-a", "-m", "more")

    versions = registry.gitreg("list", "model-of-code", "--json").data["items"]
    assert {row["version"] for row in versions} == {"1", "2"}
    newest = registry.gitreg("show", "model-of-code@2", "--json").data
    assert newest["source"]["commit"] == code.git("rev-parse", "HEAD")
    assert code.git("for-each-ref", "--format=%(refname)") == "refs/heads/trunk"
    assert registry.doctor_says() == []


def test_a_hook_of_a_server_reads_what_is_pushed_and_another_registry_beside_it(ada: Person) -> None:
    """The quarantine belongs to the repository that is pushed to, and to no other."""
    other = _registry(ada, "other")
    hub = ada.at(ada.here / "hub.git")
    ada.git("init", "-q", "--bare", "-b", "main", hub.here)
    hub.gitreg("hooks", "install", "--server")
    kept = hub.here / "hooks/pre-receive.before-gitreg"
    asked = f"gitreg --repo {other.here} list --json && gitreg --repo {other.here} save other-from-hook $0"
    kept.write_text(f"#!/bin/sh\ncat >/dev/null\n{asked} >{ada.here}/heard\n")
    kept.chmod(0o755)
    mine = ada.at(ada.here / "mine")
    ada.gitreg("init", mine.here)
    mine.git("remote", "add", "origin", hub.here)
    mine.gitreg("save", "iris", write(ada.here / "w", {"w.bin": "x"}))
    mine.git("push", "-q", "origin", "main")
    assert (ada.here / "heard").read_text()
    assert hub.git("for-each-ref", "--format=%(refname)", "refs/tags") == "refs/tags/models/iris@1"
    assert "other-from-hook" in {row["name"] for row in other.gitreg("list", "--json").data["items"]}
    assert other.doctor_says() == []
