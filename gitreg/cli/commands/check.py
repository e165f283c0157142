"""``gitreg check``."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.blobs.os_errors import readable_os_errors
from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.options import NamedPath, listing_options
from gitreg.cli.output import emit, print_text
from gitreg.cli.progress import progress
from gitreg.errors import Refused
from gitreg.registry.review.markdown_report import report_text
from gitreg.sdk import verbs
from gitreg.sdk.registry import Registry

_COLUMNS = ("where", "what", "remedy")


@click.command(
    "check",
    cls=Command,
    examples=[
        "gitreg check --base origin/main",
        "gitreg check --base main --head HEAD --report report.md",
    ],
    exit_codes={3: "there is no such commit", 4: "it may not be merged", 6: "weights are damaged"},
    guides=["team", "promotion"],
)
@click.option(
    "--base",
    metavar="COMMIT",
    shell_complete=complete("branches"),
    help="Commit to merge into.  [default: the branch on origin]",
)
@click.option(
    "--head",
    metavar="COMMIT",
    shell_complete=complete("branches"),
    default="HEAD",
    show_default=True,
    help="Commit to merge.",
)
@click.option("--report", metavar="FILE", type=NamedPath(dir_okay=False), help="Also write the report to FILE.")
@listing_options(complete_fields(_COLUMNS))
def command(base: str | None, head: str, report: str | None, output: str) -> None:
    """Check whether a pull request may be merged, and report in Markdown what it would move.

    For CI, in a checkout of the pull request. Sealed records that are edited, pointers to nothing, numbers
    given twice, files that cannot be read, weights that are missing or damaged, and gates that are not met are
    refused, with exit code 4. The policy that counts is the target's; its commands are run. Weights are looked
    for in stores trusted on this machine.
    """
    ctx = click.get_current_context()
    registry = Registry.open(ctx.ensure_object(GlobalOptions).repo, checked_out=True)
    ctx.call_on_close(registry.close)
    with progress("Reading weights") as bar:
        found = verbs.pull_requests.check_proposal(
            registry.session,
            f"origin/{registry.session.branch.name}" if base is None else base,
            head,
            progress=bar,
        )
    text = report_text(found)
    if report is not None:
        with readable_os_errors("write the report", report):
            Path(report).write_text(text, encoding="utf-8")
    if output == "table":
        print_text(text)
    else:
        row = found.row()
        emit(row, output, rows=row["problems"], columns=_COLUMNS, name="{where}")
    if not found.ok:
        first, more = found.problems[0], len(found.problems) - 1
        others = f", and {more} more" if more else ""
        raise Refused(f"{first.where}: {first.what}{others}", hint=first.remedy)
