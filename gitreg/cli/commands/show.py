"""``gitreg show``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.click_completion import complete
from gitreg.cli.command import Command
from gitreg.cli.options import at_option, fetch_option, listing_options, open_registry, reference_argument
from gitreg.cli.output import dated, emit, print_fields, print_heading, print_line, print_table, value_text, warn
from gitreg.cli.table import Cell
from gitreg.cli.terminal import start_pager
from gitreg.errors import InvalidDocument
from gitreg.registry import query
from gitreg.registry.state import audit_log
from gitreg.registry.state.store_urls import store_urls
from gitreg.sdk import verbs
from gitreg.units import size_text

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import ModelVersion
    from gitreg.sdk.session import Session

_WAITING = frozenset({"approvals", "soak"})
"""The kinds of gates that time or people open: they wait where others have failed."""

_COLOURS = {"passed": "green", "failed": "red"}


@click.command(
    "show",
    cls=Command,
    examples=[
        "gitreg show ranker@production",
        "gitreg show ranker@3 --json",
        "gitreg show ranker --at HEAD",
    ],
    exit_codes={3: "there is no such version"},
    guides=["start"],
)
@reference_argument
@at_option
@listing_options(complete("fields"))
@fetch_option
def command(reference: str, at: str | None, output: str) -> None:
    """Show one version: stage, metadata, files, sources."""
    registry = open_registry()
    version = registry.version(reference, at=at)
    row = query.rows.version_row(version)
    if output == "table":
        print_version(registry.session, version, row, now=at is None and version.number > 0)
    else:
        emit(row, output, columns=query.rows.VERSION_COLUMNS, name="{model}@{version}")


def print_version(session: Session, version: ModelVersion, row: dict[str, Any], *, now: bool = True) -> None:
    """Print all that is known of a version without asking a store.

    Parameters
    ----------
    now:
        False for a version as it was in the past, and for a draft: then nothing is told of the stages of today.
    """
    reference, source = f"{row['model']}@{row['version']}", row["source"] or {}
    code = f"{source.get('commit', '')[:12]}{' (dirty)' if source.get('dirty') else ''}" if source else None
    yanked = ("yes" + (f": {row['yank_reason']}" if row["yank_reason"] else "")) if row["yanked"] else None
    start_pager()
    print_fields(
        [
            ("version", reference),
            ("number", row["number"]),
            ("stage", _tenure(session, version) if now else row["stage"]),
            ("incumbent", _incumbents(session, version) if now else None),
            ("yanked", yanked),
            ("aliases", row["aliases"]),
            ("tags", row["tags"]),
            ("description", row["description"]),
            ("created", dated(row["created_at"], row["created_by"])),
            ("code", code),
            ("from", source.get("repository")),
            ("made from", row["inputs"]),
            ("size", size_text(row["size"])),
            ("weights", _weights(session) if row["artifacts"] else None),
            ("record", row["digest"]),
            ("load", f"gitreg load {reference} FOLDER" if row["artifacts"] else None),
        ]
    )
    if now and session.snapshot().settings.policies:
        _print_standing(session, version)
    if row["metadata"]:
        print_heading("Metadata")
        print_fields(_with_sealed(row["metadata"], version.record.metadata))
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


def _with_sealed(metadata: dict[str, Any], sealed: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield keys and values, those that an annotation changed with the sealed value behind."""
    for key, value in metadata.items():
        changed = key in sealed and sealed[key] != value
        yield key, f"{value_text(value)} (sealed: {value_text(sealed[key])})" if changed else value


def _tenure(session: Session, version: ModelVersion) -> str | None:
    """Return the stage of a version, with the time and the person of its promotion, and the reason."""
    if version.stage not in session.snapshot().settings.stages:
        return version.stage
    entered = audit_log.stage_log(session.snapshot(), version.model, version.stage)[0]
    reason = f": {entered['reason']}" if entered["reason"] else ""
    return f"{version.stage} since {dated(entered['when'], entered['who'])}{reason}"


def _incumbents(session: Session, version: ModelVersion) -> list[str]:
    """Return the other versions of the model that hold a stage."""
    stages = session.snapshot().stages(version.model)
    return [f"{version.model}@{name} in {stage}" for stage, name in stages.items() if name != version.version]


def _weights(session: Session) -> str:
    primary, *replicas = store_urls(session.snapshot().settings, session.branch.repository)
    return f"in {primary}" + (f", with copies in {', '.join(replicas)}" if replicas else "")


def _print_standing(session: Session, version: ModelVersion) -> None:
    """Print a line for each gate and each approval of the stages that a policy guards."""
    try:
        decisions = verbs.decisions.standing(session, version)
    except InvalidDocument as error:  # it stops promotions, but not a look at the version
        warn(f"no policy can be asked: {error.message}")
        return
    for decision in decisions:
        print_heading(f"Policy of {decision.stage}, now")
        for result in decision.results:
            word = "waiting" if result.kind in _WAITING and not result.outcome.opens else result.outcome.word
            print_line(Cell(word, _COLOURS.get(word)), " " * (14 - len(word)), f"{result.name}: {result.sentence}")


def _content_line(path: str, found: dict[str, Any]) -> str:
    if found["verdict"] == "code":
        return f"⚠ {path}: {found.get('why', '')}"
    return f"{path}: {found['verdict']}, {found.get('why', '')}"
