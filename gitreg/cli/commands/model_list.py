"""``gitreg model list``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.commands.list import print_models
from gitreg.cli.options import fetch_option, listing_options, open_registry, page_options


@click.command(
    "list",
    cls=Command,
    examples=[
        "gitreg model list",
        "gitreg model list versions=gt:2 --sort desc:versions",
    ],
    exit_codes={3: "nothing was found"},
    guides=["start"],
)
@click.argument("filters", metavar="[FILTER...]", shell_complete=complete("model_filters"), nargs=-1)
@page_options
@listing_options(complete("fields"))
@fetch_option
def command(filters: tuple[str, ...], output: str, **paging: Any) -> None:
    """List models, or those that pass every FILTER (tag=sklearn, versions=gt:3, stages.production=isnotnull)."""
    print_models(open_registry().list_models(filters, **paging), output, filters)
