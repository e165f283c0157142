"""``gitreg ci``."""

from __future__ import annotations

from pathlib import Path

import click

from gitreg.blobs.urls import extra_of
from gitreg.cli.command import Command
from gitreg.cli.hosting import PIPELINES, pipeline, stores
from gitreg.cli.hosting.installation import running_requirement
from gitreg.cli.options import NamedPath, open_registry, output_option
from gitreg.cli.output import emit, note, print_done
from gitreg.cli.results import after_the_work
from gitreg.errors import AlreadyExists


def _one_requirement(_: click.Context, __: click.Parameter, spec: str | None) -> str | None:
    """Refuse what is no single requirement: the pipeline gives it to pip as one word on one line."""
    if spec is not None and (not spec.strip() or spec.startswith("-") or not spec.isprintable()):
        raise click.BadParameter("name one package, version, URL or folder, as in `pip install SPEC`")
    return spec


@click.command(
    "ci",
    cls=Command,
    examples=[
        "gitreg ci github",
        "gitreg ci gitlab --out -",
        "gitreg ci github --install git+https://git.example.com/team/gitreg.git@v1",
    ],
    exit_codes={4: "the file exists: --force writes over it"},
    guides=["team"],
)
@click.argument("host", metavar="github|gitlab", type=click.Choice(list(PIPELINES)))
@click.option(
    "--out",
    metavar="FILE",
    type=NamedPath(dir_okay=False, allow_dash=True),
    help="Write to FILE (-: standard output).  [default: where the host looks]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--install",
    metavar="SPEC",
    callback=_one_requirement,
    help="What the jobs install with pip.  [default: this gitreg, at its commit or version]",
)
@output_option
def command(host: str, out: str | None, force: bool, install: str | None, output: str) -> None:
    """Write a pipeline: it checks pull requests, syncs after a merge, and deploys when a stage has moved.

    It belongs on the registry's branch. In a project whose code is on another branch, run this in a checkout of the
    registry: `git worktree add ../registry registry`.
    """
    if out == "-" and output != "table":
        raise click.UsageError(f"--out - prints the pipeline itself, and -o {output} what was written: give one")
    registry = open_registry()
    spec = install or running_requirement(*map(extra_of, stores(registry)), env=registry.session.environment.env)
    text = pipeline(registry, host, install=spec)
    if out == "-":
        click.echo(text, nl=False)
        return
    path = Path(out) if out else registry.folder / PIPELINES[host]
    if path.exists() and not force:
        raise AlreadyExists(f"{path} is there already", hint="--force writes over it; `--out -` prints the pipeline")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with after_the_work():
        if output == "table":
            print_done(f"Wrote {path}")
        else:
            emit({"host": host, "path": str(path), "branch": registry.session.branch.name, "install": spec}, output)
    note(f"its jobs install {spec}")
    if "file://" in spec:
        note("only this machine has that: name what jobs can reach by --install")
    note(f"commit it on the branch {registry.session.branch.name}: pull requests run what that branch has")
