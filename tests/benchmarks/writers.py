"""Many who write to one remote: ``python -m tests.benchmarks writers [--by WAY ...] [--writers N ...] [--pushes N]``.

Each writer has a clone and a process of its own. By gitreg they save versions of one model; by git alone they commit a
file and push it, and rebase onto what others pushed, until it is accepted. The same number of commits each time. A wait
is what one of them takes from its beginning until it is on the remote.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.processes import PROGRAM, environment, run
from tests.servers.gitremotes import Far, make_far
from tests.servers.shared import server

SERVERS = {"http": "githttp", "ssh": "sshd"}

SAVE = """
import json, sys, time
from gitreg import Registry
pushes = []
with Registry.open(".") as registry:
    for number in range(int(sys.argv[2])):
        begun = time.monotonic()
        registry.save("iris", "../weights", metadata={"by": sys.argv[1], "number": number})
        pushes.append((begun, time.monotonic()))
print(json.dumps(pushes))
"""
PUSH = """
import json, subprocess, sys, time
def git(*words, check=True):
    return subprocess.run(["git", *words], check=check, capture_output=True).returncode == 0
pushes = []
for number in range(int(sys.argv[2])):
    begun = time.monotonic()
    with open(f"{sys.argv[1]}-{number}.yaml", "w") as file:
        file.write(f"by: {sys.argv[1]}\\n" * 20)
    git("add", ".")
    git("commit", "-q", "-m", f"{sys.argv[1]} {number}")
    while not git("push", "-q", "origin", "main", check=False):
        git("pull", "-q", "--rebase", "origin", "main", check=False)
    pushes.append((begun, time.monotonic()))
print(json.dumps(pushes))
"""


class Told(NamedTuple):
    """What the writers of one round took."""

    rate: float
    mean: float
    worst: float


class Round:
    """A new remote, and clones of it."""

    def __init__(self, work: Path, env: Mapping[str, str], by: str, known: Mapping[str, Mapping[str, str]]) -> None:
        self._work = work
        work.mkdir()
        self._far: Far = make_far(("git", by), work, env, known)  # type: ignore[arg-type]
        self._env = self._far.env
        (work / "weights").mkdir()
        (work / "weights" / "model.bin").write_bytes(b"weights")

    def gitreg(self, writers: int, each: int) -> Told:
        """Let so many save so many versions each."""
        self._git(self._work, "init", "-q", "-b", "main", "first")
        self._git(self._work / "first", "remote", "add", "origin", self._far.url)
        run([PROGRAM, "init", "--remote", "origin", "--store", "../store"], self._env, cwd=self._work / "first")
        clones = [self._work / f"clone-{number}" for number in range(writers)]
        for clone in clones:
            run([PROGRAM, "clone", self._far.url, clone], self._env)
        told = self._at_once(clones, SAVE, each)
        tags = [ref for ref in self._far.refs() if ref.startswith("refs/tags/")]
        assert len(tags) == writers * each, f"{len(tags)} tags for {writers} x {each} versions"
        return told

    def git(self, writers: int, each: int) -> Told:
        """Let so many commit and push so many times each, without gitreg."""
        self._git(self._work, "clone", "-q", self._far.url, "first")
        first = self._work / "first"
        self._git(first, "commit", "-q", "--allow-empty", "-m", "first")
        self._git(first, "push", "-q", "origin", "HEAD:main")
        clones = [self._work / f"clone-{number}" for number in range(writers)]
        for clone in clones:
            self._git(self._work, "clone", "-q", self._far.url, clone)
        told = self._at_once(clones, PUSH, each)
        assert self._far.git("rev-list", "--count", "main") == str(writers * each + 1)
        return told

    def _git(self, folder: Path, *arguments: str | Path) -> None:
        run(["git", *arguments], self._env, cwd=folder)

    def _at_once(self, clones: Sequence[Path], code: str, each: int) -> Told:
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(number), str(each)], cwd=clone, env=self._env, stdout=subprocess.PIPE
            )
            for number, clone in enumerate(clones)
        ]
        pushes: list[tuple[float, float]] = []
        for process in running:
            said, _ = process.communicate()
            if process.returncode:
                raise SystemExit("a writer failed")
            pushes += json.loads(said)
        waits = [ended - begun for begun, ended in pushes]
        took = max(ended for _, ended in pushes) - min(begun for begun, _ in pushes)
        return Told(len(pushes) / took, statistics.mean(waits), max(waits))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks writers")
    parser.add_argument("--by", nargs="+", choices=[*SERVERS, "folder"], default=list(SERVERS))
    parser.add_argument("--writers", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--pushes", type=int, default=64, help="by all writers together")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        work = Path(temporary)
        env = environment(work)
        (work / "servers").mkdir()
        known = {
            name: stack.enter_context(server(name, work / "servers"))
            for name in (SERVERS[by] for by in options.by if by in SERVERS)
        }
        print(f"{'':27}{'pushes/s':>9}{'x git':>7}{'mean s':>8}{'worst s':>9}{'x mean':>8}")
        for by in options.by:
            for writers in options.writers:
                each = max(1, options.pushes // writers)
                base: Told | None = None
                for name in ("git", "gitreg"):
                    place = work / "round"
                    told = getattr(Round(place, env, by, known), name)(writers, each)
                    base = base or told
                    label = f"{by}, {writers} x {each}, {name}"
                    ratios = (
                        f"{told.rate / base.rate:7.2f}{told.mean:8.2f}{told.worst:9.2f}{told.worst / told.mean:8.1f}"
                    )
                    print(f"{label:27}{told.rate:9.2f}{ratios}", flush=True)
                    shutil.rmtree(place)


if __name__ == "__main__":
    main()
