"""``gitreg archive``."""

from __future__ import annotations

import click

from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reason_option, reference_argument
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command("archive")
@reference_argument
@reason_option
@output_option
@local_option
@pr_option
def command(reference: str, reason: str, output: str) -> None:
    """Mark the version that REF means as no longer relevant; it leaves the stage that it holds."""
    registry = open_registry()
    outcome = verbs.stages.archive(registry.session, reference, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already archived")
