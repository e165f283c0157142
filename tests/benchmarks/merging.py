"""What pull requests cost: ``python -m tests.benchmarks merging [--versions N] [--rounds N] [--keep FOLDER]``.

`gitreg check` and `gitreg sync` on a registry of many versions with a remote (a bare repository on this machine): where
all has to be read or made, and where one promotion is all that is new. Medians, whole commands, wall time and CPU time
(git's own processes included).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.processes import PROGRAM, Cost, environment, run

STAGE = "models/iris/stages/staging.yaml"


class Bench:
    """A clone, its remote, and a proposal that promotes one version."""

    def __init__(self, registry: Path, work: Path, env: dict[str, str]) -> None:
        self._env = env
        self.hub, self.clone = work / "hub.git", work / "clone"
        self._git(work, "clone", "-q", "--mirror", str(registry), str(self.hub))
        self._git(work, "clone", "-q", str(self.hub), str(self.clone))
        text = (self.clone / "gitreg.yaml").read_text()
        (self.clone / "gitreg.yaml").write_text(text + "remote: origin\n")
        self._git(self.clone, "commit", "-qam", "a remote")
        self._git(self.clone, "push", "-q", "origin", "main")
        self._gitreg("pull")
        self._gitreg("promote", "iris@2", "staging", "--force", "--pr")
        self.proposal = "origin/gitreg/promote/iris-staging-2"
        self._git(self.clone, "fetch", "-q", "origin")

    def _git(self, folder: Path, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=self._env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def _gitreg(self, *arguments: str) -> Cost:
        os.chdir(self.clone)
        return run([PROGRAM, *arguments], self._env)

    def forget_index(self) -> None:
        for path in (self.clone / ".git" / "gitreg").glob("index-*"):
            path.unlink()

    def check_in_a_fresh_clone(self) -> Cost:
        self.forget_index()
        return self._gitreg("check", "--base", "origin/main", "--head", self.proposal, "--json")

    def check_again(self) -> Cost:
        return self._gitreg("check", "--base", "origin/main", "--head", self.proposal, "--json")

    def sync_all(self) -> Cost:
        for folder in (self.hub, self.clone):
            refs = self._git(
                folder, "for-each-ref", "--format=delete %(refname)", "refs/tags", "refs/stages", "refs/aliases"
            )
            subprocess.run(
                ["git", "update-ref", "--stdin"], cwd=folder, env=self._env, input=f"{refs}\n", text=True, check=True
            )
        return self._gitreg("sync", "--json")

    def sync_one(self) -> Cost:
        """After one promotion was merged; then it is taken back."""
        before = self._git(self.hub, "rev-parse", "main")
        self._git(self.hub, "update-ref", "refs/heads/main", self.proposal.removeprefix("origin/"))
        cost = self._gitreg("sync", "--json")
        self._git(self.hub, "update-ref", "refs/heads/main", before)
        for ref in ("refs/heads/main", "refs/gitreg/origin/accepted/main", "refs/gitreg/origin/fetched/main"):
            self._git(self.clone, "update-ref", ref, before)
        self._git(self.clone, "reset", "-q", "--hard")
        self._gitreg("sync")
        return cost

    def sync_nothing(self) -> Cost:
        return self._gitreg("sync", "--json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks merging")
    parser.add_argument("--versions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder for the registry, made once and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        env = environment(work)
        registry = (options.keep or work) / f"registry-{options.versions}"
        if not registry.exists():
            command = [sys.executable, "-m", "tests.benchmarks.registries", str(registry), str(options.versions)]
            subprocess.run(command, check=True, env=env)
        bench = Bench(registry, work, env)
        measured: dict[str, Callable[[], Cost]] = {
            "check, a fresh clone": bench.check_in_a_fresh_clone,
            "check, one promotion is new": bench.check_again,
            "sync, every tag and mirror": bench.sync_all,
            "sync, one promotion is new": bench.sync_one,
            "sync, nothing is new": bench.sync_nothing,
        }
        print(f"{options.versions} versions{'':20}{'wall ms':>9}{'CPU ms':>9}{'MB':>7}")
        for name, measure in measured.items():
            costs = [measure() for _ in range(options.rounds)]
            cpu, wall, memory = (statistics.median(values) for values in zip(*costs, strict=True))
            print(f"{name:34}{wall * 1000:9.0f}{cpu * 1000:9.0f}{memory / 1e6:7.0f}")
        os.chdir("/")
        shutil.rmtree(bench.clone)


if __name__ == "__main__":
    main()
