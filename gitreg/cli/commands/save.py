"""``gitreg save``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from gitreg.blobs.files import collect
from gitreg.cli.arguments import ModelArgument
from gitreg.cli.click_completion import complete, complete_model, complete_path, complete_stage
from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.options import (
    NamedPath,
    local_option,
    metadata_option,
    open_registry,
    output_option,
    pr_option,
    tag_option,
)
from gitreg.cli.output import warn
from gitreg.cli.progress import progress
from gitreg.cli.results import report
from gitreg.cli.usage_errors import WrongLineError
from gitreg.documents.types import VersionDocument
from gitreg.errors import InvalidInput
from gitreg.registry.state.content_verdicts import code_in
from gitreg.sdk import verbs

if TYPE_CHECKING:
    from gitreg.registry.writing.commit import Outcome


@click.command(
    "save",
    cls=Command,
    examples=[
        "gitreg save ranker build/ --metadata ndcg=0.43",
        "gitreg save ranker@2026.12 build/ --metadata @metrics.json --tag nightly",
        "gitreg save ranker build/ --artifact tokenizer=tokenizer/ --input ranker@2",
        "gitreg save --batch versions.yaml",
    ],
    exit_codes={
        3: "there is no such path, input or stage",
        4: "the version exists with other files, or a rule refuses it",
        5: "others wrote at the same time for too long: run it again",
    },
    guides=["versions", "formats"],
)
@click.argument("model", metavar="MODEL[@VERSION]", cls=ModelArgument, required=False, shell_complete=complete_model)
@click.argument("paths", metavar="PATH...", nargs=-1, type=NamedPath())
@click.option(
    "--batch",
    metavar="FILE",
    shell_complete=complete_path,
    help="A YAML or JSON list of versions, saved in one commit; - is standard input.",
)
@click.option(
    "--artifact",
    "artifacts",
    metavar="NAME=PATH",
    multiple=True,
    help="Save PATH as another artifact; repeat for more.",
)
@click.option(
    "--type",
    "artifact_type",
    type=click.Choice(["model", "data", "deployment"]),
    default="model",
    show_default=True,
    help="Kind of the files.",
)
@metadata_option
@tag_option
@click.option("--description", metavar="TEXT", help="Description of this version.")
@click.option(
    "--input",
    "inputs",
    metavar="REF",
    multiple=True,
    shell_complete=complete("inputs"),
    help="Source that it was made from; repeat for more.",
)
@click.option("--stage", metavar="STAGE", shell_complete=complete_stage, help="Promote it to STAGE in the same commit.")
@click.option("-m", "--message", metavar="TEXT", default="", help="Text to add to the commit message.")
@click.option("--dry-run", is_flag=True, help="Show what would be committed; store nothing.")
@output_option
@local_option
@pr_option
@click.pass_context
def command(
    ctx: click.Context,
    model: str | None,
    paths: tuple[str, ...],
    batch: str | None,
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
    """Save files and folders as a new version of MODEL; a new model is registered.

    A folder's files keep their paths inside it. A symbolic link that is named is followed, and so are
    links in a folder to files of its own tree: the folder, its Git work tree without hidden files, its
    repository in the Hugging Face cache.

    Without a name each save makes a new version, numbered. If MODEL@VERSION exists with the very same files, nothing
    changes; with other files it is refused. With --stage, nothing is saved where the stage is taken or refuses the
    version: save without it, then `gitreg promote --force`.

    With --batch, each item of the list has model, paths or artifacts, and whatever else this command takes: type,
    metadata, tags, description, inputs, stage.
    """
    if batch is not None:
        _save_batch(ctx, batch, message, dry_run=dry_run, output=output)
        return
    if model is None:
        raise click.MissingParameter(ctx=ctx, param_type="argument", param_hint="MODEL[@VERSION]")

    registry = open_registry()
    _check_selector(ctx, model, stage, registry.session.snapshot().settings.stages)
    found = verbs.save.sources(artifact_type, list(map(Path, paths)), dict(map(_artifact, artifacts)))
    saving = verbs.save.Saving(model, found, artifact_type, metadata, tags, description, inputs, stage, message)
    with progress("Saving", lambda: _size([saving])) as bar:
        outcome = verbs.save.save(registry.session, saving, progress=bar, dry_run=dry_run)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} is already saved with these files")
    _note_code(outcome)


def _check_selector(ctx: click.Context, model: str, stage: str | None, stages: Sequence[str]) -> None:
    """Raise an error that has the right line for ``ranker:v3``, whose number is given, and for ``ranker@staging``.

    Raises
    ------
    WrongLineError
        There is a number behind a colon, or a stage behind the @.
    """
    name, _, selector = model.rpartition("@")
    numbered = re.fullmatch(r"([^:@]+):v?\d+", model)
    words = list(ctx.ensure_object(GlobalOptions).arguments)
    if model not in words:
        return
    place = words.index(model)
    if numbered:
        right = [*words[:place], numbered[1], *words[place + 1 :]]
        raise WrongLineError(f"{model!r} names a number: gitreg counts by itself", ctx, right)
    if name and selector in stages and stage is None:
        right = [*words[:place], name, *words[place + 1 :], "--stage", selector]
        raise WrongLineError(f"{selector!r} is a stage and cannot name a version", ctx, right)


_OF_A_BATCH = frozenset({"batch", "message", "dry_run", "output"})


def _save_batch(ctx: click.Context, path: str, message: str, *, dry_run: bool, output: str) -> None:
    for name in ctx.params:
        if name not in _OF_A_BATCH and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--batch names everything to save: leave {name} out.", ctx)

    from gitreg.cli.batch_file import read_batch  # brings the schemas and the YAML of all documents

    registry = open_registry()
    savings = read_batch(path)
    with progress("Saving", lambda: _size(savings)) as bar:
        outcome = verbs.batch.save_all(registry.session, savings, message=message, progress=bar, dry_run=dry_run)
    report(registry, outcome, output, nothing="All of them are already saved with these files")
    _note_code(outcome)


def _note_code(outcome: Outcome) -> None:
    """Print a warning for each saved file that can run code when it is loaded."""
    for document in outcome.changes.files.values():
        if isinstance(document, VersionDocument):
            for artifact in document.artifacts.values():
                for path, why in code_in(artifact.contents):
                    warn(f"⚠ {path}: {why}")


def _size(savings: Sequence[verbs.save.Saving]) -> int:
    return sum(file.size for saving in savings for path in saving.paths for file in collect([path]))


def _artifact(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise InvalidInput(f"--artifact {text!r} is not NAME=PATH", hint="write --artifact tokenizer=build/tokenizer")
    return name, Path(path)
