"""One call of the SDK in a process of its own: ``action.py REPORT REGISTRY save|load [PATH]``.

Writes the seconds of the call, from opening the registry to closing it, to REPORT; importing gitreg is not in them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from gitreg import Registry


def main(report: str, folder: str, verb: str, *paths: str) -> None:
    start = time.perf_counter()
    with Registry.open(folder) as registry:
        if verb == "save":
            registry.save("model", *paths)
        else:
            registry.load("model@1", *paths)
    Path(report).write_text(str(time.perf_counter() - start))


if __name__ == "__main__":
    main(*sys.argv[1:])
