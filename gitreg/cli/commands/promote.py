"""``gitreg promote``."""

from __future__ import annotations

import click

from gitreg.cli.command import Command
from gitreg.cli.options import (
    local_option,
    open_registry,
    output_option,
    pr_option,
    reason_option,
    reference_argument,
    stage_argument,
)
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "promote",
    cls=Command,
    examples=[
        "gitreg promote ranker@3 staging",
        'gitreg promote ranker@3 production --force --reason "ndcg up by 2 points"',
        "gitreg promote ranker@staging production --force --pr",
    ],
    exit_codes={
        3: "there is no such version or stage",
        4: "the stage is taken, or its policy refuses the version",
    },
    guides=["promotion", "policies"],
)
@reference_argument
@stage_argument
@click.option(
    "--force",
    is_flag=True,
    help="Take an occupied stage (the version in it is archived), and override the rules that the policy lists as "
    "`overridable`.",
)
@reason_option
@output_option
@local_option
@pr_option
def command(reference: str, stage: str, force: bool, reason: str, output: str) -> None:
    """Move a version into STAGE; it leaves the stage it is in.

    `gitreg why REF STAGE` shows before what the stage's policy says.
    """
    registry = open_registry()
    outcome = verbs.stages.promote(registry.session, reference, stage, force=force, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already in {stage}")
