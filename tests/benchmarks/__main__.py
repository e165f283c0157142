"""``python -m tests.benchmarks NAME [options]``: measured by hand, on a machine as quiet as it gets."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "store": "the weight store beside cp, sha256sum, its peers and S3: [--quick] [--peers FOLDER] [--s3] ...",
    "peers": "the same work by gitreg and by other registries: --environments FOLDER [--rounds N] [--versions N]",
    "contents": "what it takes to say what a file is, beside what is allowed: [--rounds N]",
    "runs": "a step, and saving models in it, beside Metaflow's @model and ZenML: --environments FOLDER [--rounds N]",
    "merging": "check and sync on many versions, full and incremental: [--versions N] [--rounds N] [--keep FOLDER]",
    "writers": "many who push at once, beside git alone: [--by WAY ...] [--writers N ...] [--pushes N]",
    "resolving": "a stage by the registry's URL beside git ls-remote: [--versions N] [--rounds N] [--keep FOLDER]",
    "cli": "whole commands beside `python -c pass`: [--versions N] [--rounds N] [--keep FOLDER]",
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print("python -m tests.benchmarks NAME [options]\n")
        for name, line in BENCHMARKS.items():
            print(f"  {name:11}{line}")
        sys.exit(2)
    name = sys.argv.pop(1)
    import_module(f"tests.benchmarks.{name}").main()


if __name__ == "__main__":
    main()
