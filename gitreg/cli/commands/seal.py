"""``gitreg seal``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "seal",
    cls=Command,
    examples=[
        "gitreg seal tuesday",
        "gitreg seal train/tuesday",
    ],
    exit_codes={3: "there is no such draft", 5: "the run is still going on"},
    guides=["runs"],
)
@click.argument("name", metavar="[PIPELINE/]RUN", shell_complete=complete("drafts"))
@output_option
@local_option
def command(name: str, output: str) -> None:
    """Seal the draft of a run that failed or was killed: its versions get their numbers."""
    registry = open_registry()
    report(registry, verbs.drafts.seal_by_hand(registry.session, name), output, nothing=f"{name} is already sealed")
