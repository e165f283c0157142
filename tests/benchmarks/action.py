"""One call of the SDK in a process of its own: ``action.py REPORT REGISTRY save|load [PATH]``.

Writes the seconds of the call, from opening the registry to closing it and without importing gitreg, to REPORT, and
what the call returned.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gitreg import Registry


def main(report: str, folder: str, verb: str, *paths: str) -> None:
    start = time.perf_counter()
    with Registry.open(folder) as registry:
        done = registry.save("model", *paths) if verb == "save" else registry.load("model@1", *paths)
    Path(report).write_text(f"{time.perf_counter() - start}\n{done}")


if __name__ == "__main__":
    main(*sys.argv[1:])
