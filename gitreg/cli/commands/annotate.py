"""``gitreg annotate``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.command import Command
from gitreg.cli.options import (
    local_option,
    metadata_option,
    open_registry,
    output_option,
    pr_option,
    reference_argument,
    removal_options,
    tag_option,
)
from gitreg.cli.results import report
from gitreg.errors import InvalidInput
from gitreg.sdk import verbs


@click.command(
    "annotate",
    cls=Command,
    examples=[
        "gitreg annotate ranker@3 --metadata clicks=0.21 --tag audited",
        "gitreg annotate ranker@production --description 'First with prices'",
        "gitreg annotate ranker@3 --remove-metadata ndcg --remove-tag nightly",
    ],
    exit_codes={3: "there is no such version"},
    guides=["promotion"],
)
@reference_argument
@metadata_option
@tag_option
@removal_options
@click.option("--description", metavar="TEXT", help="New description; '' removes it.")
@output_option
@local_option
@pr_option
def command(
    reference: str,
    metadata: dict[str, Any],
    tags: tuple[str, ...],
    remove_metadata: tuple[str, ...],
    remove_tags: tuple[str, ...],
    description: str | None,
    output: str,
) -> None:
    """Change metadata, tags or the description of a version.

    --remove-tag and --remove-metadata take off what was sealed, too. The sealed record never changes: the annotation
    is laid over it, and says what of it no longer holds.
    """
    if not (metadata or tags or remove_metadata or remove_tags) and description is None:
        raise InvalidInput(
            "nothing was given to annotate with",
            hint="give --metadata, --tag or --description; --remove-tag and --remove-metadata take off",
        )
    registry = open_registry()
    outcome = verbs.versions.annotate(
        registry.session,
        reference,
        metadata=metadata,
        tags=tags,
        remove_metadata=remove_metadata,
        remove_tags=remove_tags,
        description=description,
    )
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} says all that already")
