"""``gitreg rollback``."""

from __future__ import annotations

import click

from gitreg.cli.arguments import check_model_first
from gitreg.cli.command import Command
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
from gitreg.sdk import verbs


@click.command(
    "rollback",
    cls=Command,
    examples=[
        "gitreg rollback ranker production",
        'gitreg rollback ranker production --reason "clicks fell"',
    ],
    exit_codes={3: "nobody holds the stage", 4: "there is no earlier holder, or a rule refuses it"},
    guides=["promotion"],
)
@model_argument
@stage_argument
@reason_option
@output_option
@local_option
@pr_option
def command(model: str, stage: str, reason: str, output: str) -> None:
    """Return a stage to the version that held it before; yanked versions are skipped.

    The version that is rolled back may be promoted again without --force.
    """
    registry = open_registry()
    check_model_first(model, stage, registry.session.snapshot())
    report(registry, verbs.stages.rollback(registry.session, model, stage, reason=reason), output)
