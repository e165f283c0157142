"""``gitreg model delete``."""

from __future__ import annotations

import click

from gitreg.cli.options import local_option, model_argument, open_registry, output_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command("delete")
@model_argument
@click.option("--force", is_flag=True, help="Also where a stage or an alias points to a version.")
@output_option
@local_option
def command(model: str, force: bool, output: str) -> None:
    """Delete a model with its versions. Records stay in the history, and numbers are never given again."""
    registry = open_registry()
    report(registry, verbs.models.delete_model(registry.session, model, force=force), output)
