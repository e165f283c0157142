"""The manual pages of the wheel: git-reg(1) from the commands, which `git reg --help` opens, and one for each guide.

``python -m gitreg.cli.manpage FOLDER`` writes them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gitreg import cards, guides
from gitreg.cli.command import Command
from gitreg.cli.main import cli
from gitreg.sdk.environment import VARIABLES


def pages() -> dict[str, str]:
    """Return the manual pages by their paths in a folder such as ``share/man``."""
    names = {topic: f"gitreg-{topic}" for topic in guides.TOPICS}
    return {"man1/git-reg.1": command_page(), "man1/gitreg.1": ".so man1/git-reg.1\n"} | {
        f"man7/{name}.7": cards.roff.to_man_page(guides.source(topic), name, 7) for topic, name in names.items()
    }


def command_page() -> str:
    """Return git-reg(1) in the man macros of roff (man(7))."""
    ctx = click.Context(cli, info_name="gitreg")
    parts = [
        '.TH GIT\\-REG 1 "" gitreg "Model registry"',
        ".ad l",
        ".nh",
        ".SH NAME",
        "git\\-reg, gitreg \\- a model registry that is a Git repository",
        ".SH SYNOPSIS",
        ".B git reg",
        "[\\-\\-repo PATH] COMMAND [ARGUMENT...]",
        ".SH OPTIONS",
        *_options(cli, ctx),
        ".SH COMMANDS",
        *_commands(cli, ctx),
        ".SH ENVIRONMENT",
        *_variables(),
        ".SH NOTES",
        _escape(cli.epilog or ""),
        ".SH SEE ALSO",
        *(f".BR {_escape(f'gitreg-{topic}')} (7)," for topic in guides.TOPICS),
        ".BR git (1)",
    ]
    return "\n".join(parts) + "\n"


def _commands(group: click.Group, ctx: click.Context) -> Iterator[str]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=ctx)
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
            continue
        usage = " ".join([inner.command_path.removeprefix("gitreg "), *command.collect_usage_pieces(inner)[1:]])
        yield f".SS {_escape(usage)}"
        yield _escape(" ".join((command.help or "").replace("\b", "").split()))
        yield from _options(command, inner)
        if isinstance(command, Command) and command.examples:
            yield from (".PP", "Examples:", ".PP", ".in +4n", ".nf", *map(_escape, command.examples), ".fi", ".in")


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if record is not None and "--help" not in record[0]:
            yield ".TP"
            yield f".B {_escape(record[0])}"
            yield _escape(" ".join(record[1].split()))


def _variables() -> Iterator[str]:
    for variable in VARIABLES:
        default = f" [default: {variable.default}]" if variable.default else ""
        yield from (".TP", f".B {_escape(variable.name)}", _escape(f"{variable.meaning}.{default}"))


def _escape(text: str) -> str:
    return cards.roff.escape(text, code=True)


def write(folder: Path) -> list[Path]:
    """Write the pages into a folder such as ``share/man``, and return their paths in it."""
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return [Path(name) for name in pages()]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
