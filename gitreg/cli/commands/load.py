"""``gitreg load``."""

from __future__ import annotations

import click

from gitreg.cli.options import open_registry, output_option, reference_argument
from gitreg.cli.output import emit
from gitreg.cli.progress import progress


@click.command("load")
@reference_argument
@click.argument("dest", required=False, type=click.Path(file_okay=False))
@click.option("--artifact", metavar="NAME", help="Which artifact.  [default: model, or the only one]")
@click.option("--file", metavar="GLOB", help="Only the files whose path or name matches.")
@output_option
def command(reference: str, dest: str | None, artifact: str | None, file: str | None, output: str) -> None:
    """Load a version's files, every byte held against its record, and print their folder.

    With DEST they are yours to change; without, the folder is the cache's own and read-only.
    """
    registry = open_registry()
    with progress("Loading") as bar:
        folder = registry.load(reference, dest, artifact=artifact, file=file, progress=bar)
    if output == "table":
        click.echo(folder)
    else:
        emit({"reference": registry.version(reference).reference, "path": str(folder)}, output)
