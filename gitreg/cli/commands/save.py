"""``gitreg save``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gitreg.cli.complete import complete_model, complete_reference, complete_stage
from gitreg.cli.options import (
    NamedPath,
    local_option,
    metadata_option,
    open_registry,
    output_option,
    pr_option,
    tag_option,
)
from gitreg.cli.output import note
from gitreg.cli.progress import progress
from gitreg.cli.results import report
from gitreg.errors import InvalidInput


@click.command("save")
@click.argument("model", metavar="MODEL[@VERSION]", shell_complete=complete_model)
@click.argument("paths", metavar="PATH...", nargs=-1, type=NamedPath())
@click.option(
    "--artifact", "artifacts", metavar="NAME=PATH", multiple=True, help="A further artifact; repeat for more."
)
@click.option(
    "--type",
    "artifact_type",
    type=click.Choice(["model", "data", "deployment"]),
    default="model",
    show_default=True,
    help="What the files are.",
)
@metadata_option
@tag_option
@click.option("--description", metavar="TEXT", help="What is new or particular about it.")
@click.option(
    "--input", "inputs", metavar="REF", multiple=True, shell_complete=complete_reference, help="What it was made from."
)
@click.option("--stage", metavar="STAGE", shell_complete=complete_stage, help="The stage to take in the same commit.")
@click.option("-m", "--message", metavar="TEXT", default="", help="What to add to the commit's message.")
@click.option("--dry-run", is_flag=True, help="Show what would be committed; store nothing.")
@output_option
@local_option
@pr_option
def command(
    model: str,
    paths: tuple[str, ...],
    artifacts: tuple[str, ...],
    artifact_type: str,
    metadata: dict[str, Any],
    tags: tuple[str, ...],
    description: str | None,
    inputs: tuple[str, ...],
    stage: str | None,
    message: str,
    dry_run: bool,
    output: str,
) -> None:
    """Save files and folders as a new version of MODEL, which is registered where it is not yet.

    A folder's files keep their paths inside it. A version that is there already with the very same
    files is left as it is.
    """
    from gitreg.blobs import collect
    from gitreg.sdk.saving import Saving, save, sources

    registry = open_registry()
    found = sources(artifact_type, list(map(Path, paths)), dict(map(_artifact, artifacts)))
    saving = Saving(model, found, artifact_type, metadata, tags, description, inputs, stage, message)
    total = sum(file.size for each in found.values() for file in collect(each))
    with progress("Saving", total) as bar:
        outcome = save(registry, saving, progress=bar, dry_run=dry_run)
    if not outcome.changes.subject:
        note(f"{'@'.join(outcome.changes.version or ())} is there already, with the very same files")
    report(registry, outcome, output, nothing="nothing to save")


def _artifact(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise InvalidInput(f"--artifact {text!r} is not NAME=PATH", hint="write --artifact tokenizer=build/tokenizer")
    return name, Path(path)
