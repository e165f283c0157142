"""``gitreg yank``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reason_option, reference_argument
from gitreg.cli.output import note
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "yank",
    cls=Command,
    examples=[
        "gitreg yank ranker@1",
        "gitreg yank ranker@staging --reason 'trained on test data'",
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
    """Withdraw a version: it loads with a warning by its number or name, and never as latest or by a stage."""
    registry = open_registry()
    outcome = verbs.versions.yank(registry.session, reference, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already yanked")
    version = registry.session.about(outcome)
    if version.stage in registry.session.snapshot().settings.stages:
        note(f"it still holds {version.stage}: `gitreg rollback {version.model} {version.stage}`")
