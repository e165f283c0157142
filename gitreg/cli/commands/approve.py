"""``gitreg approve``."""

from __future__ import annotations

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete, complete_path, complete_reference, complete_stage
from gitreg.cli.command import Command
from gitreg.cli.options import local_option, open_registry, output_option, reason_option
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.command(
    "approve",
    cls=Command,
    examples=[
        "gitreg approve ranker@3 production",
        "gitreg approve ranker@3 production --until 14d --reason 'audit passed'",
        "gitreg approve --settings --head proposal",
    ],
    exit_codes={
        3: "there is no such version or stage",
        4: "nothing asks for approvals, or Git has no key to sign with",
    },
    guides=["promotion", "policies"],
)
@click.argument("reference", metavar="[REF]", cls=ReferenceArgument, required=False, shell_complete=complete_reference)
@click.argument("stage", metavar="[STAGE]", required=False, shell_complete=complete_stage)
@click.option("--settings", is_flag=True, help="Approve a change of gitreg.yaml instead.")
@click.option(
    "--head",
    metavar="COMMIT",
    shell_complete=complete("branches"),
    help="The commit that changes gitreg.yaml.  [default: HEAD]",
)
@click.option(
    "--key",
    metavar="FILE",
    shell_complete=complete_path,
    help="The SSH key to sign with.  [default: the one that Git signs with]",
)
@click.option("--until", metavar="14d|DATE", help="Time when the approval expires.  [default: never]")
@reason_option
@output_option
@local_option
def command(
    reference: str | None,
    stage: str | None,
    settings: bool,
    head: str | None,
    key: str | None,
    until: str | None,
    reason: str,
    output: str,
) -> None:
    """Approve, with a signature, that a version enters STAGE.

    It counts where the stage's policy asks for approvals, and where `people` in gitreg.yaml knows the key. For
    the policy of aliases, STAGE is `aliases`. With --settings: that gitreg.yaml becomes what --head says; it
    counts where policies.settings asks for approvals.
    """
    if settings != (reference is None) or settings != (stage is None) or (head and not settings):
        raise click.UsageError("give REF and STAGE, or --settings (and --head) instead")
    registry = open_registry()
    if settings:
        report(
            registry,
            verbs.approvals.approve_settings(registry.session, head or "HEAD", key=key, until=until, reason=reason),
            output,
        )
        return
    assert reference is not None
    assert stage is not None
    outcome = verbs.approvals.approve(registry.session, reference, stage, key=key, until=until, reason=reason)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already approved for {stage} by you")
