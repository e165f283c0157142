"""``gitreg undelete``."""

from __future__ import annotations

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "undelete",
    cls=Command,
    examples=["gitreg undelete ranker@4"],
    exit_codes={3: "there never was such a version"},
    guides=["versions", "stores"],
)
@click.argument("reference", metavar="MODEL@VERSION", cls=ReferenceArgument)
@output_option
@local_option
def command(reference: str, output: str) -> None:
    """Take the deletion of a version back.

    Its stages and aliases stay as they are now. A model that was deleted gets its last card back. A warning says where
    `gitreg gc` has removed the weights in the meantime.
    """
    undelete_version(reference, output=output)


def undelete_version(reference: str, *, output: str) -> None:
    """Undo the deletion of a version, and print it."""
    registry = open_registry()
    outcome = verbs.versions.undelete_version(registry.session, reference)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is not deleted")
