"""``gitreg diff``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete_fields, complete_reference
from gitreg.cli.command import Command
from gitreg.cli.options import at_option, fetch_option, listing_options, open_registry
from gitreg.cli.output import emit, print_heading, print_line, print_table
from gitreg.cli.terminal import start_pager
from gitreg.units import size_text

_COLUMNS = ("part", "name", "from", "to", "delta", "change")


@click.command(
    "diff",
    cls=Command,
    examples=[
        "gitreg diff ranker@2 ranker@3",
        "gitreg diff ranker@production ranker@staging --json",
    ],
    exit_codes={3: "there is no such version"},
    guides=["start"],
)
@click.argument("old", metavar="REF", cls=ReferenceArgument, shell_complete=complete_reference)
@click.argument("new", metavar="REF", cls=ReferenceArgument, shell_complete=complete_reference)
@at_option
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def command(old: str, new: str, at: str | None, output: str) -> None:
    """Compare two versions: metadata, files and sizes."""
    found = open_registry().diff(old, new, at=at)
    if output == "table":
        _print(found)
    else:
        emit(found, output, rows=_rows(found), columns=_COLUMNS, name="{name}")


def _print(found: dict[str, Any]) -> None:
    start_pager()
    a, b = found["from"], found["to"]
    if found["metadata"]:
        print_heading("Metadata")
        rows = [
            (key, row["from"], row["to"], f"{row['delta']:+.6g}" if "delta" in row else "")
            for key, row in found["metadata"].items()
        ]
        print_table(["key", a, b, "delta"], rows, right=["delta"], spare=["delta"])
    if found["fields"]:
        print_heading("Fields")
        print_table(["field", a, b], [(name, row["from"], row["to"]) for name, row in found["fields"].items()])
    print_heading("Files")
    if found["files"]:
        print_table(
            ["file", "change", a, b],
            [
                (f"{row['artifact']}:{row['path']}", row["change"], size_text(row["from"]), size_text(row["to"]))
                for row in found["files"]
            ],
            right=[a, b],
            spare=["change"],
        )
    size = found["size"]
    sign = "+" if size["delta"] >= 0 else "-"
    same = found["unchanged"]
    print_line(
        f"{same} unchanged file{'' if same == 1 else 's'}; "
        f"{size_text(size['from'])} -> {size_text(size['to'])} ({sign}{size_text(abs(size['delta']))})"
    )


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each difference, for CSV."""
    out = [{"part": "field", "name": name, **row} for name, row in found["fields"].items()]
    out += [{"part": "metadata", "name": key, **row} for key, row in found["metadata"].items()]
    return out + [
        {
            "part": "file",
            "name": f"{row['artifact']}:{row['path']}",
            "from": row["from"],
            "to": row["to"],
            "change": row["change"],
        }
        for row in found["files"]
    ]
