"""Whole commands beside ``python -c pass``: ``python -m tests.benchmarks cli [--versions N] [--rounds N]``.

The CPU time (user and system, git's own processes included) of each command is divided by that of ``python -c pass`` in
the same round; the table gives medians. Wall time is for those who wait; on a busy machine it says little.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gitreg
from tests.benchmarks.processes import PROGRAM, Cost, environment, run


def commands(round_number: int, work: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Give what is measured in a round: for each its command and what its environment has besides."""
    model = "iris"
    production = f"{model}@production"
    (work / "small.bin").write_bytes(b"%d" % time.time_ns())
    listing = ["list", model, "metadata.accuracy=gte:0.5", "--sort", "desc:metadata.accuracy"]
    asked = {"_GITREG_COMPLETE": "bash_complete", "COMP_WORDS": f"gitreg promote {model}@1 ", "COMP_CWORD": "3"}
    plain: dict[str, list[str]] = {
        "--help": ["--help"],
        "show --json": ["show", production, "--json"],
        "show": ["show", production],
        "list": ["list"],
        "list --json": ["list", "--json"],
        "list MODEL, filtered and sorted": listing,
        "list MODEL, filtered, --json": [*listing, "--json"],
        "log MODEL@STAGE": ["log", production],
        "show --at DATE": ["show", f"{model}@1", "--at", "2026-01-01", "--json"],
        "load, cached": ["load", production],
        "save a small file": ["save", model, str(work / "small.bin")],
        "promote": ["promote", f"{model}@{2 + round_number % 2}", "production", "--force"],
    }
    found: dict[str, tuple[list[str], dict[str, str]]] = {
        name: ([PROGRAM, *words], {}) for name, words in plain.items()
    }
    found["complete a stage"] = ([PROGRAM], asked)
    return found


def measure(work: Path, env: dict[str, str], rounds: int) -> None:
    ratios: dict[str, list[float]] = {}
    costs: dict[str, list[Cost]] = {}
    for number in range(-1, rounds):  # the first one warms up: index, cache, bytecode
        nothing = run([sys.executable, "-c", "pass"], env)
        for name, (command, besides) in commands(number, work).items():
            cost = run(command, env | besides)
            if number >= 0:
                ratios.setdefault(name, []).append(cost.cpu / nothing.cpu)
                costs.setdefault(name, []).append(cost)
        if number >= 0:
            costs.setdefault("python -c pass", []).append(nothing)
            ratios.setdefault("python -c pass", []).append(1.0)
    print(f"{'':36}{'x pass':>8}{'CPU ms':>9}{'wall ms':>9}{'MB':>7}")
    for name in ["python -c pass", *(name for name in costs if name != "python -c pass")]:
        cpu, wall, memory = (statistics.median(values) for values in zip(*costs[name], strict=True))
        ratio = statistics.median(ratios[name])
        print(f"{name:36}{ratio:8.1f}{cpu * 1000:9.1f}{wall * 1000:9.1f}{memory / 1e6:7.0f}")


def measure_index(registry: Path, env: dict[str, str]) -> None:
    costs = []
    for _ in range(3):
        for path in (registry / ".git" / "gitreg").glob("index-*"):
            path.unlink()
        costs.append(run([PROGRAM, "list", "--json"], env))
    cpu, wall, memory = (statistics.median(values) for values in zip(*costs, strict=True))
    print(f"{'the index, from nothing':36}{'':8}{cpu * 1000:9.0f}{wall * 1000:9.0f}{memory / 1e6:7.0f}")


STAYS = """
import statistics, time
from gitreg import Registry
def median(act):
    took = []
    for _ in range(200):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000, min(took) * 1000
with Registry.open(".") as registry:
    for name, act in {
        "a reference": lambda: registry.version("iris@production"),
        "100 versions of a model, listed": lambda: registry.list_versions("iris", size=100),
    }.items():
        print(f"{name:36}{'median ms':>11}{median(act)[0]:8.3f}{'least ms':>11}{median(act)[1]:8.3f}")
"""


def measure_in_process(env: dict[str, str]) -> None:
    """Print what it takes to ask again in a process that stays, where nothing has changed."""
    print("\nin a process that stays")
    subprocess.run([sys.executable, "-c", STAYS], check=True, env=env)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks cli")
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", type=Path, help="a folder for the registry, made once and used again")
    options = parser.parse_args()
    compileall.compile_dir(str(Path(gitreg.__file__).parent), quiet=2)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        env = environment(work)
        os.environ.update(env)
        registry = (options.keep or work) / f"registry-{options.versions}"
        if not registry.exists():
            start = time.perf_counter()
            # By a process of its own: a child's peak of memory begins at its parent's.
            command = [sys.executable, "-m", "tests.benchmarks.registries", str(registry), str(options.versions)]
            subprocess.run(command, check=True, env=env)
            print(f"made {options.versions} versions, sound, in {time.perf_counter() - start:.1f} s")
        os.chdir(registry)
        measure_index(registry, env)
        measure(work, env, options.rounds)
        measure_in_process(env)


if __name__ == "__main__":
    main()
