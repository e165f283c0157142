"""``gitreg cache verify``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete_fields
from gitreg.cli.command import Command
from gitreg.cli.options import listing_options
from gitreg.cli.output import emit, print_line, print_table
from gitreg.cli.progress import progress
from gitreg.errors import IntegrityError
from gitreg.sdk.environment import Environment
from gitreg.sdk.views.cache import list_cache, verify_cache
from gitreg.units import size_text

_COLUMNS = ("digest", "size", "ok", "damaged")


@click.command(
    "verify",
    cls=Command,
    examples=[
        "gitreg cache verify",
    ],
    exit_codes={6: "damaged files were removed; they are fetched again"},
    guides=["environment"],
)
@listing_options(complete_fields(_COLUMNS))
def command(output: str) -> None:
    """Hash all cached files again and remove damaged ones; they are fetched again when needed."""
    environment = Environment.of_this_process()
    with progress("Verifying", lambda: sum(row["size"] for row in list_cache(environment, None))) as bar:
        rows = list(verify_cache(environment, progress=bar))
    bad = [row for row in rows if not row["ok"]]
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{digest}")
    else:
        if bad:
            cells = [(row["digest"].removeprefix("sha256:")[:12], row["damaged"]) for row in bad]
            print_table(["removed", "damaged files"], cells)
        good = sum(row["size"] for row in rows if row["ok"])
        print_line(f"{len(rows) - len(bad)} as they should be ({size_text(good)}), {len(bad)} removed")
    if bad:
        raise IntegrityError(
            f"{len(bad)} of {len(rows)} artifacts in the cache were damaged, and are removed",
            hint="check the disk that the cache lies on; `gitreg load` fetches them again",
        )
