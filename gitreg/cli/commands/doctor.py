"""``gitreg doctor``."""

from __future__ import annotations

from functools import partial

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.command import Command
from gitreg.cli.options import listing_options, local_option, open_registry
from gitreg.cli.output import emit, print_line
from gitreg.cli.table import Cell

_COLUMNS = ("where", "what", "remedy", "repairable")


@click.command(
    "doctor",
    cls=Command,
    examples=[
        "gitreg doctor",
        "gitreg doctor --repair",
        "gitreg doctor --json",
    ],
    exit_codes={6: "a problem is left"},
    guides=["troubleshooting"],
)
@click.option("--repair", is_flag=True, help="Repair tags, refs, work trees, weights and the index where possible.")
@listing_options(complete_fields(_COLUMNS))
@partial(local_option, about="Do not ask the remote.")
def command(repair: bool, output: str) -> None:
    """Find problems of the registry, each with its remedy.

    The remote is asked, too, unless --local is given.
    """
    registry = open_registry()
    found = registry.doctor()
    mended = registry.repair(found) if repair else []
    left = registry.doctor() if repair else found
    if output == "table":
        for problem in mended:
            print_line(Cell("mended", "green"), f"  {problem.where}: {problem.what}")
        for problem in left:
            print_line(Cell("problem", "red"), f" {problem.where}: {problem.what}")
            print_line(f"        {problem.remedy}")
        if not left:
            print_line("The registry is sound.")
    else:
        data = {"mended": [problem.row() for problem in mended], "problems": [problem.row() for problem in left]}
        emit(data, output, rows=data["problems"], columns=_COLUMNS, name="{where}")
    if left:
        click.get_current_context().exit(6)
