"""kill -9 at any moment: the old state or the new one, nothing between, and running again succeeds."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, need_strace, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# What leaves something on the disk, and where between two of them a process can die.
CALLS = ["rename", "write", "openat", "link", "unlink", "mkdir", "fsync", "clone,clone3,vfork"]


@pytest.fixture(scope="module", params=["checked out", "bare"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def begun(ada: Person, tmp_path: Path, weights: Path, kind: str) -> Person:
    """A registry with two versions, the first in production."""
    where = tmp_path / "registry"
    if kind == "bare":
        ada.git("init", "-q", "--bare", "-b", "main", where)
    ada.gitreg("init", where)
    there = ada.at(where)
    there.gitreg("save", "iris", weights, "--stage", "production")
    write(weights, {"model.bin": b"second"})
    there.gitreg("save", "iris", weights)
    write(weights, {"model.bin": b"third"})
    return there


def said(person: Person) -> tuple[int, list[str]]:
    """Count the versions, and say who is in production."""
    rows = person.gitreg("list", "iris", "--json").data["items"]
    return len(rows), [row["version"] for row in rows if row["stage"] == "production"]


def commands(weights: Path) -> dict[str, list[str]]:
    return {
        "save": ["gitreg", "save", "iris@killed", str(weights), "--metadata", "a=1"],
        "promote": ["gitreg", "promote", "iris@2", "production", "--force"],
    }


OLD = (2, ["1"])
NEW = {"save": (3, ["1"]), "promote": (2, ["2"])}


def check_after_kill(person: Person, what: str, command: list[str]) -> None:
    """Old or new; nothing that doctor cannot mend; again it succeeds; then all is sound."""
    assert said(person) in (OLD, NEW[what])
    for problem in person.doctor_says():
        assert problem["repairable"] or "was killed" in problem["what"], problem
    again = person.run(*command)
    assert (again.code, again.err if what == "promote" else "") == (0, ""), again
    assert said(person) == NEW[what]
    person.run("gitreg", "doctor", "--repair")
    assert_sound(person)
    if person.git("rev-parse", "--is-bare-repository") == "false":
        assert person.git("status", "--porcelain") == ""
    person.gitreg("verify")


@pytest.mark.parametrize("what", ["save", "promote"])
@pytest.mark.parametrize("call", CALLS)
def test_a_command_killed_at_a_system_call_leaves_old_or_new_and_runs_again(
    begun: Person, tmp_path: Path, weights: Path, what: str, call: str
) -> None:
    strace = need_strace()
    command = commands(weights)[what]
    calls = ",".join(f"?{name}" for name in (f"{call},{call}at,{call}at2" if "," not in call else call).split(","))
    calls = calls.replace("?openatat,?openatat2", "?open")
    log = tmp_path / "log"
    begun_as = tmp_path / "begun-as"
    shutil.copytree(begun.here, begun_as, symlinks=True)

    def start_over() -> None:
        shutil.rmtree(begun.here)
        shutil.copytree(begun_as, begun.here, symlinks=True)

    # A first run counts the calls that touch the registry; those of starting Python are of no interest.
    begun.run(strace, "-f", "-y", "-qq", "-o", log, "-e", f"trace={calls}", *command)
    lines = [line for line in log.read_text(errors="replace").splitlines() if "resumed>" not in line]
    ours = [n for n, line in enumerate(lines, 1) if str(begun.here) in line or "clone" in call]
    chosen = sorted(set(ours[:: max(1, len(ours) // 6)] + ours[-2:]))
    killed = 0
    for moment in chosen:
        start_over()
        inject = f"inject={calls}:signal=KILL:when={moment}"
        ended = begun.run(strace, "-f", "-qq", "-o", "/dev/null", "-e", inject, *command)
        killed += ended.code != 0
        check_after_kill(begun, what, command)
    assert killed or not chosen


@pytest.mark.parametrize("what", ["save", "promote"])
def test_a_command_killed_with_its_children_at_a_random_moment_leaves_old_or_new_and_runs_again(
    begun: Person, tmp_path: Path, weights: Path, what: str
) -> None:
    command = commands(weights)[what]
    begun_as = tmp_path / "begun-as"
    shutil.copytree(begun.here, begun_as, symlinks=True)
    started = time.monotonic()
    assert begun.run(*command).code == 0
    whole = time.monotonic() - started
    chance = random.Random(4711)
    for _ in range(8):
        shutil.rmtree(begun.here)
        shutil.copytree(begun_as, begun.here, symlinks=True)
        process = begun.start(*command)
        time.sleep(whole * chance.uniform(0.4, 1.0))
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.communicate()
        check_after_kill(begun, what, command)
