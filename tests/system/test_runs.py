"""Many runs at once, in processes and clones, killed and resumed: no number twice, none lost, one history."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, assert_sound

pytestmark = pytest.mark.slow

RUNS = """
import sys, gitreg
from gitreg import Model, Registry
name = f"checkpoint_{sys.argv[1]}" if len(sys.argv) > 3 else "checkpoint"  # no link takes a sealed artifact's name
for number in range(int(sys.argv[2])):
    with Registry.open(".") as registry:
        model = Model("iris", sys.argv[3] if len(sys.argv) > 3 else None)
        with gitreg.run(f"{sys.argv[1]}-{number}", pipeline="many", model=model, registry=registry) as run:
            for epoch in range(3):
                run.artifacts.save([sys.argv[1], number, epoch], name)
            run.model.log_metadata({"worker": sys.argv[1], "turn": number})
"""

STEPS = """
import sys, time
from typing import Annotated
from gitreg import Model, pipeline, save_artifact, step

@step
def first() -> Annotated[int, "first"]:
    return 1

@step
def second(value: int) -> Annotated[int, "second"]:
    for epoch in range(4):
        save_artifact(epoch, "checkpoint", f"e{epoch}")
    return value + 1

@step
def third(value: int) -> None:
    print("third", value, flush=True)

@pipeline(model=Model("iris"))
def train():
    third(second(first()))

train.with_options(run_name=sys.argv[1])()
"""


def all_at_once(people: list[Person], code: str, arguments: list[list[str]]) -> None:
    started = [person.start(sys.executable, "-c", code, *each) for person, each in zip(people, arguments, strict=True)]
    for process in started:
        out, err = process.communicate(timeout=280)
        assert (process.returncode, out, err) == (0, "", "")


def assert_dense(person: Person, runs: int) -> None:
    rows = person.gitreg("list", "iris", "--size", "500", "--json").data["items"]
    assert [row["number"] for row in rows] == list(range(runs, 0, -1))
    assert len({(row["metadata"]["worker"], row["metadata"]["turn"]) for row in rows}) == runs
    checkpoints = person.gitreg("artifact", "list", "checkpoint", "--json").data
    assert [each["number"] for each in checkpoints] == list(range(1, 3 * runs + 1))
    assert len(person.gitreg("runs", "list", "--json").data) == runs
    assert person.git("for-each-ref", "refs/drafts") == ""


def test_six_processes_with_four_runs_each_make_24_versions_in_one_line(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    registry = ada.at(tmp_path / "registry")
    all_at_once([registry] * 6, RUNS, [[str(worker), "4"] for worker in range(6)])
    assert_dense(registry, 24)
    assert registry.git("rev-list", "--merges", "--count", "main") == "0"
    assert registry.git("status", "--porcelain") == ""
    assert_sound(registry)


def test_runs_in_four_clones_of_one_remote_share_their_numbers(ada: Person, tmp_path: Path) -> None:
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.git("clone", "-q", tmp_path / "hub.git", tmp_path / "one")
    first = ada.at(tmp_path / "one")
    first.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    clones = [first]
    for name in ("two", "three", "four"):
        ada.gitreg("clone", str(tmp_path / "hub.git"), tmp_path / name)
        clones.append(ada.at(tmp_path / name))
        clones[-1].gitreg("trust", "--stores")
    all_at_once(clones, RUNS, [[str(worker), "3"] for worker in range(4)])
    for clone in clones:
        clone.gitreg("pull")
        assert_dense(clone, 12)
        assert_sound(clone)


def test_runs_that_work_on_one_named_version_all_say_something_of_it(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    registry = ada.at(tmp_path / "registry")
    all_at_once([registry] * 4, RUNS, [[str(worker), "1", "shared"] for worker in range(4)])
    shown = registry.gitreg("show", "iris", "--json").data
    assert (shown["number"], shown["version"]) == (1, "shared")
    for worker in range(4):
        assert len(registry.gitreg("artifact", "list", f"checkpoint_{worker}", "--json").data) == 3
    assert_sound(registry)


def test_a_run_that_is_killed_anywhere_goes_on_and_makes_one_version(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    registry = ada.at(tmp_path / "registry")
    (registry.here / ".git" / "info" / "exclude").write_text("train.py\n")
    (registry.here / "train.py").write_text(STEPS)
    seed = random.Random(7)
    for n in range(6):
        for _ in range(3):
            process = registry.start(sys.executable, "train.py", f"run-{n}")
            time.sleep(seed.uniform(0.25, 1.2))
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        ended = registry.run(sys.executable, "train.py", f"run-{n}")
        assert ended.code == 0 or "there is a run train/" in ended.err, ended.err
        rows = registry.gitreg("list", "iris", "--json").data["items"]
        assert len(rows) == n + 1, "each run makes one version, however often it was killed"
    assert registry.git("for-each-ref", "refs/drafts") == ""
    assert {run["status"] for run in registry.gitreg("runs", "list", "--json").data} == {"completed"}
    for problem in registry.doctor_says():
        assert problem["repairable"] or "was killed" in problem["what"], problem
    registry.run("gitreg", "doctor", "--repair")
    assert_sound(registry)
    assert registry.run(PROGRAMS / "gitreg", "gc", "--grace", "0").code == 0
    registry.gitreg("verify", "--deep")
