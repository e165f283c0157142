"""``gitreg yank``."""

from __future__ import annotations

import click

from gitreg.cli.options import local_option, open_registry, output_option, pr_option, reason_option, reference_argument
from gitreg.cli.output import note
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command("yank")
@reference_argument
@reason_option
@output_option
@local_option
@pr_option
def command(reference: str, reason: str, output: str) -> None:
    """Withdraw the version that REF means: it loads by name with a warning, and never by latest or a stage."""
    registry = open_registry()
    outcome = verbs.versions.yank(registry.session, reference, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already yanked")
    version = registry.session.about(outcome)
    if version.stage in registry.session.snapshot().settings.stages:
        note(f"it still holds {version.stage}: `gitreg rollback {version.model} {version.stage}`")
