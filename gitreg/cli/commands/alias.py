"""``gitreg alias``."""

from __future__ import annotations

import click

from gitreg.cli.arguments import check_model_first
from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.group import Group
from gitreg.cli.options import (
    fetch_option,
    listing_options,
    local_option,
    model_argument,
    open_registry,
    output_option,
    reference_argument,
)
from gitreg.cli.output import emit, print_line, print_table
from gitreg.cli.results import report
from gitreg.sdk import verbs

_COLUMNS = ("model", "alias", "version")


@click.group("alias", cls=Group, default="list")
def command() -> None:
    """Manage aliases: movable names without the rules of stages."""


@command.command(
    "list",
    examples=["gitreg alias", "gitreg alias list ranker --json"],
    exit_codes={3: "there is no such model"},
    guides=["promotion"],
)
@click.argument("model", metavar="[MODEL]", required=False, shell_complete=complete("models"))
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def list_(model: str | None, output: str) -> None:
    """List aliases, of one model or of all."""
    snapshot = open_registry().session.snapshot()
    if model is not None:
        snapshot.model(model)
    rows = [
        {"model": name, "alias": alias, "version": version}
        for name in ([model] if model is not None else snapshot.model_names())
        for alias, version in snapshot.aliases(name).items()
    ]
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{model}@{alias}")
    elif rows:
        print_table(["model", "alias", "version"], [tuple(row.values()) for row in rows])
    else:
        print_line("There are no aliases: `gitreg alias set REF ALIAS` makes one")


@command.command(
    "set",
    examples=[
        "gitreg alias set ranker@3 champion",
        "gitreg alias set ranker@staging challenger",
    ],
    exit_codes={3: "there is no such version", 4: "the policy of aliases refuses it"},
    guides=["promotion"],
)
@reference_argument
@click.argument("alias", metavar="ALIAS", shell_complete=complete("aliases"))
@click.option("--force", is_flag=True, help="Override rules that are `overridable`.")
@output_option
@local_option
def set_(reference: str, alias: str, force: bool, output: str) -> None:
    """Point ALIAS to a version."""
    registry = open_registry()
    outcome = verbs.stages.set_alias(registry.session, reference, alias, force=force)
    report(registry, outcome, output, nothing=f"{alias} already means {outcome.changes.reference}")


@command.command(
    "delete",
    examples=[
        "gitreg alias delete ranker champion",
    ],
    exit_codes={3: "there is no such model"},
    guides=["promotion"],
)
@model_argument
@click.argument("alias", metavar="ALIAS", shell_complete=complete("aliases"))
@output_option
@local_option
def delete(model: str, alias: str, output: str) -> None:
    """Remove ALIAS; no error if there is none."""
    registry = open_registry()
    check_model_first(model, alias, registry.session.snapshot())
    outcome = verbs.stages.delete_alias(registry.session, model, alias)
    report(registry, outcome, output, nothing=f"{model} has no alias {alias}")
