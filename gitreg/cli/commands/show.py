"""``gitreg show``."""

from __future__ import annotations

import json
from typing import Any

import click

from gitreg.cli.options import at_option, fetch_option, listing_options, open_registry, reference_argument
from gitreg.cli.output import dated, emit, print_fields, print_heading, print_line, print_table
from gitreg.registry import query
from gitreg.units import size_text


@click.command("show")
@reference_argument
@at_option
@listing_options
@fetch_option
def command(reference: str, at: str | None, output: str) -> None:
    """Show the version that REF means, now or at a date or commit."""
    row = query.rows.version_row(open_registry().version(reference, at=at))
    if output == "table":
        print_version(row)
    else:
        emit(row, output, columns=query.rows.VERSION_COLUMNS, name="{model}@{version}")


def print_version(row: dict[str, Any]) -> None:
    """Print all that is known of a version."""
    reference, source = f"{row['model']}@{row['version']}", row["source"] or {}
    code = f"{source.get('commit', '')[:12]}{' (dirty)' if source.get('dirty') else ''}" if source else None
    yanked = ("yes" + (f": {row['yank_reason']}" if row["yank_reason"] else "")) if row["yanked"] else None
    print_fields(
        [
            ("version", reference),
            ("number", row["number"]),
            ("stage", row["stage"]),
            ("yanked", yanked),
            ("aliases", row["aliases"]),
            ("tags", row["tags"]),
            ("description", row["description"]),
            ("created", dated(row["created_at"], row["created_by"])),
            ("code", code),
            ("from", source.get("repository")),
            ("made from", row["inputs"]),
            ("size", size_text(row["size"])),
            ("record", row["digest"]),
        ]
    )
    if row["metadata"]:
        print_heading("Metadata")
        print_fields(row["metadata"].items())
    for name, artifact in row["artifacts"].items():
        linked = "linked, " if artifact.get("linked") else ""
        size = size_text(artifact["size"])
        print_heading(f"{name} ({linked}{artifact['type']}, {size}, {artifact['digest'][:19]}...)")
        if artifact["materializer"]:
            named = "" if name == "model" else f", artifact={json.dumps(name)}"
            call = f"registry.load_object({json.dumps(reference)}{named})"
            print_line(f"an object, as {artifact['materializer']} writes it: {call}")
        if artifact["contents"]:
            for path, found in artifact["contents"]["files"].items():
                print_line(_content_line(path, found))
        if artifact["files"] is None:
            print_line("more files than the record lists; `gitreg load` has them")
        else:
            print_table(
                ["file", "size", "sha256"],
                [
                    (path + (" *" if entry.get("executable") else ""), size_text(entry["size"]), entry["sha256"][:16])
                    for path, entry in artifact["files"].items()
                ],
                right=["size"],
                spare=["sha256"],
            )


def _content_line(path: str, found: dict[str, Any]) -> str:
    if found["verdict"] == "code":
        return f"⚠ {path}: {found.get('why', '')}"
    return f"{path}: {found['verdict']}, {found.get('why', '')}"
