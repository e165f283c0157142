"""Whole processes, run to their end and measured from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROGRAM = str(Path(sys.executable).with_name("gitreg"))
IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada Lovelace"), ("EMAIL", "ada@example.com"))
}


class Failed(Exception):
    """A program did not end well; the message has its last words."""


class Cost(NamedTuple):
    """What one process and those that it started took: seconds of CPU, seconds of waiting, bytes of memory at most."""

    cpu: float
    wall: float
    memory: int


def total(costs: Sequence[Cost]) -> Cost:
    """Add up processes that ran one after the other; memory is the largest one's."""
    return Cost(sum(cost.cpu for cost in costs), sum(cost.wall for cost in costs), max(cost.memory for cost in costs))


def environment(home: Path) -> dict[str, str]:
    """Give the environment of a user whose home and cache are below a folder of the benchmark's own."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GITREG_CACHE": str(home / "cache"), **IDENTITY}


def run(
    command: Sequence[str | Path], env: Mapping[str, str], *, cwd: Path | None = None, given: bytes | None = None
) -> Cost:
    """Run a command to its end, which must be a good one.

    A child's peak of memory begins at its parent's, so a benchmark must stay small itself.

    Raises
    ------
    Failed
        It is not installed, or ended with another status than 0.
    """
    with tempfile.TemporaryFile() as input_, tempfile.TemporaryFile() as output:  # no pipe: a daemon would hold it open
        input_.write(given or b"")
        input_.seek(0)
        words = [str(word) for word in command]
        start = time.perf_counter()
        try:
            child = subprocess.Popen(words, env=env, cwd=cwd, stdin=input_, stdout=output, stderr=subprocess.STDOUT)
        except FileNotFoundError as error:
            raise Failed(f"{words[0]} is not installed") from error
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines() or ["without a word"]
            raise Failed(f"{Path(words[0]).name} ended with {child.returncode}: {' | '.join(said[-2:])[:300]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024)
