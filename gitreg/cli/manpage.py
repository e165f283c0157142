"""The manual page git-reg(1), which `git reg --help` opens: generated from the commands themselves.

``python -m gitreg.cli.manpage`` prints it; its output is in the package as ``gitreg/cli/git-reg.1``.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from gitreg.cli.main import cli


def manpage() -> str:
    """Return the page in the man macros of roff (man(7))."""
    ctx = click.Context(cli, info_name="gitreg")
    parts = [
        '.TH GIT\\-REG 1 "" gitreg "Model registry"',
        ".SH NAME",
        "git\\-reg, gitreg \\- a model registry that is a Git repository",
        ".SH SYNOPSIS",
        ".B git reg",
        "[\\-\\-repo PATH] COMMAND [ARGUMENT...]",
        ".SH OPTIONS",
        *_options(cli, ctx),
        ".SH COMMANDS",
        *_commands(cli, ctx),
        ".SH NOTES",
        _escape(cli.epilog or ""),
        ".SH SEE ALSO",
        ".BR git (1)",
    ]
    return "\n".join(parts) + "\n"


def _commands(group: click.Group, ctx: click.Context) -> Iterator[str]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=ctx)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
            continue
        usage = " ".join([inner.command_path.removeprefix("gitreg "), *command.collect_usage_pieces(inner)[1:]])
        yield f".SS {_escape(usage)}"
        yield _escape(" ".join((command.help or "").replace("\b", "").split()))
        yield from _options(command, inner)


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if record is not None and "--help" not in record[0]:
            yield ".TP"
            yield f".B {_escape(record[0])}"
            yield _escape(" ".join(record[1].split()))


def _escape(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    click.echo(manpage(), nl=False)
