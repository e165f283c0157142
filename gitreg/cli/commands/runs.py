"""``gitreg runs``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.group import Group
from gitreg.cli.options import fetch_option, listing_options, open_registry
from gitreg.cli.output import age_of, dated, emit, print_fields, print_heading, print_table, when_text
from gitreg.errors import NotFound
from gitreg.sdk import verbs

_COLUMNS = ("pipeline", "run", "status", "started_at", "duration", "steps", "versions")


@click.group("runs", cls=Group, default="list")
def command() -> None:
    """List runs, and show one."""


@command.command(
    "list",
    examples=[
        "gitreg runs list",
        "gitreg runs list train --json",
    ],
    exit_codes={3: "nothing was found"},
    guides=["runs"],
)
@click.argument("pipeline", metavar="[PIPELINE]", shell_complete=complete("pipelines"), required=False)
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def list_runs(pipeline: str | None, output: str) -> None:
    """List runs, the newest first; unsealed ones come before."""
    rows = verbs.drafts.run_rows(open_registry().session, pipeline)
    if output != "table":
        emit(rows, output, rows=rows, columns=_COLUMNS, name="{pipeline}/{run}")
    if not rows:
        raise NotFound(
            f"there is no run of {pipeline}" if pipeline else "there are no runs yet",
            hint="`gitreg run -- COMMAND` makes one",
        )
    if output == "table":
        print_table(
            ["run", "status", "started", "age", "duration", "steps", "versions"],
            [
                (
                    f"{row['pipeline']}/{row['run']}",
                    row["status"],
                    when_text(row["started_at"]),
                    age_of(row["started_at"]),
                    _seconds(row["duration"]),
                    row["steps"],
                    row["versions"],
                )
                for row in rows
            ],
            right=["duration", "steps"],
            spare=["steps", "age", "duration", "started"],
            shorten={"run": "middle", "versions": "end"},
        )


@command.command(
    "show",
    examples=[
        "gitreg runs show monday",
        "gitreg runs show train/monday --json",
    ],
    exit_codes={3: "there is no such run"},
    guides=["runs"],
)
@click.argument("name", metavar="[PIPELINE/]RUN", shell_complete=complete("runs"))
@listing_options(complete_fields(_COLUMNS))
@fetch_option
def show(name: str, output: str) -> None:
    """Show a run: code, environment, and the inputs and outputs of each step."""
    from gitreg.sdk.run_environment import spelled  # brings importlib.metadata and email

    run, status = verbs.drafts.find_any_run(open_registry().session, name)
    data = verbs.drafts.whole_run_row(run, status)
    if output != "table":
        emit(data, output, name="{pipeline}/{run}")
        return
    source, environment = run.source or {}, run.environment
    commit = f"{source.get('commit', '')[:12]}{', with uncommitted changes' if source.get('dirty') else ''}"
    print_fields(
        [
            ("run", f"{run.pipeline}/{run.run}"),
            ("status", status),
            ("started", dated(run.started_at, run.created_by)),
            ("duration", _seconds(run.duration)),
            ("command", spelled(run.command)),
            ("code", commit if source else None),
            ("from", source.get("repository")),
            ("python", environment.get("python")),
            ("platform", environment.get("platform")),
            ("packages", f"{len(environment.get('packages', {}))} (-o json shows them)"),
            ("inputs", list(run.inputs) or None),
            ("versions", list(run.versions) or None),
        ]
    )
    if run.parameters:
        print_heading("Parameters")
        print_fields(run.parameters.items())
    if run.steps:
        print_heading("Steps")
        print_table(
            ["step", "status", "duration", "inputs", "outputs", "version"],
            [
                (
                    step,
                    f"{record['status']}, cached" if record.get("cached") else record["status"],
                    _seconds(record.get("duration")),
                    [f"{key}={value}" for key, value in record.get("inputs", {}).items()],
                    list(record.get("outputs", {}).values()),
                    record.get("version"),
                )
                for step, record in run.steps.items()
            ],
            right=["duration"],
            spare=["inputs"],
        )


def _seconds(duration: float | None) -> str | None:
    if duration is None:
        return None
    if duration < 60:
        return f"{duration:.1f} s"
    minutes, seconds = divmod(round(duration), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d} h" if hours else f"{minutes}:{seconds:02d} min"
