"""``gitreg artifact``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gitreg.cli.arguments import ReferenceArgument
from gitreg.cli.click_completion import complete, complete_fields, complete_reference
from gitreg.cli.global_options import is_quiet
from gitreg.cli.group import Group
from gitreg.cli.options import (
    NamedPath,
    fetch_option,
    listing_options,
    local_option,
    metadata_option,
    open_registry,
    output_option,
    unsafe_code_option,
)
from gitreg.cli.output import age_of, dated, emit, print_fields, print_heading, print_line, print_table, when_text
from gitreg.cli.progress import progress
from gitreg.cli.results import after_the_work, report
from gitreg.cli.sentences import amount
from gitreg.errors import NotFound
from gitreg.names import name_and_version
from gitreg.registry.state.runs_and_artifacts import artifact_versions
from gitreg.sdk import verbs
from gitreg.sdk.current_run import active_run
from gitreg.units import size_text

_COLUMNS = ("artifact", "version", "number", "type", "size", "digest", "created_at", "id")


@click.group("artifact", cls=Group, default="list")
def command() -> None:
    """Keep data, checkpoints and predictions, and link them to versions."""


@command.command(
    "list",
    examples=[
        "gitreg artifact list",
        "gitreg artifact list clicks --json",
    ],
    exit_codes={3: "nothing was found"},
    guides=["runs"],
)
@click.argument("name", metavar="[NAME]", shell_complete=complete("artifacts"), required=False)
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def list_artifacts(name: str | None, output: str) -> None:
    """List artifacts, or the versions of one."""
    rows = [_row(each) for each in artifact_versions(open_registry().session.snapshot(), name)]
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{artifact}@{version}")
    if not rows:
        raise NotFound(
            f"there is no artifact {name!r}" if name else "there are no artifacts yet",
            hint="`gitreg artifact save NAME PATH` makes one",
        )
    if output == "table":
        print_table(
            ["artifact", "version", "type", "made by", "size", "created", "age"],
            [
                (
                    row["artifact"],
                    row["version"],
                    row["type"],
                    _made_by(row["run"]),
                    size_text(row["size"]),
                    when_text(row["created_at"]),
                    age_of(row["created_at"]),
                )
                for row in rows
            ],
            right=["size"],
            spare=["age", "made by", "type", "created"],
            shorten={"artifact": "middle", "version": "middle", "made by": "middle"},
        )


@command.command(
    "show",
    examples=[
        "gitreg artifact show clicks",
        "gitreg artifact show clicks@1 --json",
    ],
    exit_codes={3: "there is no such artifact"},
    guides=["runs"],
)
@click.argument("reference", metavar="NAME[@VERSION]|ID", shell_complete=complete("artifacts"))
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def show(reference: str, output: str) -> None:
    """Show one version of an artifact (the latest by default)."""
    row = _row(verbs.sealed.sealed_artifact(open_registry().session, reference))
    if output != "table":
        emit(row, output, name="{artifact}@{version}")
        return
    print_fields(
        [
            ("artifact", f"{row['artifact']}@{row['version']}"),
            ("number", row["number"]),
            ("type", row["type"]),
            ("id", row["id"]),
            ("created", dated(row["created_at"], row["created_by"])),
            ("made by", _made_by(row["run"])),
            ("holds", row["materializer"]),
            ("size", size_text(row["size"])),
            ("digest", row["digest"]),
        ]
    )
    if row["metadata"]:
        print_heading("Metadata")
        print_fields(row["metadata"].items())
    if row["files"]:
        print_heading("Files")
        print_table(
            ["file", "size", "sha256"],
            [(path, size_text(file["size"]), file["sha256"][:16]) for path, file in row["files"].items()],
            right=["size"],
        )


@command.command(
    "save",
    examples=[
        "gitreg artifact save clicks data/",
        "gitreg artifact save clicks@2026-12 data/clicks.csv --metadata rows=2",
    ],
    exit_codes={3: "there is no such path", 4: "the version exists with other files"},
    guides=["runs"],
)
@click.argument("name", metavar="NAME[@VERSION]", shell_complete=complete("artifacts"))
@click.argument("path", metavar="PATH", type=NamedPath())
@click.option(
    "--type",
    "artifact_type",
    type=click.Choice(["model", "data", "deployment"]),
    default="data",
    show_default=True,
    help="Kind of the files.",
)
@metadata_option
@output_option
@local_option
def save(name: str, path: str, artifact_type: str, metadata: dict[str, Any], output: str) -> None:
    """Save a file or folder as a new version of an artifact.

    Inside of `gitreg run` it becomes part of the run.
    """
    from gitreg.sdk.zenml.artifacts import save_artifact  # brings all materializers, which other commands need not

    artifact, version = name_and_version(name)
    registry = None if active_run() is not None else open_registry()
    known = {each.reference for each in artifact_versions(registry.session.snapshot(), artifact)} if registry else set()
    saved = save_artifact(
        Path(path), artifact, version, artifact_type=artifact_type, metadata=metadata, registry=registry
    )
    with after_the_work():
        if output != "table":
            emit(_row(saved.document), output)
        elif is_quiet():
            print_line(saved.reference)
        elif saved.reference in known:
            print_line(f"{saved.reference} is already saved with these files")
        else:
            print_line(f"Saved the artifact {saved.reference}{amount([saved.document])}")


@command.command(
    "load",
    examples=[
        "gitreg artifact load clicks",
        "gitreg artifact load clicks@1 ../clicks",
    ],
    exit_codes={
        3: "there is no such artifact",
        4: "a file can run code, and the registry is not trusted for code",
        6: "the bytes are not those that were saved",
    },
    guides=["runs"],
)
@click.argument("reference", metavar="NAME[@VERSION]|ID", shell_complete=complete("artifacts"))
@click.argument("dest", required=False, type=NamedPath(file_okay=False))
@unsafe_code_option
@output_option
@fetch_option
def load(reference: str, dest: str | None, unsafe_code: bool, output: str) -> None:
    """Load an artifact's files, verified, and print their folder.

    With DEST the files are copied there, yours to change; without, the folder is in the cache and read-only.
    """
    registry = open_registry()
    document = verbs.sealed.sealed_artifact(registry.session, reference)
    with progress("Loading") as bar:
        folder = verbs.load.load_files(
            registry.session,
            document.record,
            Path(dest) if dest else None,
            model=document.artifact,
            what=document.reference,
            unsafe_code=unsafe_code,
            progress=bar,
        )
    verbs.load.note_input(registry.session, document)
    if output == "table":
        click.echo(folder)
    else:
        emit({"reference": document.reference, "path": str(folder)}, output)


@command.command(
    "link",
    examples=[
        "gitreg artifact link clicks@1 ranker@3",
    ],
    exit_codes={3: "there is no such artifact or version"},
    guides=["runs"],
)
@click.argument("artifact", metavar="NAME[@VERSION]|ID", shell_complete=complete("artifacts"))
@click.argument("reference", metavar="REF", cls=ReferenceArgument, shell_complete=complete_reference)
@output_option
@local_option
def link(artifact: str, reference: str, output: str) -> None:
    """Link an artifact to a version, such as its predictions."""
    registry = open_registry()
    outcome = verbs.links.link_artifact(registry.session, artifact, reference)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} already has {artifact}")


def _row(document: Any) -> dict[str, Any]:
    data: dict[str, Any] = document.to_data()
    shown = (*_COLUMNS[:-1], "created_by", "materializer", "metadata", "run", "files", "id")
    return {field: data.get(field) for field in shown} | {"metadata": data.get("metadata", {})}


def _made_by(run: dict[str, Any] | None) -> str | None:
    if not run:
        return None
    return "/".join(str(run[part]) for part in ("pipeline", "run", "step") if run.get(part))
