"""``gitreg alias``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.group import Group
from gitreg.cli.options import local_option, model_argument, open_registry, output_option, reference_argument
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.group("alias", cls=Group)
def command() -> None:
    """Manage aliases: movable names without the rules of stages."""


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
    outcome = verbs.stages.delete_alias(registry.session, model, alias)
    report(registry, outcome, output, nothing=f"{model} has no alias {alias}")
