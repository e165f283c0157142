"""What a step costs, and saving models in it, by gitreg, Metaflow's ``@model`` and ZenML: ``--environments FOLDER``.

Each measurement is a whole run of two steps in new folders, of which the first saves; the seconds of the saving alone
are taken inside of it. gitreg and ZenML run both steps in one process; Metaflow starts one for each, and ``@model`` of
metaflow-checkpoint one more for its card.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.keepers import Metaflow, environment_with
from tests.benchmarks.processes import PROGRAM, Failed, environment, run
from tests.benchmarks.rivals import ZenMl
from tests.benchmarks.weights import write_many, write_noise

_HERE = Path(__file__).parent
_FLOW, _STEPS = _HERE / "runs_flow.py", _HERE / "runs_steps.py"


class Subject(NamedTuple):
    """Whoever does it.

    Parameters
    ----------
    environment, packages:
        What pip makes for it; without packages it is what runs this.
    """

    name: str
    script: Path
    model: str
    environment: str = ""
    packages: Sequence[str] = ()


class Work(NamedTuple):
    """What is to be done: ``times`` is how often the path is saved; a path that is saved often changes each time."""

    name: str
    path: Path
    times: int = 1


SUBJECTS = (
    Subject("Metaflow without @model", _FLOW, "none", Metaflow.environment, Metaflow.packages),
    Subject("Metaflow, its own @model", _FLOW, "metaflow", Metaflow.environment, Metaflow.packages),
    Subject("Metaflow, gitreg's @model", _FLOW, "gitreg"),
    Subject("ZenML's @step, save_artifact", _STEPS, "zenml", ZenMl.environment, ZenMl.packages),
    Subject("gitreg's @step with @model", _STEPS, "gitreg"),
)


def works(folder: Path, *, quick: bool) -> Iterator[Work]:
    """Write the files that are saved, and give what is done with them; quick takes a sixteenth of the size."""
    part = 16 if quick else 1
    yield Work("a run that saves nothing", folder, 0)
    write_noise(folder / "big.bin", (1 << 30) // part)
    yield Work(f"one file of {1024 // part} MiB", folder / "big.bin")
    write_many(folder / "many", 1000 // part, 100 << 10)
    yield Work(f"{1000 // part:,} files of 100 KiB", folder / "many")
    write_noise(folder / "checkpoint.bin", 256 << 10)
    yield Work("200 checkpoints of 256 KiB", folder / "checkpoint.bin", 200)


def measure(subject: Subject, work: Work, environments: Path) -> tuple[float, float, int]:
    """Do it once in new folders, and give the run's seconds, those of saving alone, and the bytes of memory at most."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        env = _environment(subject, work, home)
        python = Path(sys.executable)
        if subject.packages:
            python = environment_with(environments / subject.environment, subject.packages, env) / "python"
        shutil.copy(subject.script, home)
        if subject.model == "gitreg":
            run(["git", "init", "--quiet", home / "registry"], env)
            run([PROGRAM, "init"], env, cwd=home / "registry")
        if subject.model == "zenml":
            run([python, "-c", "from zenml.client import Client; Client.initialize()"], env, cwd=home)
        arguments = ["--no-pylint", "run"] if subject.script == _FLOW else []
        cost = run([python, subject.script.name, *arguments], env, cwd=home)
        return cost.wall, float(json.loads((home / "report").read_text())), cost.memory


def _environment(subject: Subject, work: Work, home: Path) -> Mapping[str, str]:
    return {
        **environment(home),
        "BENCH_MODEL": subject.model,
        "BENCH_PATH": str(work.path),
        "BENCH_TIMES": str(work.times),
        "BENCH_REPORT": str(home / "report"),
        "GITREG_REGISTRY": str(home / "registry"),
        "METAFLOW_HOME": str(home / "metaflow"),
        "METAFLOW_USER": "ada",
        "ZENML_CONFIG_PATH": str(home / "zenml"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_LOGGING_VERBOSITY": "ERROR",
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks runs")
    parser.add_argument("--environments", type=Path, required=True, help="where others are installed, made once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a sixteenth of the size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for work in works(Path(temporary), quick=options.quick):
            print(f"{work.name:34}{'run s':>9}{'saving s':>10}{'MB':>7}")
            for subject in SUBJECTS:
                if subject.model == "none" and work.times:
                    continue
                try:
                    rounds = [measure(subject, work, options.environments) for _ in range(options.rounds)]
                except Failed as error:
                    print(f"  {subject.name:32}{error}")
                    continue
                whole, saving, memory = (statistics.median(values) for values in zip(*rounds, strict=True))
                print(f"  {subject.name:32}{whole:9.2f}{saving:10.2f}{memory / 1e6:7.0f}", flush=True)


if __name__ == "__main__":
    main()
