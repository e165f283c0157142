"""``gitreg approve``."""

from __future__ import annotations

import click

from gitreg.cli.options import (
    local_option,
    open_registry,
    output_option,
    reason_option,
    reference_argument,
    stage_argument,
)
from gitreg.cli.results import report


@click.command("approve")
@reference_argument
@stage_argument
@click.option("--key", metavar="FILE", help="The SSH key to sign with.  [default: the one that Git signs with]")
@reason_option
@output_option
@local_option
def command(reference: str, stage: str, key: str | None, reason: str, output: str) -> None:
    """Approve, with a signature, that the version which REF means enters STAGE.

    It counts where the stage's policy asks for approvals, and where `people` in gitreg.yaml knows the key.
    """
    registry = open_registry()
    outcome = registry.approval(reference, stage, key=key, reason=reason)
    report(registry, outcome, output, nothing=f"{reference} is approved for {stage} already")
