"""``gitreg cache prune``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.command import Command
from gitreg.cli.commands.cache_list import COLUMNS
from gitreg.cli.options import listing_options
from gitreg.cli.output import emit, print_done, print_table
from gitreg.cli.results import after_the_work
from gitreg.errors import InvalidInput
from gitreg.sdk.environment import Environment
from gitreg.sdk.views.cache import list_cache, prune_cache
from gitreg.units import counted, parse_size, size_text


@click.command(
    "prune",
    cls=Command,
    examples=[
        "gitreg cache prune",
        "gitreg cache prune --to 20GB",
        "gitreg cache prune --all",
    ],
    guides=["environment"],
)
@click.option("--to", metavar="SIZE", help="Size to keep.  [default: GITREG_CACHE_SIZE, or a fifth of the disk]")
@click.option("--all", "everything", is_flag=True, help="Remove also what was used within a day.")
@listing_options(complete_fields(COLUMNS))
def command(to: str | None, everything: bool, output: str) -> None:
    """Remove the least recently used files until the rest fits.

    What was handed out within a day stays, for somebody may still read it, unless --all is given; and always what is
    being fetched or copied at this moment.
    """
    if to is not None and everything:
        raise InvalidInput("--to and --all exclude each other", hint="give one of them")
    limit = parse_size(to, "--to") if to is not None else None
    environment = Environment.of_this_process()
    rows = prune_cache(environment, limit=limit, all_unused=everything)
    with after_the_work():
        if output != "table":
            emit(rows, output, rows=rows, columns=COLUMNS, name="{digest}")
            return
        if rows:
            cells = [(row["digest"].removeprefix("sha256:")[:12], size_text(row["size"])) for row in rows]
            print_table(["digest", "size"], cells, right=["size"])
        total = size_text(sum(row["size"] for row in rows))
        print_done(f"Removed {counted(len(rows), 'artifact')}, {total}")
        kept = list_cache(environment, None)
        size, most = sum(row["size"] for row in kept), environment.cache().limit if limit is None else limit
        if most is not None and size > most and not everything:
            print_done(
                f"{size_text(size)} stay, handed out within a day or in use now; --all removes what is not in use"
            )
