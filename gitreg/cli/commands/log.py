"""``gitreg log``."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete_fields, complete_reference
from gitreg.cli.command import Command
from gitreg.cli.options import fetch_option, listing_options, open_registry
from gitreg.cli.output import age_of, emit, note, print_table, when_text
from gitreg.cli.terminal import start_pager

_COLUMNS = ("commit", "when", "who", "email", "subject", "reason", "overridden", "events", "cut")
_STAGE_COLUMNS = ("version", "from", "commit", "when", "who", "email", "subject", "reason", "overridden")


@click.command(
    "log",
    cls=Command,
    examples=[
        "gitreg log",
        "gitreg log ranker@production",
        "gitreg log ranker@3 --json",
        "gitreg log ranker -n 5",
    ],
    exit_codes={3: "there is no such model, version or stage"},
    guides=["promotion"],
)
@click.argument(
    "target",
    metavar="[MODEL[@STAGE|@VERSION]]",
    cls=ReferenceArgument,
    required=False,
    shell_complete=complete_reference,
)
@click.option("-n", "--max-count", type=click.IntRange(min=1), metavar="N", help="Show only the newest N.")
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def command(target: str | None, max_count: int | None, output: str) -> None:
    """Show who did what and when, the newest first: of the registry, of MODEL or one version, or who held a stage."""
    rows = list(islice(open_registry().log(target), max_count))
    of_stage = "events" not in rows[0]
    if output != "table":
        emit(rows, output, rows=rows, columns=_STAGE_COLUMNS if of_stage else _COLUMNS, name="{commit}")
    elif of_stage:
        _print_stage(rows)
    else:
        _print_log(rows)


def _print_stage(rows: list[dict[str, Any]]) -> None:
    start_pager()
    print_table(
        ["when", "age", "version", "from", "who", "reason", "commit"],
        [
            (
                when_text(row["when"]),
                age_of(row["when"]),
                row["version"] or "(nobody)",
                row["from"],
                row["who"],
                _reason(row),
                row["commit"][:10],
            )
            for row in rows
        ],
        spare=["age", "commit", "from", "who"],
        shorten={"who": "end", "reason": "fold"},
    )


def _reason(row: dict[str, Any]) -> str | None:
    """Return the reason, and the rules that `--force` overrode."""
    if not row["overridden"]:
        return row["reason"]  # type: ignore[no-any-return]
    overridden = f"overrode {', '.join(row['overridden'])}"
    return f"{row['reason']} ({overridden})" if row["reason"] else overridden


def _print_log(rows: list[dict[str, Any]]) -> None:
    start_pager()
    print_table(
        ["when", "age", "who", "what", "reason", "commit"],
        [
            (when_text(row["when"]), age_of(row["when"]), row["who"], row["subject"], _reason(row), row["commit"][:10])
            for row in rows
        ],
        spare=["age", "commit", "reason", "who"],
        shorten={"who": "end", "what": "fold", "reason": "fold"},
    )
    if rows and rows[-1]["cut"]:
        note("this clone is shallow: what came before is not in it (`git fetch --unshallow`)")
