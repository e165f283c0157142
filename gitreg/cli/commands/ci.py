"""``gitreg ci``."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.cli.hosting import PIPELINES, pipeline
from gitreg.cli.options import open_registry
from gitreg.cli.output import note, print_line
from gitreg.errors import AlreadyExists


@click.command("ci")
@click.argument("host", metavar="github|gitlab", type=click.Choice(list(PIPELINES)))
@click.option("-o", "--output", metavar="FILE", help="Where to write it; - prints it.  [default: where HOST looks]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(host: str, output: str | None, force: bool) -> None:
    """Write a pipeline: it checks pull requests, syncs after a merge, and deploys when a stage has moved."""
    registry = open_registry()
    text = pipeline(registry, host)
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output) if output else registry.folder / PIPELINES[host]
    if path.exists() and not force:
        raise AlreadyExists(f"{path} is there already", hint="--force writes over it; `-o -` prints the pipeline")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print_line(f"Wrote {path}")
    note(f"commit it on the branch {registry.ledger.branch}: pull requests run what that branch has")
