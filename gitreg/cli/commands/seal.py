"""``gitreg seal``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.options import local_option, open_registry, output_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command("seal")
@click.argument("name", metavar="[PIPELINE/]RUN", shell_complete=complete("drafts"))
@output_option
@local_option
def command(name: str, output: str) -> None:
    """Seal what a run that failed or was killed had made: its versions take their numbers."""
    registry = open_registry()
    report(registry, verbs.drafts.seal_by_hand(registry.session, name), output, nothing=f"{name} is already sealed")
