"""``gitreg scan``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitreg.cli.click_completion import complete, complete_fields, complete_reference
from gitreg.cli.command import Command
from gitreg.cli.options import fetch_option, listing_options, open_registry
from gitreg.cli.output import emit, print_table
from gitreg.cli.progress import progress
from gitreg.errors import NotFound, Refused
from gitreg.sdk import verbs

_COLUMNS = ("path", "verdict", "why", "names")


@click.command(
    "scan",
    cls=Command,
    examples=[
        "gitreg scan build/",
        "gitreg scan ranker@production --json",
    ],
    exit_codes={3: "there is no such file or version", 4: "a file can run code"},
    guides=["security"],
)
@click.argument("target", metavar="PATH|REF", shell_complete=complete_reference)
@click.option(
    "--artifact",
    metavar="NAME",
    shell_complete=complete("artifacts_of_version"),
    help="Artifact of REF to scan.  [default: model, or the only one]",
)
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def command(target: str, artifact: str | None, output: str) -> None:
    """Judge by content whether files can run code; nothing is loaded.

    data: a format that holds no code. limited: a pickle that names known types alone. opaque: unknown. code: what may
    run its maker's code when it is loaded; with exit code 4. A PATH that is there is taken before a REF.
    """
    if artifact is None and os.path.lexists(target):
        found = list(verbs.scan.scan_files(Path(target)))
    else:
        try:
            with progress("Loading") as bar:
                found = list(verbs.scan.scan_version(open_registry().session, target, artifact, progress=bar))
        except NotFound as error:
            if artifact is not None:
                raise
            raise NotFound(f"there is no file {target!r} here, and {error.message}", hint=error.hint) from None
    if output == "table":
        rows = [(path, finding.verdict, finding.why) for path, finding in found]
        print_table(["file", "verdict", "why"], rows)
    else:
        data = [{"path": path, **finding._asdict(), "names": list(finding.names)} for path, finding in found]
        emit(data, output, rows=data, columns=_COLUMNS, name="{path}")
    for path, finding in found:
        if finding.verdict == "code":
            raise Refused(
                f"{target}: {path} can run code when it is loaded ({finding.why})",
                hint="load it only if you trust who made it",
            )
