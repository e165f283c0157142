"""``gitreg discard``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_done
from gitreg.cli.results import after_the_work
from gitreg.sdk import verbs


@click.command(
    "discard",
    cls=Command,
    examples=[
        "gitreg discard tuesday",
        "gitreg discard train/tuesday",
    ],
    exit_codes={3: "there is no such draft", 5: "the run is still going on"},
    guides=["runs"],
)
@click.argument("name", metavar="[PIPELINE/]RUN", shell_complete=complete("drafts"))
@output_option
def command(name: str, output: str) -> None:
    """Discard the draft of a run that failed or was killed; `gitreg gc` frees its weights."""
    discarded = verbs.drafts.discard(open_registry().session, name)
    with after_the_work():
        if output != "table":
            data = {"changed": True, "commit": None, "subject": f"Discard the draft of {discarded.name}"}
            emit({**data, "run": discarded.name}, output)
            return
        print_done(f"Discarded the draft of {discarded.name}")
