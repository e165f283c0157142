"""``gitreg demo``."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import click

from gitreg.cli.command import Command
from gitreg.distribution import install_command
from gitreg.errors import GitregError, NotFound, Refused
from gitreg.git.program import without_repository

_DESCRIPTIONS = {"logistic": "Logistic regression, strongly regularised", "forest": "Random forest of 50 shallow trees"}


@click.command(
    "demo",
    cls=Command,
    examples=[
        "gitreg demo",
        "gitreg demo ../demo",
    ],
    exit_codes={3: "scikit-learn or git is not installed", 4: "the folder is not empty"},
    guides=["start"],
)
@click.argument("path", default="gitreg-demo", type=click.Path(file_okay=False))
def command(path: str) -> None:
    """Train two models on scikit-learn's iris data at PATH, save, compare, promote, load, and predict.

    Every command is shown as it runs, and the registry is left to be explored.
    """
    missing = [name for name in ("sklearn", "skops") if find_spec(name) is None]
    if missing:
        raise NotFound(f"the demo trains with {' and '.join(missing)}", hint=install_command("demo"))
    if shutil.which("git") is None:
        raise NotFound("the demo makes a project with git, which is not on PATH", hint="install git")
    folder = Path(path).absolute()
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"{folder} is there and not empty", hint="name another folder: gitreg demo PATH")
    folder.mkdir(parents=True, exist_ok=True)
    _project(folder)
    _say("A registry of its own branch, beside the project's code:")
    _run(folder, "gitreg", "init")
    for number, (kind, description) in enumerate(_DESCRIPTIONS.items(), 1):
        _say("Train a model and save it:" if number == 1 else "And another:")
        _run(folder, "python", "train.py", kind)
        metrics = f"@build/{kind}.json"
        _run(
            folder, "gitreg", "save", "iris", f"build/{kind}", "--metadata", metrics,
            "--tag", "sklearn", "--description", description,
        )  # fmt: skip
    _say("Compare them:")
    _run(folder, "gitreg", "list", "iris", "--sort", "desc:metadata.accuracy")
    _run(folder, "gitreg", "diff", "iris@1", "iris@2")
    best = _best(folder)
    _say("Promote the better one:")
    _run(folder, "gitreg", "promote", best, "production", "--reason", "the highest accuracy on the held-out flowers")
    _say("Load what is in production, and predict in a fresh process:")
    _run(folder, "gitreg", "load", "iris@production", "build/serving")
    _run(folder, "python", "predict.py", "build/serving")
    _say("Who put it there, when and why; and the same by plain git:")
    _run(folder, "gitreg", "log", "iris@production")
    _run(folder, "git", "log", "--oneline", "registry")
    click.echo()
    click.echo(f"Explore it: cd {shlex.quote(path)}; {_typed()} show iris@production; git show registry")


def _project(folder: Path) -> None:
    """Make the project whose models these are."""
    for name in ("train.py", "predict.py"):
        (folder / name).write_text((files("gitreg") / "cli" / "demo" / name).read_text())
    (folder / ".gitignore").write_text("build/\n")
    _say("A project with a training script:")
    _run(folder, "git", "init", "--quiet", "--initial-branch", "main")
    asked = ["git", "var", "GIT_COMMITTER_IDENT"]
    known = subprocess.run(asked, cwd=folder, env=_env(), capture_output=True, check=False)
    if known.returncode != 0:
        _run(folder, "git", "config", "user.name", "gitreg demo")
        _run(folder, "git", "config", "user.email", "demo@example.com")
    _run(folder, "git", "add", ".")
    _run(folder, "git", "commit", "--quiet", "--message", "Train and predict")


def _best(folder: Path) -> str:
    arguments = ["list", "iris", "--sort", "desc:metadata.accuracy", "--json"]
    found = subprocess.run(_real("gitreg", arguments), cwd=folder, env=_env(), capture_output=True, check=True)
    row = json.loads(found.stdout)["items"][0]
    return f"{row['model']}@{row['version']}"


def _say(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Show a command and run it, with this interpreter's own programs."""
    click.secho(f"$ {shlex.join([program, *arguments])}", bold=True)
    sys.stdout.flush()
    done = subprocess.run(_real(program, list(arguments)), cwd=folder, env=_env(), check=False)
    if done.returncode != 0:
        raise GitregError(f"`{shlex.join([program, *arguments])}` failed in {folder}", hint="see what it said above")


def _typed() -> str:
    """Return how this gitreg is run from another folder: by its name only where that is on PATH."""
    started = Path(sys.argv[0])
    if started.name != "gitreg":
        return shlex.join([sys.executable, "-m", "gitreg"])
    return "gitreg" if shutil.which("gitreg") else shlex.quote(str(started.absolute()))


def _real(program: str, arguments: list[str]) -> list[str]:
    own = {"gitreg": [sys.executable, "-m", "gitreg"], "python": [sys.executable]}
    return [*own.get(program, [program]), *arguments]


def _env() -> dict[str, str]:
    """Return the environment without a registry or repository of the user's own, which is not the demo's."""
    return {key: value for key, value in without_repository(os.environ).items() if key != "GITREG_REGISTRY"}
