"""``gitreg unyank``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reference_argument
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "unyank",
    cls=Command,
    examples=[
        "gitreg unyank ranker@1",
    ],
    exit_codes={3: "there is no such version"},
    guides=["promotion"],
)
@reference_argument
@output_option
@local_option
@pr_option
def command(reference: str, output: str) -> None:
    """Take back that a version was yanked."""
    registry = open_registry()
    outcome = verbs.versions.unyank(registry.session, reference)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is not yanked")
