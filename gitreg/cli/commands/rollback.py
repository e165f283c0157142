"""``gitreg rollback``."""

from __future__ import annotations

from functools import partial

import click

from gitreg.cli.options import (
    local_option,
    model_argument,
    open_registry,
    output_option,
    pr_option,
    reason_option,
    stage_argument,
)
from gitreg.cli.results import report
from gitreg.registry.operations.stages import rollback


@click.command("rollback")
@model_argument
@stage_argument
@reason_option
@output_option
@local_option
@pr_option
def command(model: str, stage: str, reason: str, output: str) -> None:
    """Give STAGE of MODEL back to the version that held it before; yanked ones are passed over.

    The version that is rolled back may be promoted again without --force.
    """
    registry = open_registry()
    operation = partial(rollback, model=model, stage=stage, reason=reason, context=registry.session.context())
    report(registry, registry.session.commit(operation), output)
