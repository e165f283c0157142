"""``gitreg archive``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reason_option, reference_argument
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "archive",
    cls=Command,
    examples=[
        "gitreg archive ranker@1",
        "gitreg archive ranker@staging --reason 'will not be released'",
    ],
    exit_codes={3: "there is no such version"},
    guides=["promotion"],
)
@reference_argument
@reason_option
@output_option
@local_option
@pr_option
def command(reference: str, reason: str, output: str) -> None:
    """Mark a version as no longer relevant; it leaves its stage."""
    registry = open_registry()
    outcome = verbs.stages.archive(registry.session, reference, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already archived")
