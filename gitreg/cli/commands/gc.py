"""``gitreg gc``."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_line, print_table, size_text

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COLUMNS = ("sha256", "size", "mtime", "kind", "removed")


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration: write 14d, 12h, 30m or 0", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "s"]


@click.command("gc")
@click.option("--apply", is_flag=True, help="Remove it; otherwise it is only shown.")
@click.option(
    "--grace",
    type=_Duration(),
    default="14d",
    show_default=True,
    metavar="DURATION",
    help="Keep what was saved so lately: its save may be under way (s, m, h, d, w).",
)
@output_option
def command(apply: bool, grace: float, output: str) -> None:
    """Show, or remove, weights that no version means, and what killed saves left behind."""
    found = list(open_registry().collect_garbage(grace=grace, apply=apply))
    if output != "table":
        rows = [{**asdict(swept), "removed": apply} for swept in found]
        emit(rows, output, rows=rows, columns=_COLUMNS)
        return
    if found:
        cells = [(swept.kind, swept.sha256, size_text(swept.size)) for swept in found]
        print_table(["kind", "sha256", "size"], cells, right=["size"])
    total = size_text(sum(swept.size for swept in found))
    print_line(f"{'Removed' if apply else 'Would remove'} {len(found)} object{'' if len(found) == 1 else 's'}, {total}")
