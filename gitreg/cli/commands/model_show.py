"""``gitreg model show``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import fetch_option, listing_options, model_argument, open_registry
from gitreg.cli.output import dated, emit, print_fields, print_heading, print_text
from gitreg.documents.types import CARD_FIELDS
from gitreg.registry.query.rows import MODEL_COLUMNS, model_row


@click.command(
    "show",
    cls=Command,
    examples=[
        "gitreg model show ranker",
        "gitreg model show ranker --json",
    ],
    exit_codes={3: "there is no such model"},
    guides=["start"],
)
@model_argument
@listing_options(complete("fields"))
@fetch_option
def command(model: str, output: str) -> None:
    """Show a model's card, latest version, stages and aliases."""
    snapshot = open_registry().session.snapshot()
    row = model_row(snapshot.model(model))
    aliases, card = snapshot.aliases(model), snapshot.card(model)
    if output != "table":
        emit({**row, "aliases": aliases, "card": card}, output, columns=(*MODEL_COLUMNS, "card"), name="{name}")
        return
    print_fields(
        [
            ("model", row["name"]),
            ("versions", row["versions"]),
            ("latest", row["latest"]),
            *((stage, version) for stage, version in row["stages"].items()),
            ("aliases", [f"{alias}={version}" for alias, version in aliases.items()]),
            ("tags", row["tags"]),
            *((field.replace("_", " "), row[field]) for field in CARD_FIELDS),
            ("registered", dated(row["created_at"])),
        ]
    )
    if row["metadata"]:
        print_heading("Metadata")
        print_fields(row["metadata"].items())
    if card:
        print_heading("Card")
        print_text(card)
