"""``gitreg run``."""

from __future__ import annotations

import re
import signal
import subprocess
from itertools import pairwise
from typing import Any

import click

from gitreg.cli.click_completion import complete, complete_model, complete_path
from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, read_metadata
from gitreg.cli.output import note
from gitreg.errors import NotFound
from gitreg.sdk.runs.start import run
from gitreg.sdk.zenml.model import Model

_PASSED_ON = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What schedulers and terminals send to the process that they know; the command shall hear of it."""


@click.command(
    "run",
    context_settings={"allow_interspersed_args": False},
    cls=Command,
    examples=[
        "gitreg run --model ranker -- python train.py",
        "gitreg run --name sweep-1 -p depth=6 -- python train.py --depth 6",
    ],
    exit_codes={3: "there is no such command"},
    guides=["runs"],
)
@click.option(
    "--model", metavar="MODEL[@VERSION]", shell_complete=complete_model, help="Model that gets a version from this run."
)
@click.option(
    "--pipeline",
    metavar="NAME",
    shell_complete=complete("pipelines"),
    help="Pipeline that the run belongs to.  [default: the command's name]",
)
@click.option(
    "--name",
    metavar="RUN",
    shell_complete=complete("drafts"),
    help="Name of the run; a failed run of that name is resumed.",
)
@click.option(
    "-p", "--parameter", "parameters", metavar="K=V", multiple=True, help="Parameter to record; repeat for more."
)
@click.option("--patch", is_flag=True, help="Keep uncommitted changes of the code as an artifact.")
@click.argument(
    "command", metavar="COMMAND...", shell_complete=complete_path, nargs=-1, required=True, type=click.UNPROCESSED
)
def command(
    model: str | None,
    pipeline: str | None,
    name: str | None,
    parameters: tuple[str, ...],
    patch: bool,
    command: tuple[str, ...],
) -> None:
    """Run a command, and keep what it saves as one run.

    `gitreg run --model iris -- python train.py`: what train.py saves by gitreg.save_artifact and says of
    get_step_context().model or gitreg.run() becomes one version of iris, sealed when the command ends with 0. Else it
    is kept as a draft, and the exit code is the command's.
    """
    registry = open_registry()
    values: dict[str, Any] = read_metadata(parameters, "--parameter")
    wanted = None
    if model is not None:
        named, _, version = model.partition("@")
        wanted = Model(named, version or None)
    try:
        with run(
            name,
            pipeline=pipeline or _pipeline_of(command),
            model=wanted,
            parameters=values,
            save_patch=patch,
            registry=registry,
            command=command,
        ) as under_way:
            if wanted is not None:
                under_way.bind(wanted)
            if code := _run(command):
                raise click.exceptions.Exit(code)
    except click.exceptions.Exit as failed:
        kept = "" if under_way.is_given_up else "; `gitreg list --drafts` shows what it had saved"
        note(f"{command[0]} ended with {failed.exit_code}{kept}")
        raise
    for reference in under_way.sealed.versions if under_way.sealed is not None else ():
        note(f"Made {reference}")


def _pipeline_of(command: tuple[str, ...]) -> str:
    """Name a run after the script or module that an interpreter is given, else after the program."""
    for option, word in pairwise(command):
        if option == "-m":
            return word
        if not word.startswith("-") and "." in word and not re.search(r"\s", word):  # a space is in what `-c` is given
            return _stem(word)
    return _stem(command[0])


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _run(command: tuple[str, ...]) -> int:
    """Run a command and give its exit code, as a shell would; who ends us in earnest ends it."""
    try:
        process = subprocess.Popen(command)
    except OSError as error:
        raise NotFound(f"cannot run {command[0]}: {error.strerror}", hint="check the command behind --") from None
    before = {each: signal.getsignal(each) for each in _PASSED_ON}
    for each, handler in before.items():
        if handler != signal.SIG_IGN:  # as nohup says it
            signal.signal(each, lambda number, _: process.send_signal(number))
    try:
        code = process.wait()
    except KeyboardInterrupt:  # the terminal told the command as well: it ends in its own way
        process.wait()
        raise
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    return code if code >= 0 else 128 - code
