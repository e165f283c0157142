"""The cost of a verdict on a file: ``python -m tests.benchmarks contents [--rounds N]``.

Files of the size that models have, in memory by the time that they are looked at; the least and the median of each, in
milliseconds of CPU and of waiting. ``limit`` is what the specification allows.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from gitreg.contents import DATA, LIMITED
from gitreg.contents.scanner import scan_path

_GIB = 1 << 30
_ARRAY = 200_000_000  # bytes


def safetensors(path: Path) -> None:
    header = json.dumps({"weight": {"dtype": "F32", "shape": [_GIB // 4], "data_offsets": [0, _GIB]}}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + _GIB)


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(_array(), protocol=5))


def pickled_as_of_old(path: Path) -> None:
    path.write_bytes(pickle.dumps(_array(), protocol=2))


def dumped_by_joblib(path: Path) -> None:
    joblib.dump({"weight": _array()}, path)


def npy(path: Path) -> None:
    np.save(path, _array())


def pickles_in_a_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": 1}))
        archive.writestr("archive/data/0", _array().tobytes())


CASES: list[tuple[str, Callable[[Path], None], str, float | None]] = [
    ("1 GiB of safetensors", safetensors, DATA, 5),
    ("a pickled array of 200 MB", pickled, LIMITED, 1000),
    ("the same, protocol 2", pickled_as_of_old, LIMITED, 1000),
    ("the same, by joblib", dumped_by_joblib, LIMITED, 1000),
    ("an npy of 200 MB", npy, DATA, None),
    ("a zip of a pickle and 200 MB", pickles_in_a_zip, "", None),
]


def _array() -> Any:
    return np.random.default_rng(0).random(_ARRAY // 8)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks contents")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{'':32}{'verdict':>10}{'CPU':>9}{'median':>9}{'wall':>9}{'median':>9}{'limit':>8}")
    for name, make, expected, limit in CASES:
        with tempfile.NamedTemporaryFile(prefix="gitreg-") as file:
            path = Path(file.name)
            make(path)
            found = scan_path(path)
            assert not expected or found.verdict == expected, (name, found)
            cpu, wall = [], []
            for _ in range(rounds):
                began, worked = time.perf_counter(), time.process_time()
                scan_path(path)
                cpu.append(1000 * (time.process_time() - worked))
                wall.append(1000 * (time.perf_counter() - began))
        numbers = "".join(f"{number:9.1f}" for each in (cpu, wall) for number in (min(each), statistics.median(each)))
        print(f"{name:32}{found.verdict:>10}{numbers}{limit or '':>8}", flush=True)
