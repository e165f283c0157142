"""What a program costs, measured from outside by a process that is small itself.

A child of pytest inherits pytest's own size for a moment, and the kernel counts that as the child's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_MEASURE = """
import json, resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
wall = time.monotonic() - began
print(json.dumps([done.returncode, done.stdout, done.stderr, usage.ru_maxrss, usage.ru_utime + usage.ru_stime, wall]))
"""


class Measured(NamedTuple):
    """How a program ended: its largest process in KiB, its processor and wall time in seconds."""

    code: int
    out: str
    err: str
    peak: int
    cpu: float
    wall: float


def measured(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> Measured:
    """Run a program to its end, and measure it."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, command)], cwd=cwd, env=env, capture_output=True, check=True
    )
    return Measured(*json.loads(done.stdout))
