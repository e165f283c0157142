"""What a step reads is an input of what it makes, by whatever way it is read: the lineage leads on from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import fsspec
import pytest

import gitreg
from gitreg import Client, Model, Registry, current, pipeline, save_artifact, step
from gitreg.registry.lineage.provenance import STEP, VERSION
from tests.registry.conftest import hub, one
from tests.registry.support import git

pytestmark = pytest.mark.slow

__all__ = ["hub", "one"]

CLI = [sys.executable, "-m", "gitreg"]


@pytest.fixture
def inside(registry: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with the version demo@1, of files of its own and of the linked artifact clf@1."""
    monkeypatch.chdir(registry.folder)
    prepare(registry, weights)
    return registry


def prepare(registry: Registry, weights: Path) -> None:
    registry.save("demo", weights, stage="production")
    gitreg.link_artifact_to_model(
        save_artifact([1], "clf", registry=registry), Model("demo", "1", registry=registry), registry=registry
    )


def by_fsspec(method: str) -> Callable[[], Any]:
    return lambda: getattr(fsspec.filesystem("gitreg", skip_instance_cache=True), method)("demo@production/model.bin")


def open_by_url() -> None:
    with fsspec.open("gitreg://demo@production/model.bin") as file:
        file.read()


def load_by_handle(way: Callable[[Registry], Any]) -> Callable[[], None]:
    def read() -> None:
        with Registry.open() as registry:
            way(registry)

    return read


def in_a_child(*arguments: str) -> Callable[[], Any]:
    return lambda: subprocess.run([*CLI, *arguments], check=True, capture_output=True)


WAYS: dict[str, Callable[[], Any]] = {
    "a linked artifact": lambda: Model("demo", "production").load_artifact("clf"),
    "a linked artifact by its version": lambda: Model("demo", "production").load_artifact("clf", 1),
    "an artifact of its own": lambda: Model("demo", "production").load_artifact("model"),
    "an artifact's path": lambda: Model("demo", 1).get_data_artifact("clf").path(),  # type: ignore[union-attr]
    "the model's files": lambda: Model("demo", "production").load(),
    "current.model.load": lambda: current.model.load("demo@production"),
    "Registry.load": load_by_handle(lambda registry: registry.load("demo@production")),
    "Registry.read_file": load_by_handle(lambda registry: registry.read_file("demo@production", "model.bin")),
    "a URL": open_by_url,
    "cat": by_fsspec("cat"),
    "head": by_fsspec("head"),
    "gitreg load": in_a_child("load", "demo@production"),
    "gitreg cat": in_a_child("cat", "demo@production:model.bin"),
    "a child in Python": lambda: subprocess.run(
        [sys.executable, "-c", "from gitreg import Model; Model('demo', 'production').load_artifact('clf')"], check=True
    ),
}


def in_a_step(read: Callable[[], Any]) -> list[str]:
    """Read in a step, by whatever way, and give what the step says that it has used; it is done each time."""
    done: list[int] = []

    @step
    def use() -> Annotated[int, "made"]:
        read()
        done.append(1)
        return 1

    @pipeline(model=Model("next"))
    def train() -> None:
        use()

    for name in ("first", "second"):
        train.with_options(run_name=name)()
    assert len(done) == 2, "what was read may be another one the next time"
    with Registry.open() as registry:
        said = registry.session.snapshot().index.get(registry.session.snapshot().seq, "run", "train", "second")
        assert said is not None
        assert said.data is not None
        used: dict[str, str] = said.data["steps"]["use"].get("inputs", {})
        return sorted(used.values())


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_what_was_made_of_a_version_is_found_however_a_step_has_read_it(inside: Registry, way: str) -> None:
    used = in_a_step(WAYS[way])
    linked = "artifact" in way or way == "a child in Python"
    assert used == (["clf@1", "demo@1"] if linked and "own" not in way else ["demo@1"])
    below = inside.lineage("demo@1", up=False).nodes
    assert {place.name for place in below if place.kind == VERSION} == {"demo@1", "next@1", "next@2"}
    assert {place.name for place in below if place.kind == STEP} == {"train/first/use", "train/second/use"}
    assert "missing" not in {place.kind for place in inside.lineage("next@2").nodes}


@pytest.mark.slow
@pytest.mark.parametrize(
    "read",
    [
        lambda: Client().get_artifact_version("clf").load(),
        lambda: gitreg.load_artifact("clf"),
        in_a_child("artifact", "load", "clf@1"),
    ],
    ids=["Client", "load_artifact", "gitreg artifact load"],
)
def test_an_artifact_that_was_asked_for_by_itself_is_used_by_itself(inside: Registry, read: Callable[[], Any]) -> None:
    assert in_a_step(read) == ["clf@1"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["info", "ls", "exists", "find"])
def test_what_is_only_listed_is_not_used(inside: Registry, method: str) -> None:
    with gitreg.run("looks") as run, run.begin("look") as looking:
        by_fsspec(method)()
    assert looking.inputs == {}


@pytest.mark.slow
def test_what_is_read_outside_of_steps_is_an_input_of_the_run(inside: Registry) -> None:
    with gitreg.run(model=Model("next")):
        open_by_url()
        Model("demo", "production").load_artifact("clf")
        save_artifact([2], "own")
    assert inside.version("next").record.inputs == ("demo@1", "clf@1")


@pytest.mark.slow
def test_another_registry_is_not_named_and_another_clone_is(
    inside: Registry, one: Registry, hub: Path, weights: Path, tmp_path: Path
) -> None:
    prepare(one, weights)
    one.save("other", weights)
    with gitreg.run("mine"), gitreg.run("theirs", registry=one) as run, run.begin("use") as using:
        inside.load("demo@1")
        Model("demo", 1, registry=inside).load_artifact("clf")
        inside.read_file("demo@1", "model.bin")
        assert using.inputs == {}
        git(tmp_path, "clone", "-q", str(hub), "two")
        with Registry.open(tmp_path / "two") as two:
            two.session.trust()
            two.load("demo@1")
        with Registry.open(f"file://{hub}") as mirror:
            mirror.load("other@1")
            Model("demo", 1, registry=mirror).load_artifact("clf")
        assert sorted(using.inputs.values()) == ["clf@1", "demo@1", "other@1"]


@pytest.mark.slow
def test_what_an_outer_run_is_still_making_is_named_by_nobody(inside: Registry) -> None:
    with gitreg.run("outer", model=Model("outer")):
        named, numbered = save_artifact([1], "own", "named"), save_artifact([2], "own")
        with gitreg.run("inner", model=Model("inner")):
            assert (named.load(), numbered.load()) == ([1], [2])
            save_artifact([3], "inner")
    assert inside.version("inner").record.inputs == ()
    assert inside.version("outer").links == ("own@named", "own@2")


@pytest.mark.slow
def test_what_a_killed_try_has_read_in_a_step_is_no_input_of_the_next_one(inside: Registry) -> None:
    script = (
        "import os, subprocess, gitreg\n"
        "with gitreg.run('first', pipeline='train', model=gitreg.Model('next')) as run, run.begin('use'):\n"
        f"    subprocess.run({[*CLI, 'load', 'demo@1']!r}, check=True, capture_output=True)\n"
        "    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    with gitreg.run("first", pipeline="train", model=Model("next")) as run, run.begin("use") as using:
        save_artifact([1], "own")
    assert using.record().get("inputs") is None
    assert inside.version("next").record.inputs == ()
