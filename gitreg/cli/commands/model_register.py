"""``gitreg model register``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from gitreg.cli.card_options import card_options
from gitreg.cli.options import local_option, metadata_option, open_registry, output_option, pr_option, tag_option
from gitreg.cli.results import report
from gitreg.registry.operations.models import register_model
from gitreg.registry.writing.metadata import to_json


@click.command("register")
@click.argument("name", metavar="NAME")
@card_options
@tag_option
@metadata_option
@output_option
@local_option
@pr_option
def command(name: str, tags: tuple[str, ...], metadata: dict[str, Any], output: str, **fields: str | None) -> None:
    """Register the model NAME. Saving a first version registers it too."""
    registry = open_registry()
    created_at = registry.session.environment.timestamp()
    operation = partial(
        register_model, name=name, created_at=created_at, fields=fields, tags=tags, metadata=to_json(metadata)
    )
    report(registry, registry.session.commit(operation), output)
