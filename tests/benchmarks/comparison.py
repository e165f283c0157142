"""Actions on one set of files, each measured beside the ``cp -r`` just before it; and the table of all."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from tests.benchmarks.processes import Cost, Failed, run


class Took(NamedTuple):
    """What an action took: seconds, and the bytes of memory of its largest process."""

    seconds: float
    memory: int

    @classmethod
    def whole(cls, *costs: Cost) -> Self:
        """Processes one after the other, from their start to their end."""
        return cls(sum(cost.wall for cost in costs), max(cost.memory for cost in costs))


class _Beside(NamedTuple):
    """An action, the seconds of the ``cp -r`` just before it, and its round."""

    took: Took
    copying: float
    number: int


class Comparison:
    """Rounds of the same actions on the same files.

    The first round warms up (the page cache grows slowly the first time) and is not counted; the table has the medians
    of the others. The bound is the slower of that ``cp -r`` and of the round's fastest action that bounds.
    """

    def __init__(self, source: Path, copy: Path, env: Mapping[str, str]) -> None:
        self._source = source
        self._copy = copy
        self._env = env
        self._rows: dict[str, list[_Beside]] = {}
        self._failures: dict[str, str] = {}
        self._fastest: dict[int, float] = {}  # of the actions that bound, by round
        self._round = -1

    def start_round(self, number: int) -> None:
        """Begin a round; those below 0 are not counted."""
        self._round = number

    def measure(
        self, name: str, action: Callable[[], Took], *, gives: Path | None = None, bounds: bool = False
    ) -> bool:
        """Copy, remove the copy, do the action; False where it failed.

        Parameters
        ----------
        gives:
            The folder that the action is to make with the very files of the source; held against it, and removed.
        bounds:
            The fastest of these actions makes the bound of all in the round.
        """
        copying = self._settled(lambda: Took.whole(run(["cp", "-r", self._source, self._copy], self._env)))
        shutil.rmtree(self._copy)
        try:
            took = self._settled(action)
            if gives:
                run(["diff", "-r", "--brief", self._source, gives], self._env)
        except Failed as failure:
            self._failures[name] = str(failure)
            return False
        finally:
            if gives:
                shutil.rmtree(gives, ignore_errors=True)
        if self._round >= 0:
            self._rows.setdefault(name, []).append(_Beside(took, copying.seconds, self._round))
            if bounds:
                self._fastest[self._round] = min(took.seconds, self._fastest.get(self._round, took.seconds))
        return True

    def print(self, title: str) -> None:
        """Print the table."""
        print(f"\n{title}\n{'':46}{'seconds':>9}{'x cp -r':>9}{'x bound':>9}{'peak MB':>9}")
        for name, rows in self._rows.items():
            seconds, memory = (statistics.median(values) for values in zip(*(row.took for row in rows), strict=True))
            of_cp = statistics.median(row.took.seconds / row.copying for row in rows)
            of_bound = statistics.median(row.took.seconds / self._bound(row) for row in rows)
            print(f"{name:46}{seconds:9.3f}{of_cp:9.2f}{of_bound:9.2f}{memory / 1e6:9.0f}", flush=True)
        for name, why in self._failures.items():
            print(f"{name:46}{why}")

    def _bound(self, row: _Beside) -> float:
        return max(row.copying, self._fastest.get(row.number, 0.0))

    @staticmethod
    def _settled(action: Callable[[], Took]) -> Took:
        os.sync()  # so that nobody pays for another's writing
        return action()


def bytes_in(folder: Path) -> int:
    """Add up the sizes of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
