"""``gitreg model register``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.card_options import card_options
from gitreg.cli.command import Command
from gitreg.cli.options import local_option, metadata_option, open_registry, output_option, pr_option, tag_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "register",
    cls=Command,
    examples=[
        "gitreg model register reader",
        "gitreg model register reader --license MIT --tag nlp",
    ],
    exit_codes={4: "there is such a model"},
    guides=["start"],
)
@click.argument("name", metavar="NAME")
@card_options
@tag_option
@metadata_option
@output_option
@local_option
@pr_option
def command(name: str, tags: tuple[str, ...], metadata: dict[str, Any], output: str, **fields: str | None) -> None:
    """Register a model. Saving its first version registers it, too."""
    registry = open_registry()
    report(
        registry,
        verbs.models.register_model(registry.session, name, fields=fields, tags=tags, metadata=metadata),
        output,
    )
