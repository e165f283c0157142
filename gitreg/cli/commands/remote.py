"""``gitreg remote``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.group import Group
from gitreg.cli.options import listing_options, local_option, open_registry, output_option, pr_option
from gitreg.cli.output import emit, print_done, print_fields, print_line
from gitreg.cli.results import report
from gitreg.sdk import verbs
from gitreg.units import counted

_COLUMNS = ("remote", "url", "branch")


@click.group("remote", cls=Group, default="list")
def command() -> None:
    """Share a registry by a Git remote."""


@command.command("list", examples=["gitreg remote", "gitreg remote --json"], guides=["team"])
@listing_options(complete_fields(_COLUMNS))
def list_(output: str) -> None:
    """Show the remote that this registry is shared by."""
    session = open_registry().session
    name = session.remote
    url = session.branch.repository.remotes.url(name) if name else None
    row = {"remote": name, "url": url, "branch": session.branch.name}
    if output != "table":
        emit(row, output, rows=None if output != "ids" else [row] if name else [], columns=_COLUMNS, name="{remote}")
    elif name is None:
        print_line("This registry has no remote: `gitreg remote set NAME` publishes it")
    else:
        print_fields(row.items())


@command.command(
    "set",
    examples=[
        "gitreg remote set origin",
    ],
    exit_codes={3: "Git has no such remote", 4: "the weights lie where no clone can reach them"},
    guides=["team"],
)
@click.argument("name", metavar="NAME", shell_complete=complete("remotes"))
@output_option
@local_option
@pr_option
def set_remote(name: str, output: str) -> None:
    """Publish the registry to a Git remote; every later write is pushed to it.

    Its branch, the tags of its versions and the refs of its stages go there in one push; a name that is declared in
    gitreg.yaml already is published again.
    """
    registry = open_registry()
    outcome = verbs.remotes.set_remote(registry.session, name)
    report(registry, outcome, output, nothing=f"{name} is already the remote of this registry")
    if output == "table" and outcome.proposal is None and registry.session.upstream is not None:
        published = verbs.remotes.published(registry.session)
        tags, refs = counted(published.tags, "tag"), counted(published.mirrors, "ref")
        print_done(f"Published to {published.branch}, with {tags} of versions and {refs} of stages and aliases")
