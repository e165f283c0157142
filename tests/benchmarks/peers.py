"""The same work by gitreg and by its peers: ``python -m tests.benchmarks peers --environments FOLDER [--rounds N]``.

All are whole processes, run one after the other in each round, so that a busy neighbour slows all of them. Every ratio
is to gitreg in the same round; above 1 the peer takes more. Registries begin with as many versions of one model;
weights go to, and come from, a folder that stands for where others can get them, with nothing cached.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.benchmarks.keepers import Dvc, GitLfs, Metaflow, Peer
from tests.benchmarks.processes import Cost, Failed, environment, total
from tests.benchmarks.rivals import RIVALS, Gitreg, Rival, remove
from tests.benchmarks.subject import Subject
from tests.benchmarks.weights import MEBI, write_many, write_noise

_GITREG = "gitreg"


class Table:
    """What was measured, by the work and by who did it."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, list[tuple[Cost, Cost]]]] = {}
        self._failures: dict[str, str] = {}

    def measure(self, work: str, actions: Mapping[str, Callable[[], Cost]], *, counts: bool) -> None:
        """Let all do the work, gitreg first.

        Parameters
        ----------
        counts:
            False for the round that warms up.
        """
        ours = actions[_GITREG]()
        for name, action in actions.items():
            try:
                cost = ours if name == _GITREG else action()
            except Failed as failure:
                self._failures[f"{name}: {work}"] = str(failure)
                continue
            if counts:
                self._rows.setdefault(work, {}).setdefault(name, []).append((cost, ours))

    def print(self) -> None:
        """Print the table, as Markdown."""
        print("| | CPU s | wall s | x gitreg's CPU | x gitreg's wall |\n|---|---|---|---|---|")
        for work, rows in self._rows.items():
            print(f"| **{work}** | | | | |")
            for name, pairs in rows.items():
                cpu, wall = (statistics.median(getattr(cost, each) for cost, _ in pairs) for each in ("cpu", "wall"))
                of = [
                    statistics.median(getattr(cost, each) / getattr(ours, each) for cost, ours in pairs)
                    for each in ("cpu", "wall")
                ]
                print(f"| {name} | {cpu:.2f} | {wall:.2f} | {of[0]:.1f} | {of[1]:.1f} |")
        for name, why in self._failures.items():
            print(f"{name}: {why}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks peers")
    parser.add_argument("--environments", type=Path, required=True, help="the peers' environments, made once, lie here")
    parser.add_argument("--rounds", type=int, default=5, help="besides one that warms up")
    parser.add_argument("--versions", type=int, default=100, help="of the model, to begin with")
    parser.add_argument("--mebibytes", type=int, default=256, help="the size of the weights")
    options = parser.parse_args()
    options.environments.mkdir(parents=True, exist_ok=True)
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        env = environment(work)
        _measure_registries(table, work, env, options)
        _measure_weights(table, work, env, options)
    table.print()


def _measure_registries(table: Table, work: Path, env: Mapping[str, str], options: argparse.Namespace) -> None:
    rivals: list[Rival] = []
    kinds: tuple[type[Rival], ...] = (Gitreg, *RIVALS)
    for kind in kinds:
        try:
            installed = kind.install(options.environments.resolve(), env)
            rivals.append(kind(work / kind.__name__, installed, env, options.versions))
        except Failed as failure:
            print(f"{kind.name}: no figures, {failure}")
    doing = {rival.name: rival.actions() for rival in rivals}
    for number in range(options.rounds + 1):
        for what in doing[_GITREG]:
            actions = {name: partial(able[what], number) for name, able in doing.items() if what in able}
            table.measure(what, actions, counts=number > 0)
    for rival in rivals:
        remove(rival)


def _measure_weights(table: Table, work: Path, env: Mapping[str, str], options: argparse.Namespace) -> None:
    source = work / "source"
    write_noise(source / "model.safetensors", options.mebibytes * MEBI)
    write_many(source / "more", 10, 1024)
    installed: dict[type[Peer], Path] = {}
    for kind in (Dvc, GitLfs, Metaflow):
        try:
            installed[kind] = kind.install(options.environments.resolve(), env)
        except Failed as failure:
            print(f"{kind.name}: no figures, {failure}")
    for number in range(options.rounds + 1):
        subject = Subject(work / "subject", env)
        keepers: list[Peer] = [kind(work / kind.__name__, path, env) for kind, path in installed.items()]
        saves = {_GITREG: _counted(subject, partial(subject.save_by_program, source))}
        loads = {_GITREG: _counted(subject, partial(subject.load_by_program, work / "loaded"))}
        for keeper in keepers:
            keeper.place(source)
            saves[keeper.name] = _counted(keeper, keeper.save)
            loads[keeper.name] = _counted(keeper, keeper.load)
        table.measure(f"{options.mebibytes} MiB and 10 small files saved", saves, counts=number > 0)
        subject.forget()
        table.measure("and loaded, nothing cached", loads, counts=number > 0)
        shutil.rmtree(work / "loaded")
        subject.remove()
        for keeper in keepers:
            keeper.remove()


def _counted(keeper: Peer | Subject, action: Callable[[], object]) -> Callable[[], Cost]:
    """Give the action's cost as that of the processes that it ran."""

    def run() -> Cost:
        keeper.costs.clear()
        action()
        return total(keeper.costs)

    return run


if __name__ == "__main__":
    main()
