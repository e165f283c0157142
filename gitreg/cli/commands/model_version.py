"""``gitreg model version``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.click_completion import complete, complete_stage, complete_version
from gitreg.cli.commands.delete import delete_version
from gitreg.cli.commands.list import print_versions
from gitreg.cli.commands.show import print_version
from gitreg.cli.commands.undelete import undelete_version
from gitreg.cli.group import Group
from gitreg.cli.options import (
    fetch_option,
    listing_options,
    local_option,
    metadata_option,
    model_argument,
    open_registry,
    output_option,
    page_options,
    tag_option,
)
from gitreg.cli.output import emit
from gitreg.cli.results import report
from gitreg.registry.query.rows import VERSION_COLUMNS, version_row
from gitreg.sdk import verbs

_version_argument = click.argument("version", metavar="VERSION", shell_complete=complete_version)


@click.group("version", cls=Group)
def command() -> None:
    """List, show, update, delete and undelete versions, as ZenML names it."""


@command.command(
    "list",
    examples=[
        "gitreg model version list ranker stage=production",
    ],
    exit_codes={3: "nothing was found"},
    guides=["start"],
)
@model_argument
@click.argument("filters", metavar="[FILTER...]", shell_complete=complete("version_filters"), nargs=-1)
@page_options
@listing_options(complete("fields"))
@fetch_option
def list_(model: str, filters: tuple[str, ...], output: str, **paging: Any) -> None:
    """List versions: `gitreg list MODEL`, which explains filters."""
    registry = open_registry()
    page = registry.list_versions(model, filters, **paging)
    print_versions(registry, page, output, model, (*filters, paging["sort"] or ""))


@command.command(
    "show",
    examples=[
        "gitreg model version show ranker 3",
    ],
    exit_codes={3: "there is no such version"},
    guides=["start"],
)
@model_argument
@_version_argument
@listing_options(complete("fields"))
@fetch_option
def show(model: str, version: str, output: str) -> None:
    """Show a version: `gitreg show MODEL@VERSION`."""
    registry = open_registry()
    found = registry.version(f"{model}@{version}")
    row = version_row(found)
    if output == "table":
        print_version(registry.session, found, row)
    else:
        emit(row, output, columns=VERSION_COLUMNS, name="{model}@{version}")


@command.command(
    "update",
    examples=[
        "gitreg model version update ranker 3 --tag audited",
        "gitreg model version update ranker 3 --stage archived",
    ],
    exit_codes={
        3: "there is no such version or stage",
        4: "the stage is taken, or its policy refuses the version",
    },
    guides=["promotion"],
)
@model_argument
@click.argument("version", metavar="[VERSION]", required=False, shell_complete=complete_version)
@click.option("--stage", metavar="STAGE", shell_complete=complete_stage, help="Stage to promote it to, or archived.")
@tag_option
@click.option(
    "--remove-tag",
    "remove_tags",
    metavar="TAG",
    shell_complete=complete("tags"),
    multiple=True,
    help="Tag to remove; repeat for more.",
)
@click.option("--description", metavar="TEXT", help="New description.")
@metadata_option
@click.option("--force", is_flag=True, help="Archive the current holder.")
@output_option
@local_option
def update(model: str, version: str | None, output: str, metadata: dict[str, Any], **changes: Any) -> None:
    """Promote and annotate a version in one commit.

    Without VERSION it is the latest. `gitreg promote` and `gitreg annotate` do each alone.
    """
    registry = open_registry()
    outcome = verbs.versions.annotate(registry.session, f"{model}@{version or 'latest'}", metadata=metadata, **changes)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} says all that already")


@command.command(
    "delete",
    examples=[
        "gitreg model version delete ranker 1",
    ],
    exit_codes={3: "there is no such version", 4: "a stage or an alias points to it"},
    guides=["stores"],
)
@model_argument
@_version_argument
@click.option("--force", is_flag=True, help="Delete it even if a stage or an alias points to it.")
@output_option
@local_option
def delete(model: str, version: str, force: bool, output: str) -> None:
    """Delete a version: `gitreg delete MODEL@VERSION`."""
    delete_version(f"{model}@{version}", force=force, output=output)


@command.command(
    "undelete",
    examples=[
        "gitreg model version undelete ranker 4",
    ],
    exit_codes={3: "there never was such a version"},
    guides=["stores"],
)
@model_argument
@click.argument("version", metavar="VERSION")
@output_option
@local_option
def undelete(model: str, version: str, output: str) -> None:
    """Take a deletion back: `gitreg undelete MODEL@VERSION`."""
    undelete_version(f"{model}@{version}", output=output)
