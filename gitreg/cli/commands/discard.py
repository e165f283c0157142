"""``gitreg discard``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry
from gitreg.cli.output import print_line
from gitreg.cli.results import after_the_work
from gitreg.sdk import verbs


@click.command("discard")
@click.argument("name", metavar="[PIPELINE/]RUN")
def command(name: str) -> None:
    """Discard the draft of a run that failed or was killed; `gitreg gc` frees its weights."""
    discarded = verbs.drafts.discard(open_registry().session, name)
    with after_the_work():
        print_line(f"Discarded the draft of {discarded.name}")
