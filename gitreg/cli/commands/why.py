"""``gitreg why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitreg.cli.click_completion import complete, complete_fields, complete_stage
from gitreg.cli.command import Command
from gitreg.cli.options import listing_options, open_registry, reference_argument
from gitreg.cli.output import emit, print_line
from gitreg.cli.table import Cell
from gitreg.errors import Refused

if TYPE_CHECKING:
    from gitreg.policy.evaluate import Decision
    from gitreg.policy.results import Result

_MARKS = {
    "passed": ("✓", "green"),
    "overridden": ("!", "magenta"),
    "not evaluated": ("?", "magenta"),
    "failed": ("✗", "red"),
}
_COLUMNS = ("reference", "stage", "allowed", "protected", "overridden")


@click.command(
    "why",
    cls=Command,
    examples=[
        "gitreg why ranker@3 staging",
        "gitreg why ranker",
        "gitreg why ranker@3 --alias champion",
    ],
    exit_codes={3: "there is no such version or stage", 4: "the version may not enter the stage"},
    guides=["promotion", "policies"],
)
@reference_argument
@click.argument("stage", metavar="[STAGE]", required=False, shell_complete=complete_stage)
@click.option(
    "--alias",
    metavar="NAME",
    shell_complete=complete("aliases"),
    help="Explain whether NAME may point to it instead.",
)
@click.option("--force", is_flag=True, help="Judge it as promote --force would.")
@listing_options(complete_fields(_COLUMNS))
def command(reference: str, stage: str | None, alias: str | None, force: bool, output: str) -> None:
    """Explain whether a version may enter STAGE: each rule and gate with its numbers.

    The exit code is 0 if `gitreg promote` would do it, 4 if it would refuse. Without STAGE, all stages are explained.
    """
    if stage is not None and alias is not None:
        raise click.UsageError("give STAGE or --alias")
    registry = open_registry()
    if alias is not None:
        decisions = [registry.why_alias(reference, alias, force=force)]
    else:
        stages = [stage] if stage is not None else list(registry.session.snapshot().settings.stages)
        decisions = [registry.why(reference, each, force=force) for each in stages]
    one = stage is not None or alias is not None
    if output == "table":
        for decision in decisions:
            _print(decision, alias)
    else:
        rows = [decision.row() for decision in decisions]
        emit(rows[0] if one else rows, output, rows=rows, columns=_COLUMNS, name="{reference}")
    if one and not decisions[0].allowed:
        unmet = ", ".join(result.name for result in decisions[0].unmet)
        raise Refused(f"{decisions[0].reference} may not {_taking(decisions[0], alias)}: {unmet}")


def _taking(decision: Decision, alias: str | None) -> str:
    return f"enter {decision.stage}" if alias is None else f"be called {alias}"


def _print(decision: Decision, alias: str | None) -> None:
    verdict = ("may", "green") if decision.allowed else ("may not", "red")
    way = ", by pull request only" if decision.protected else ""
    print_line(f"{decision.reference} ", Cell(verdict[0], verdict[1], bold=True), f" {_taking(decision, alias)}{way}")
    for result in decision.results:
        _print_result(result, 1)


def _print_result(result: Result, depth: int) -> None:
    mark, colour = _MARKS[result.outcome.word]
    print_line("  " * depth, Cell(mark, colour), " ", Cell(result.name, bold=True), f": {result.sentence}")
    for part in result.parts:
        _print_result(part, depth + 1)
