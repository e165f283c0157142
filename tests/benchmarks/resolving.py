"""One stage of a registry that is somewhere else: ``python -m tests.benchmarks resolving [--versions N] [--rounds N]
[--keep FOLDER]``.

Who holds a stage, asked by the registry's URL over HTTP, without a clone, beside ``git ls-remote`` of that stage's
mirror and beside a clone. Medians; what goes over the line is counted by a proxy.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.processes import PROGRAM, Cost, environment, run
from tests.servers.gitremotes import make_far
from tests.servers.proxy import Proxy, proxy
from tests.servers.shared import server

ANEW = """
import json, sys, time
from gitreg import Registry
took = []
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    with Registry.open(sys.argv[1]) as registry:
        registry.version("iris@production")
    took.append(time.perf_counter() - begun)
print(json.dumps(took))
"""


class Bench:
    """A registry on a server, and a line to it."""

    def __init__(self, registry: Path, work: Path, env: Mapping[str, str], known: Mapping[str, str]) -> None:
        self._work = work
        far = make_far(("git", "http"), work, env, {"githttp": known})  # type: ignore[arg-type]
        self._env = far.env
        subprocess.run(["git", "push", "-q", "--mirror", far.url], cwd=registry, env=self._env, check=True)
        far.git("pack-refs", "--all")
        far.git("repack", "-adq")
        self.port = far.port
        self._far_url = far.url
        self._line: Proxy | None = None

    def over(self, line: Proxy) -> None:
        """Go through a proxy from now on."""
        self._line = line
        self.url = self._far_url.replace(f":{self.port}/", f":{line.at}/")

    def ls_remote(self) -> Cost:
        return run(["git", "ls-remote", self.url, "refs/stages/iris@production"], self._env)

    def clone(self) -> Cost:
        shutil.rmtree(self._work / "clone", ignore_errors=True)
        return run(["git", "clone", "-q", self.url, self._work / "clone"], self._env)

    def first(self) -> Cost:
        shutil.rmtree(self._work / "cache", ignore_errors=True)
        return self.again()

    def again(self) -> Cost:
        return run([PROGRAM, "--repo", self.url, "show", "iris@production", "--json"], self._env, cwd=self._work)

    def in_process(self, rounds: int) -> list[float]:
        command = [sys.executable, "-c", ANEW, self.url, str(rounds)]
        said = subprocess.run(command, cwd=self._work, env=self._env, check=True, capture_output=True, text=True)
        took: list[float] = json.loads(said.stdout)
        return took

    def count(self, measure: Callable[[], Cost]) -> tuple[Cost, int]:
        """Measure something, and the bytes that went over the line."""
        assert self._line is not None
        before = self._line.up + self._line.down
        cost = measure()
        return cost, self._line.up + self._line.down - before


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks resolving")
    parser.add_argument("--versions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="a folder for the registry, made once and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        work = Path(temporary)
        env = environment(work)
        registry = (options.keep or work) / f"registry-{options.versions}"
        if not registry.exists():
            command = [sys.executable, "-m", "tests.benchmarks.registries", str(registry), str(options.versions)]
            subprocess.run(command, check=True, env=env)
        (work / "servers").mkdir()
        bench = Bench(registry, work, env, stack.enter_context(server("githttp", work / "servers")))
        bench.over(stack.enter_context(proxy(bench.port)))
        measured: dict[str, Callable[[], Cost]] = {
            "git ls-remote of the stage": bench.ls_remote,
            "gitreg --repo URL show, first": bench.first,
            "gitreg --repo URL show, again": bench.again,
            "git clone": bench.clone,
        }
        taken: dict[str, list[tuple[Cost, int]]] = {name: [] for name in measured}
        for _ in range(options.rounds):
            for name, measure in measured.items():
                taken[name].append(bench.count(measure))
        print(f"{options.versions} versions{'':20}{'wall ms':>9}{'CPU ms':>9}{'KB sent':>9}")
        for name, rows in taken.items():
            wall, cpu = (statistics.median(getattr(cost, what) for cost, _ in rows) for what in ("wall", "cpu"))
            print(f"{name:34}{wall * 1000:9.0f}{cpu * 1000:9.0f}{statistics.median(row[1] for row in rows) / 1e3:9.1f}")
        anew = statistics.median(bench.in_process(options.rounds))
        print(f"{'Registry.open(URL), in a process':34}{anew * 1000:9.0f}")


if __name__ == "__main__":
    main()
