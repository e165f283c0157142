"""``gitreg unyank``."""

from __future__ import annotations

import click

from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reference_argument
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command("unyank")
@reference_argument
@output_option
@local_option
@pr_option
def command(reference: str, output: str) -> None:
    """Take the yank of the version that REF means back."""
    registry = open_registry()
    outcome = verbs.versions.unyank(registry.session, reference)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is not yanked")
