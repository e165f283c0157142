"""``gitreg model delete``."""

from __future__ import annotations

import shlex

import click

from gitreg.cli.command import Command
from gitreg.cli.options import local_option, model_argument, open_registry, output_option
from gitreg.cli.output import print_done
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "delete",
    cls=Command,
    examples=[
        "gitreg model delete ranker --force",
    ],
    exit_codes={
        3: "there is no such model",
        4: "a stage or an alias points to a version: --force deletes it all the same",
    },
    guides=["stores"],
)
@model_argument
@click.option("--force", is_flag=True, help="Delete it even if a stage or an alias points to a version.")
@output_option
@local_option
def command(model: str, force: bool, output: str) -> None:
    """Delete a model with all its versions.

    Records stay in the history, and numbers are never given again; `gitreg undelete MODEL@VERSION` takes one back.
    """
    registry = open_registry()
    outcome = verbs.models.delete_model(registry.session, model, force=force)
    report(registry, outcome, output)
    if output == "table" and outcome.written and registry.session.snapshot().deleted_names(model):
        print_done(f"`{shlex.join(['gitreg', 'undelete', f'{model}@N'])}` undoes it for each version")
