"""``gitreg config``."""

from __future__ import annotations

import click

from gitreg.cli.click_completion import complete, complete_fields
from gitreg.cli.group import Group
from gitreg.cli.options import listing_options, local_option, open_registry, output_option, pr_option
from gitreg.cli.output import emit, print_fields, print_line
from gitreg.cli.results import report
from gitreg.sdk import verbs


@click.group("config", cls=Group, default="list")
def command() -> None:
    """Show and change the registry's settings: description, remote, store, stages."""


@command.command(
    "list",
    examples=[
        "gitreg config list",
        "gitreg config list --json",
    ],
    guides=["policies"],
)
@listing_options(complete_fields(verbs.settings.FIELDS))
def list_settings(output: str) -> None:
    """Show all settings."""
    values = verbs.settings.values(open_registry().session)
    if output == "ids":
        emit(values, output, rows=[{"name": name} for name in values], name="{name}")
        return
    if output != "table":
        emit(values, output)
        return
    print_fields((name, ", ".join(value) if isinstance(value, list) else value) for name, value in values.items())


@command.command(
    "get",
    examples=[
        "gitreg config get store",
    ],
    guides=["policies"],
)
@click.argument("name", metavar="NAME", shell_complete=complete("settings"))
@output_option
def get(name: str, output: str) -> None:
    """Print one setting; stages are printed one a line."""
    value = verbs.settings.values(open_registry().session)[verbs.settings.check_name(name)]
    if output != "table":
        emit({name: value}, output)
        return
    for line in value if isinstance(value, list) else [value] if value is not None else []:
        print_line(line)


@command.command(
    "set",
    examples=[
        "gitreg config set description 'Models of the shop'",
        "gitreg config set stages staging canary production",
    ],
    exit_codes={4: "a rule refuses the change"},
    guides=["policies"],
)
@click.argument("name", metavar="NAME", shell_complete=complete("settings"))
@click.argument("values", metavar="VALUE...", shell_complete=complete("values_of_setting"), nargs=-1, required=True)
@output_option
@local_option
@pr_option
def set_one(name: str, values: tuple[str, ...], output: str) -> None:
    """Change one setting in one commit.

    For `stages` name all of them, in the order in which versions pass them.

    `store` is set as by `gitreg store set`, `remote` as by `gitreg remote set`. All other settings: `gitreg edit`.
    """
    registry = open_registry()
    outcome = verbs.settings.set_value(registry.session, name, values)
    report(registry, outcome, output, nothing=f"{name} is already {', '.join(values)}")
