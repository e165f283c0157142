"""``gitreg verify``."""

from __future__ import annotations

import click

from gitreg.cli.complete import complete_reference
from gitreg.cli.options import open_registry, output_option
from gitreg.cli.output import emit, print_line, print_table, size_text
from gitreg.cli.progress import progress
from gitreg.errors import IntegrityError


@click.command("verify")
@click.argument("reference", metavar="[REF]", required=False, shell_complete=complete_reference)
@output_option
def command(reference: str | None, output: str) -> None:
    """Read every file of a version, or of all, whole and hold it against its record."""
    registry = open_registry()
    with progress("Verifying") as bar:
        findings = list(registry.verify(reference, progress=bar))
    bad = [finding for finding in findings if finding.problem is not None]
    if output == "table":
        if bad:
            print_table(
                ["version", "file", "problem"], [(f.reference, f"{f.artifact}:{f.path}", f.problem) for f in bad]
            )
        good = len(findings) - len(bad)
        size = size_text(sum(finding.size for finding in findings if finding.problem is None))
        print_line(f"{good} file{'' if good == 1 else 's'} ({size}) as recorded, {len(bad)} not")
    else:
        rows = [finding.row() for finding in findings]
        emit(rows, output, rows=rows, columns=("reference", "artifact", "path", "size", "ok", "problem"))
    if bad:
        first = bad[0]
        raise IntegrityError(
            f"{first.reference}: {first.artifact}:{first.path} is not what its record says",
            hint="restore it from another copy of the store, or save the same file again",
        )
