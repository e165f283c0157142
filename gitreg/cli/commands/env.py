"""``gitreg env``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.options import output_option
from gitreg.cli.output import emit, print_fields, print_heading
from gitreg.sdk.environment import VARIABLES, Environment
from gitreg.sdk.views.installation import describe
from gitreg.units import size_text


@click.command("env", cls=Command, examples=["gitreg env", "gitreg env --json"], guides=["environment"])
@output_option
@click.pass_context
def command(ctx: click.Context, output: str) -> None:
    """Show versions, folders and variables, for a bug report; logins and tokens are left out.

    No remote and no store is contacted. `gitreg help environment` explains each variable.
    """
    by_option = ctx.find_root().get_parameter_source("repo") is click.core.ParameterSource.COMMANDLINE
    facts = describe(Environment.of_this_process(), ctx.ensure_object(GlobalOptions).repo if by_option else None)
    if output != "table":
        emit(facts, output)
        return
    print_fields((name, facts[name] or "none") for name in ("gitreg", "python", "git", "platform"))
    print_heading("Libraries")
    print_fields((name, version or "not installed") for name, version in facts["libraries"].items())
    print_heading("Registry")
    print_fields(facts["registry"].items())
    print_heading("Folders")
    print_fields([("cache", _cache_text(facts["cache"])), ("config", facts["config"])])
    print_heading("Variables")
    print_fields(
        (variable.name, facts["variables"].get(variable.name) or f"not set: {variable.default}")
        for variable in VARIABLES
        if variable.default or variable.name in facts["variables"]
    )


def _cache_text(cache: dict[str, Any]) -> str:
    if cache["error"]:
        return f"{cache['folder']}: {cache['error']}"
    limit = "a fifth of the disk" if cache["limit"] is None else size_text(cache["limit"])
    return f"{cache['folder']}, {size_text(cache['size'])} of at most {limit}"
