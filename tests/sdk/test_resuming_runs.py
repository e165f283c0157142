"""A run that failed is done again, whatever it makes this time; what is sealed names no run that is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest

import gitreg
from gitreg import AlreadyExists, Model, Registry, pipeline, save_artifact, step
from gitreg.sdk.verbs.drafts import find_any_run
from tests.registry.support import git

pytestmark = pytest.mark.slow


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.chdir(registry.folder)
    return registry


def epochs(seed: str, *, base: str | None = None, fails_after: int | None = None) -> None:
    """Train by chance: what an epoch gives differs from one try to the next."""
    if base is not None:
        Model(base).load()
    for epoch in range(3):
        save_artifact(f"{seed}-{epoch}", "checkpoint", f"1.2.43_{epoch}")
        if epoch == fails_after:
            raise OSError("the disk is full")


def assert_whole(registry: Registry, reference: str) -> None:
    """Nothing that a lineage names is missing, and nothing is wrong with the registry."""
    found = registry.lineage(reference)
    assert [place.name for place in found.nodes if place.kind == "missing"] == []
    assert registry.doctor() == []


@pytest.mark.slow
@pytest.mark.parametrize("resumed_by", ["its name", "its version", "another name", "another pipeline", "a step"])
def test_a_run_that_failed_half_way_is_done_again_with_other_results(inside: Registry, resumed_by: str) -> None:
    model = Model("iris", "1.2.43")
    inside.save("data", __file__)
    with pytest.raises(OSError, match="full"), gitreg.run("first", pipeline="train", model=model):
        epochs("one", base="data", fails_after=1)
    name = {"its name": "first", "its version": None, "another name": "second"}.get(resumed_by, "third")
    with gitreg.run(
        name, pipeline="tune" if resumed_by == "another pipeline" else "train",
        model=None if resumed_by == "a step" else model,
    ) as run:  # fmt: skip
        if resumed_by == "a step":
            with run.begin("trainer", model=model):
                epochs("two")
        else:
            epochs("two")
    version = inside.version("iris@1.2.43")
    assert version.links == tuple(f"checkpoint@1.2.43_{epoch}" for epoch in range(3))
    assert [gitreg.load_artifact("checkpoint", f"1.2.43_{epoch}") for epoch in range(3)] == ["two-0", "two-1", "two-2"]
    assert Model("iris", "1.2.43").load_artifact("checkpoint") == "two-2", "the newest of the links"
    assert "data@1" in version.record.inputs, "what the first try was made from went into what it left"
    assert list(inside.session.branch.repository.refs("refs/drafts/")) == []
    assert_whole(inside, "iris@1.2.43")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first", "second"])
def test_what_a_run_left_and_nobody_made_again_is_of_the_run_that_was_sealed(inside: Registry, name: str) -> None:
    model = Model("iris", "one")
    with (
        pytest.raises(OSError, match="full"),
        gitreg.run("first", pipeline="train", model=model) as run,
        run.begin("trainer", model=model),
    ):
        epochs("one", fails_after=1)
    with gitreg.run(name, pipeline="train", model=model):
        save_artifact("mine", "checkpoint", "1.2.43_0")
    assert (inside.version("iris@one").record.run or {})["run"] == name
    made = [gitreg.get_artifact_version("checkpoint", f"1.2.43_{epoch}") for epoch in range(2)]
    assert [each.load() for each in made] == ["mine", "one-1"]
    assert {each.run["run"] for each in made if each.run} == {name}
    assert_whole(inside, "iris@one")
    assert_whole(inside, "checkpoint@1.2.43_1")


@pytest.mark.slow
def test_what_a_run_has_made_itself_stays_where_it_takes_over_what_another_left(inside: Registry) -> None:
    with pytest.raises(OSError, match="full"), gitreg.run("first", model=Model("iris", "one")):
        epochs("left", fails_after=1)
    with gitreg.run("second") as run:
        save_artifact("own", "checkpoint", "1.2.43_0")
        with run.begin("later", model=Model("iris", "one")):
            save_artifact("note", "note")
    assert gitreg.load_artifact("checkpoint", "1.2.43_0") == "own"
    assert inside.version("iris@one").links == ("checkpoint@1.2.43_0", "checkpoint@1.2.43_1", "note@1")
    assert_whole(inside, "iris@one")


@pytest.mark.slow
def test_one_try_does_not_save_two_things_under_one_versions_name_and_what_is_sealed_stays(inside: Registry) -> None:
    with gitreg.run("first", model=Model("iris")):
        save_artifact("a", "checkpoint", "best")
        save_artifact("a", "checkpoint", "best")
        with pytest.raises(AlreadyExists, match="checkpoint@best already exists"):
            save_artifact("b", "checkpoint", "best")
    with gitreg.run("second", model=Model("iris")), pytest.raises(AlreadyExists, match="checkpoint@best"):
        save_artifact("b", "checkpoint", "best")
    assert gitreg.load_artifact("checkpoint", "best") == "a"


@pytest.mark.slow
def test_a_step_whose_output_was_replaced_is_done_again_and_names_nothing_that_is_gone(inside: Registry) -> None:
    done: list[str] = []
    broken = [True]

    @step
    def first() -> Annotated[str, gitreg.ArtifactConfig("weights", version="v1")]:
        done.append("first")
        return f"first {len(done)}"

    @step
    def second(weights: str) -> Annotated[str, "second"]:
        done.append("second")
        if broken:
            raise OSError("the disk is full")
        return weights

    @pipeline(model=Model("iris"))
    def train(note: str) -> None:
        weights = first()
        if not broken:
            save_artifact(note, "weights", "v1")  # the body puts its own in the place of what the step gave
        second(weights if broken else first(id="again"))  # type: ignore[call-arg]

    with pytest.raises(OSError, match="full"):
        train.with_options(run_name="monday")("x")
    broken.clear()
    with pytest.raises(AlreadyExists):  # within a try nothing takes the place of anything
        train.with_options(run_name="monday")("x")
    with gitreg.run("monday", pipeline="train", model=Model("iris")):
        save_artifact("sealed", "weights", "v1")
    assert gitreg.load_artifact("weights", "v1") == "sealed"
    sealed, _ = find_any_run(inside.session, "train/monday")
    assert "weights" not in sealed.steps["first"].get("outputs", {}), "it is not what the step gave"
    used = [said.get(part, {}).values() for said in sealed.steps.values() for part in ("inputs", "outputs")]
    assert all("@" in reference for references in used for reference in references)
    assert_whole(inside, "iris")


@pytest.mark.slow
def test_a_command_that_failed_is_run_again_with_other_results(inside: Registry, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import os, gitreg\n"
        "for epoch in range(3):\n"
        "    gitreg.save_artifact(os.urandom(8).hex(), 'checkpoint', f'1.2.43_{epoch}')\n"
        "    assert epoch != 1 or os.path.exists('mended')\n"
    )
    command = [
        sys.executable, "-m", "gitreg", "run", "--pipeline", "train", "--name", "first", "--model", "iris@one", "--",
        sys.executable, str(script),
    ]  # fmt: skip
    env = os.environ | {"GITREG_REGISTRY": str(inside.folder)}
    assert subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False).returncode == 1
    (tmp_path / "mended").touch()
    subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True)
    assert inside.version("iris@one").links == tuple(f"checkpoint@1.2.43_{epoch}" for epoch in range(3))
    assert git(inside.folder, "for-each-ref", "refs/drafts") == ""
    assert_whole(inside, "iris@one")
