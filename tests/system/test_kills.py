"""kill -9 at any moment: the old state or the new one, nothing between, and running again succeeds."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, need_strace, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# What leaves something on the disk, and where a process can die before the next one.
CALLS = ("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "fsync",
         "write", "pwrite64", "openat", "vfork", "clone", "clone3", "copy_file_range")  # fmt: skip
MOMENTS = 4  # of about a hundred, for each command and kind of repository; a minute in all


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
    person.gitreg("verify", "--deep")


@pytest.mark.parametrize("what", ["save", "promote"])
def test_a_command_killed_at_a_system_call_leaves_old_or_new_and_runs_again(
    begun: Person, tmp_path: Path, weights: Path, what: str
) -> None:
    strace = need_strace()
    command = commands(weights)[what]
    begun_as = tmp_path / "begun-as"
    shutil.copytree(begun.here, begun_as, symlinks=True)
    log = tmp_path / "log"
    calls = ",".join(f"?{call}" for call in CALLS)
    begun.run(strace, "-f", "-y", "-qq", "-o", log, "-e", f"trace={calls}", *command)
    moments = moments_that_matter(log.read_text(errors="replace"), str(begun.here))
    assert {call for call, _ in moments} >= {"rename", "write", "openat"}
    outcomes = set()
    for call, count in moments[:: max(1, len(moments) // MOMENTS)] + moments[-2:]:
        shutil.rmtree(begun.here)
        shutil.copytree(begun_as, begun.here, symlinks=True)
        inject = f"inject={call}:signal=KILL:when={count}"
        ended = begun.run(strace, "-f", "-qq", "-o", "/dev/null", "-e", inject, *command)
        outcomes.add((ended.code != 0, said(begun) == OLD))
        check_after_kill(begun, what, command)
    assert (True, True) in outcomes, "it was killed before it had done anything"
    assert (True, False) in outcomes, "it was killed when all was done but the rest"


def moments_that_matter(log: str, where: str) -> list[tuple[str, int]]:
    """Give the calls that change something there, in order, each with its count among its own kind in its process.

    That is how strace counts for ``when=``. Only the first process's calls can be counted so: whoever comes to that
    count first is killed, and that is it.
    """
    counts: dict[tuple[str, str], int] = {}
    found = []
    first = log.split(maxsplit=1)[0]
    for line in log.splitlines():
        pid, _, rest = line.partition(" ")
        call = rest.strip().partition("(")[0]
        if "resumed>" in line or call not in CALLS:
            continue
        counts[pid, call] = counts.get((pid, call), 0) + 1
        changes = where in line and (call != "openat" or "O_CREAT" in line or "O_WRONLY" in line or "O_RDWR" in line)
        if pid == first and (changes or call in ("vfork", "clone", "clone3")):
            found.append((call, counts[pid, call]))
    return found


@pytest.mark.parametrize("what", ["save", "promote"])
def test_a_command_killed_at_a_random_moment_leaves_old_or_new_and_runs_again(
    begun: Person, tmp_path: Path, weights: Path, what: str
) -> None:
    command = commands(weights)[what]
    begun_as = tmp_path / "begun-as"
    shutil.copytree(begun.here, begun_as, symlinks=True)
    started = time.monotonic()
    assert begun.run(*command).code == 0
    whole = time.monotonic() - started
    chance = random.Random(4711)
    for _ in range(4):
        shutil.rmtree(begun.here)
        shutil.copytree(begun_as, begun.here, symlinks=True)
        process = begun.start(*command)
        time.sleep(whole * chance.uniform(0.4, 1.0))
        process.kill()
        process.communicate()
        check_after_kill(begun, what, command)


GIT_THAT_DIES = """\
#!/bin/bash
# Dies, and its parent with it, when it renames its first file in `git update-ref`.
case " $* " in *" update-ref "*)
  {strace} -f -qq -o /dev/null -e inject=rename:signal=KILL:when=1 {git} "$@"; code=$?
  [ $code -gt 128 ] && kill -9 $PPID
  exit $code;;
esac
exec {git} "$@"
"""


def test_a_command_killed_together_with_its_git_runs_again(begun: Person, tmp_path: Path, weights: Path) -> None:
    git = shutil.which("git")
    write(tmp_path / "bin", {"git": GIT_THAT_DIES.format(strace=need_strace(), git=git)})
    (tmp_path / "bin" / "git").chmod(0o755)
    command = commands(weights)["promote"]
    killed = begun.with_env(PATH=f"{tmp_path}/bin:{begun.env['PATH']}").run(*command)
    if killed.code != -9:
        pytest.fail(f"it was not killed: {killed}")
    assert begun.run("timeout", "20", *command).code == 0
    check_after_kill(begun, "promote", command)
