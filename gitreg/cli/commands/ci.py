"""``gitreg ci``."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.blobs.urls import extra_of
from gitreg.cli.hosting import PIPELINES, pipeline, stores
from gitreg.cli.hosting.installation import running_requirement
from gitreg.cli.options import open_registry
from gitreg.cli.output import note, print_line
from gitreg.errors import AlreadyExists


def _one_requirement(_: click.Context, __: click.Parameter, spec: str | None) -> str | None:
    """Refuse what is no single requirement: the pipeline gives it to pip as one word on one line."""
    if spec is not None and (not spec.strip() or spec.startswith("-") or not spec.isprintable()):
        raise click.BadParameter("name one package, version, URL or folder, as in `pip install SPEC`")
    return spec


@click.command("ci")
@click.argument("host", metavar="github|gitlab", type=click.Choice(list(PIPELINES)))
@click.option("-o", "--output", metavar="FILE", help="Where to write it; - prints it.  [default: where HOST looks]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option(
    "--install",
    metavar="SPEC",
    callback=_one_requirement,
    help="What its jobs tell pip to install.  [default: this gitreg, at its commit or version]",
)
def command(host: str, output: str | None, force: bool, install: str | None) -> None:
    """Write a pipeline: it checks pull requests, syncs after a merge, and deploys when a stage has moved."""
    registry = open_registry()
    spec = install or running_requirement(*map(extra_of, stores(registry)), env=registry.session.environment.env)
    text = pipeline(registry, host, install=spec)
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output) if output else registry.folder / PIPELINES[host]
    if path.exists() and not force:
        raise AlreadyExists(f"{path} is there already", hint="--force writes over it; `-o -` prints the pipeline")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print_line(f"Wrote {path}")
    note(f"its jobs install {spec}")
    if "file://" in spec:
        note("only this machine has that: name what jobs can reach by --install")
    note(f"commit it on the branch {registry.session.branch.name}: pull requests run what that branch has")
