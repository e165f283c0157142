"""Several registries in one repository: each has refs of its own, and it is told which of them a command means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, write

pytestmark = pytest.mark.slow


@pytest.fixture
def code(ada: Person, tmp_path: Path) -> Person:
    """Ada in a project's repository with a registry on the branch ``registry``."""
    ada.git("init", "-q", "-b", "main", tmp_path / "code")
    code = ada.at(tmp_path / "code")
    write(code.here, {"train.py": "x", "vision/train.py": "y"})
    code.git("add", "-A")
    code.git("commit", "-qm", "code")
    code.gitreg("init")
    return code


def test_two_registries_share_no_refs_and_repair_leaves_the_other_alone(code: Person, weights: Path) -> None:
    vision = code.at(code.here / "vision")
    vision.gitreg("init", "--branch", "main", "--prefix", "vision")
    first = code.with_env(GITREG_REGISTRY=f"{code.here}#registry")
    second = code.with_env(GITREG_REGISTRY=f"{code.here}#main:vision")
    for person in (first, second):
        person.gitreg("save", "iris", weights)
        person.gitreg("promote", "iris@1", "production")
        person.gitreg("alias", "set", "iris@1", "best")
    refs = code.git("for-each-ref", "--format=%(refname)").splitlines()
    assert {ref for ref in refs if "iris@" in ref} == {
        "refs/stages/iris@production", "refs/aliases/iris@best", "refs/tags/models/iris@1",
        "refs/registries/vision/stages/iris@production", "refs/registries/vision/aliases/iris@best",
        "refs/tags/vision/iris@1",
    }  # fmt: skip
    for person in (first, second, first):
        assert_sound(person)
        assert "mended" not in person.gitreg("doctor", "--repair").out


def test_tags_of_one_prefix_and_a_namespace_that_is_taken_are_refused(code: Person) -> None:
    vision = code.at(code.here / "vision")
    for prefix in ((), ("--prefix", "models/vision")):
        ended = vision.gitreg("init", "--branch", "main", *prefix, code=4)
        assert "the registry registry of this repository has its tags under models/" in ended.err
        assert "--prefix" in ended.err
    code.git("update-ref", "refs/registries/vision/stages/of-somebody", "main")
    ended = vision.gitreg("init", "--branch", "main", "--prefix", "vision", code=4)
    assert "there are refs under refs/registries/vision/stages/ already" in ended.err
    assert not (vision.here / "gitreg.yaml").exists()


def test_a_second_registry_does_not_take_over_what_commands_mean(code: Person) -> None:
    vision = code.at(code.here / "vision")
    told = vision.gitreg("init", "--branch", "main", "--prefix", "vision").err
    assert f"commands in {vision.here} meant the registry registry and mean this one now" in told
    assert f"--repo {code.here}#registry" in told
    code.gitreg("model", "register", "iris")
    assert code.git("show", "registry:models/iris/model.yaml")
    vision.gitreg("model", "register", "cats")
    assert code.git("show", "main:vision/models/cats/model.yaml")
    code.git("branch", "layout", "main~2")
    told = code.gitreg("init", "--branch", "layout", "--prefix", "layout").err
    assert f"commands in {code.here} mean the registry registry, as before" in told
    assert f"--repo {code.here}#layout" in told


def test_where_somebody_else_has_the_usual_namespace_a_registry_takes_its_own(ada: Person, tmp_path: Path) -> None:
    ada.git("init", "-q", "-b", "main", tmp_path / "code")
    code = ada.at(tmp_path / "code")
    write(code.here, {"train.py": "x"})
    code.git("add", "-A")
    code.git("commit", "-qm", "code")
    code.git("update-ref", "refs/stages/of-another-tool", "main")
    code.gitreg("init")
    assert "refs/registries/models/stages" in code.git("show", "registry:gitreg.yaml")
    assert_sound(code)
