"""``gitreg why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli.complete import complete_stage
from gitreg.cli.options import open_registry, output_option, reference_argument
from gitreg.cli.output import emit, print_line
from gitreg.cli.table import Cell
from gitreg.errors import Refused

if TYPE_CHECKING:
    from gitreg.policy.deciding import Decision
    from gitreg.policy.results import Result

_MARKS = {
    "passed": ("✓", "green"),
    "overridden": ("!", "yellow"),
    "not evaluated": ("?", "yellow"),
    "failed": ("✗", "red"),
}
_COLUMNS = ("reference", "stage", "allowed", "protected", "overridden")


@click.command("why")
@reference_argument
@click.argument("stage", metavar="[STAGE]", required=False, shell_complete=complete_stage)
@click.option("--force", is_flag=True, help="Ask what `gitreg promote --force` would meet.")
@output_option
def command(reference: str, stage: str | None, force: bool, output: str) -> None:
    """Explain whether the version that REF means may enter STAGE: each rule and gate, with its numbers.

    Exits with 0 where `gitreg promote` would do it, and with 4 where it would refuse. Without STAGE, all
    stages are explained.
    """
    registry = open_registry()
    stages = [stage] if stage is not None else list(registry.snapshot().settings.stages)
    decisions = [registry.why(reference, each, force=force) for each in stages]
    if output == "table":
        for decision in decisions:
            _print(decision)
    else:
        rows = [decision.row() for decision in decisions]
        emit(rows[0] if stage is not None else rows, output, rows=rows, columns=_COLUMNS)
    if stage is not None and not decisions[0].allowed:
        unmet = ", ".join(result.name for result in decisions[0].unmet)
        raise Refused(f"{decisions[0].reference} may not enter {stage}: {unmet}")


def _print(decision: Decision) -> None:
    verdict = ("may", "green") if decision.allowed else ("may not", "red")
    way = ", by pull request only" if decision.protected else ""
    print_line(f"{decision.reference} ", Cell(verdict[0], verdict[1], bold=True), f" enter {decision.stage}{way}")
    for result in decision.results:
        _print_result(result, 1)


def _print_result(result: Result, depth: int) -> None:
    mark, colour = _MARKS[result.outcome.word]
    print_line("  " * depth, Cell(mark, colour), " ", Cell(result.name, bold=True), f": {result.sentence}")
    for part in result.parts:
        _print_result(part, depth + 1)
