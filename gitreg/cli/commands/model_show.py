"""``gitreg model show``."""

from __future__ import annotations

import click

from gitreg.cli.options import model_argument, open_registry, output_option
from gitreg.cli.output import clean, emit, print_fields, print_heading, when_text


@click.command("show")
@model_argument
@output_option
def command(model: str, output: str) -> None:
    """Show a model's card, and where its versions stand."""
    from gitreg.registry.rows import model_row

    snapshot = open_registry().snapshot()
    row = model_row(snapshot.model(model))
    aliases, card = snapshot.aliases(model), snapshot.card(model)
    if output != "table":
        emit({**row, "aliases": aliases, "card": card}, output)
        return
    print_fields(
        [
            ("model", row["name"]),
            ("versions", row["versions"]),
            ("latest", row["latest"]),
            *((stage, version) for stage, version in row["stages"].items()),
            ("aliases", [f"{alias}={version}" for alias, version in aliases.items()]),
            ("tags", row["tags"]),
            *((field.replace("_", " "), row[field]) for field in ("description", "license", "audience", "use_cases")),
            *((field.replace("_", " "), row[field]) for field in ("limitations", "trade_offs", "ethics")),
            ("registered", when_text(row["created_at"])),
        ]
    )
    if row["metadata"]:
        print_heading("Metadata")
        print_fields(row["metadata"].items())
    if card:
        print_heading("Card")
        click.echo(clean(card).rstrip())
