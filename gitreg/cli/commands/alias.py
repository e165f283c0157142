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
    """Manage aliases: names of versions that move freely, without the rules of stages."""


@command.command("set")
@reference_argument
@click.argument("alias", metavar="ALIAS", shell_complete=complete("aliases"))
@click.option("--force", is_flag=True, help="Override what the policy of aliases lets be.")
@output_option
@local_option
def set_(reference: str, alias: str, force: bool, output: str) -> None:
    """Point ALIAS to the version that REF names."""
    registry = open_registry()
    outcome = verbs.stages.set_alias(registry.session, reference, alias, force=force)
    report(registry, outcome, output, nothing=f"{alias} already means {outcome.changes.reference}")


@command.command("delete")
@model_argument
@click.argument("alias", metavar="ALIAS", shell_complete=complete("aliases"))
@output_option
@local_option
def delete(model: str, alias: str, output: str) -> None:
    """Remove ALIAS of MODEL; one that is not there is no error."""
    registry = open_registry()
    outcome = verbs.stages.delete_alias(registry.session, model, alias)
    report(registry, outcome, output, nothing=f"{model} has no alias {alias}")
