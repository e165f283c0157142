"""``gitreg model update``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from gitreg.cli.card_options import card_options
from gitreg.cli.options import (
    local_option,
    metadata_option,
    model_argument,
    open_registry,
    output_option,
    pr_option,
    tag_option,
)
from gitreg.cli.results import report
from gitreg.registry.operations.models import update_model
from gitreg.registry.writing.metadata import to_json


@click.command("update")
@model_argument
@card_options
@tag_option
@click.option("--remove-tag", "remove_tags", metavar="TAG", multiple=True, help="A label to take away.")
@metadata_option
@output_option
@local_option
@pr_option
def command(
    model: str,
    tags: tuple[str, ...],
    remove_tags: tuple[str, ...],
    metadata: dict[str, Any],
    output: str,
    **fields: str | None,
) -> None:
    """Change a model's card: fields are replaced, tags and metadata added."""
    registry = open_registry()
    operation = partial(
        update_model, name=model, fields=fields, tags=tags, remove_tags=remove_tags, metadata=to_json(metadata)
    )
    report(registry, registry.session.commit(operation), output)
