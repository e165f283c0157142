"""Saving and loading against `cp` and `sha256sum`, ``python -m tests.benchmarks blobs [MiB] [folder]``.

Before each measurement `cp -r` of the same files is measured, and both copies are removed afterwards: so a busy
neighbour slows both, and both write to memory that was used before. The first round warms up and does not count. The
table gives the median seconds and the median ratio to the `cp -r` just before.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gitreg.blobs import NO_PROGRESS, Cache, FileEntry, collect, manifest_digest, open_store

ROUNDS = 4


def timed(action: Callable[[], object]) -> float:
    os.sync()  # so that nobody pays for another's writing
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def one_round(work: Path, source: Path) -> dict[str, tuple[float, float]]:
    """Return the seconds of every action and of the `cp -r` before it."""
    store, cache = open_store(str(work / "store")), Cache(work / "cache")
    listed = "\0".join(str(path) for path in source.rglob("*") if path.is_file()).encode()
    results: dict[str, tuple[float, float]] = {}

    def measure(name: str, action: Callable[[], object], made: str | None = None) -> None:
        copying = timed(lambda: subprocess.run(["cp", "-r", source, work / "copy"], check=True))
        shutil.rmtree(work / "copy")
        results[name] = timed(action), copying
        if made:
            shutil.rmtree(work / made)

    def save() -> list[FileEntry]:
        return store.put(collect([source]), progress=NO_PROGRESS)

    def load() -> None:
        cache.export(files, store, work / "loaded")

    measure("cp -r", lambda: subprocess.run(["cp", "-r", source, work / "loaded"], check=True), "loaded")
    hashing = ["xargs", "-0", "sha256sum"]
    measure("sha256sum", lambda: subprocess.run(hashing, input=listed, check=True, stdout=subprocess.DEVNULL))
    measure("save", save, "store")
    files = save()
    digest = manifest_digest(files)
    measure("save again, unchanged", save)
    measure("load from the store, first", load, "loaded")
    measure("load from the store, verified before", load, "loaded")
    measure("checkout, cold", lambda: cache.checkout(digest, files, store))
    measure("checkout, warm", lambda: cache.checkout(digest, files, store))
    measure("load from a warm cache", load, "loaded")
    shutil.rmtree(work / "store")
    shutil.rmtree(work / "cache")
    return results


def table(title: str, work: Path, source: Path) -> None:
    rounds = [one_round(work, source) for _ in range(ROUNDS)][1:]
    print(f"\n{title}\n{'':40}{'seconds':>9}{'of cp -r':>10}")
    for name in rounds[0]:
        seconds = statistics.median(results[name][0] for results in rounds)
        ratio = statistics.median(results[name][0] / results[name][1] for results in rounds)
        print(f"{name:40}{seconds:9.3f}{ratio:10.2f}")


def main() -> None:
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        work = Path(folder)
        (work / "large").mkdir()
        with open(work / "large" / "model.safetensors", "wb") as stream:
            for _ in range(mebibytes):
                stream.write(os.urandom(1 << 20))
        table(f"one file of {mebibytes} MiB", work, work / "large")
        for number in range(2000):
            path = work / "small" / f"{number % 20:02}" / f"{number}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(4096))
        table("2000 files of 4 KiB", work, work / "small")


if __name__ == "__main__":
    main()
