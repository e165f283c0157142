"""``gitreg cache list``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.options import listing_options, open_registry
from gitreg.cli.output import emit, print_line, print_table, when_text
from gitreg.errors import NotFound
from gitreg.sdk.environment import Environment
from gitreg.sdk.views.cache import list_cache
from gitreg.units import size_text

COLUMNS = ("digest", "size", "files", "used")

_COLUMNS = (*COLUMNS, "versions")


@click.command(
    "list",
    cls=Command,
    examples=[
        "gitreg cache list",
    ],
    guides=["environment"],
)
@listing_options(complete_fields(_COLUMNS))
def command(output: str) -> None:
    """List cached files, the most recently used first, with the versions they belong to."""
    try:
        registry = open_registry()
    except NotFound:
        if click.get_current_context().ensure_object(GlobalOptions).repo is not None:
            raise
        registry = None
    rows = list_cache(Environment.of_this_process(), registry)
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{digest}")
        return
    if rows:
        cells = [
            (
                row["digest"].removeprefix("sha256:")[:12],
                size_text(row["size"]),
                row["files"] if row["files"] is not None else "not complete",
                when_text(row["used"]),
                row["versions"],
            )
            for row in rows
        ]
        print_table(["digest", "size", "files", "last used", "versions"], cells, right=["size", "files"])
    print_line(f"{len(rows)} artifact{'' if len(rows) == 1 else 's'}, {size_text(sum(row['size'] for row in rows))}")
