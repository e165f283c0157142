"""``gitreg delete``."""

from __future__ import annotations

import shlex

import click

from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, reference_argument
from gitreg.cli.output import print_done
from gitreg.cli.results import report
from gitreg.errors import InvalidInput
from gitreg.names import parse_reference
from gitreg.sdk import verbs


@click.command(
    "delete",
    cls=Command,
    examples=["gitreg delete ranker@1", "gitreg delete ranker@staging --force"],
    exit_codes={
        3: "there is no such version",
        4: "a stage or an alias points to it: --force deletes it all the same",
    },
    guides=["versions", "stores"],
)
@reference_argument
@click.option("--force", is_flag=True, help="Delete it even if a stage or an alias points to it.")
@output_option
@local_option
def command(reference: str, force: bool, output: str) -> None:
    """Delete one version: it is hidden everywhere, and `gitreg gc` may remove its weights.

    Its record stays in the history, and its number is never given again. `gitreg undelete` takes the deletion back,
    with the weights as long as gc has not removed them. A whole model is deleted by `gitreg model delete MODEL`.
    """
    if "@" not in reference:
        open_registry().session.snapshot().model(parse_reference(reference).model)
        raise InvalidInput(
            f"{reference} is a model, not one version of it",
            hint=f"`gitreg delete {reference}@N` deletes a version, `gitreg model delete {reference}` all of them",
        )
    delete_version(reference, force=force, output=output)


def delete_version(reference: str, *, force: bool, output: str) -> None:
    """Delete a version, and print how to take that back."""
    registry = open_registry()
    outcome = verbs.versions.delete_version(registry.session, reference, force=force)
    report(registry, outcome, output)
    if output == "table" and outcome.written:
        print_done(f"`{shlex.join(['gitreg', 'undelete', str(outcome.changes.reference)])}` undoes it")
