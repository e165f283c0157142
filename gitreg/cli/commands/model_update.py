"""``gitreg model update``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.card_options import card_options
from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import (
    local_option,
    metadata_option,
    model_argument,
    open_registry,
    output_option,
    pr_option,
    tag_option,
)
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "update",
    cls=Command,
    examples=[
        "gitreg model update ranker --license MIT --tag search",
        "gitreg model update ranker --description 'Orders what was found'",
    ],
    exit_codes={3: "there is no such model"},
    guides=["start"],
)
@model_argument
@card_options
@tag_option
@click.option(
    "--remove-tag",
    "remove_tags",
    metavar="TAG",
    shell_complete=complete("tags"),
    multiple=True,
    help="Tag to remove; repeat for more.",
)
@metadata_option
@output_option
@local_option
@pr_option
def command(
    model: str,
    tags: tuple[str, ...],
    remove_tags: tuple[str, ...],
    metadata: dict[str, Any],
    output: str,
    **fields: str | None,
) -> None:
    """Change a model's card: fields are replaced, tags and metadata added."""
    registry = open_registry()
    session = registry.session
    outcome = verbs.models.update_model(
        session, model, fields=fields, tags=tags, remove_tags=remove_tags, metadata=metadata
    )
    report(registry, outcome, output, nothing=f"The card of {model} says all that already")
