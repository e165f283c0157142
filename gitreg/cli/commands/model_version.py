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
    """List, show, update, delete and undelete the versions of a model."""


@command.command("list")
@model_argument
@click.argument("filters", metavar="[FILTER...]", shell_complete=complete("version_filters"), nargs=-1)
@page_options
@listing_options(complete("fields"))
@fetch_option
def list_(model: str, filters: tuple[str, ...], output: str, **paging: Any) -> None:
    """List the versions of MODEL, the newest first; see `gitreg list --help` for filters."""
    registry = open_registry()
    page = registry.list_versions(model, filters, **paging)
    print_versions(registry, page, output, model, (*filters, paging["sort"] or ""))


@command.command("show")
@model_argument
@_version_argument
@listing_options(complete("fields"))
@fetch_option
def show(model: str, version: str, output: str) -> None:
    """Show one version of MODEL."""
    registry = open_registry()
    found = registry.version(f"{model}@{version}")
    row = version_row(found)
    if output == "table":
        print_version(registry.session, found, row)
    else:
        emit(row, output, columns=VERSION_COLUMNS, name="{model}@{version}")


@command.command("update")
@model_argument
@click.argument("version", metavar="[VERSION]", required=False, shell_complete=complete_version)
@click.option("--stage", metavar="STAGE", shell_complete=complete_stage, help="The stage to take, or archived.")
@tag_option
@click.option(
    "--remove-tag",
    "remove_tags",
    metavar="TAG",
    shell_complete=complete("tags"),
    multiple=True,
    help="A label to take away.",
)
@click.option("--description", metavar="TEXT", help="Takes the place of the former.")
@metadata_option
@click.option("--force", is_flag=True, help="Archive who holds the stage now.")
@output_option
@local_option
def update(model: str, version: str | None, output: str, metadata: dict[str, Any], **changes: Any) -> None:
    """Move one version of MODEL (the latest, if none is named) to a stage, and say more of it, in one commit."""
    registry = open_registry()
    outcome = verbs.versions.annotate(registry.session, f"{model}@{version or 'latest'}", metadata=metadata, **changes)
    report(registry, outcome, output, nothing=f"{outcome.changes.reference} says all that already")


@command.command("delete")
@model_argument
@_version_argument
@click.option("--force", is_flag=True, help="Also where a stage or an alias points to it.")
@output_option
@local_option
def delete(model: str, version: str, force: bool, output: str) -> None:
    """Hide one version of MODEL everywhere and free its weights. Its record stays, and its number stays taken.

    `gitreg model version undelete` undoes it, with the weights as long as `gitreg gc` has not removed them.
    """
    delete_version(f"{model}@{version}", force=force, output=output)


@command.command("undelete")
@model_argument
@click.argument("version", metavar="VERSION")
@output_option
@local_option
def undelete(model: str, version: str, output: str) -> None:
    """Undo the deletion of one version of MODEL; a model that was deleted gets its last card back."""
    undelete_version(f"{model}@{version}", output=output)
