"""Groups of commands: each command has the option --debug, and some are imported only when they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from gitreg.cli.global_options import GlobalOptions


class ReaderGoneError(Exception):
    """The error that the reader of the output has closed it; for a BrokenPipeError, click itself would exit with 1."""


def _note_debug(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        import logging  # seldom asked for

        ctx.ensure_object(GlobalOptions).debug = True
        logger = logging.getLogger("gitreg")
        logger.setLevel(logging.DEBUG)
        if not logger.handlers:
            logger.addHandler(logging.StreamHandler())  # standard error


def debug_option(*, hidden: bool) -> click.Option:
    """Return the option ``--debug``, stored in the session; eager, so that errors of other options have a traceback."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        hidden=hidden,
        callback=_note_debug,
        help="Show a traceback where something fails.",
    )


class Group(click.Group):
    """A group whose commands and subcommands take ``--debug`` after their names too, hidden in their help."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command with a hidden ``--debug``."""
        super().add_command(accepting_debug(cmd), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command with its name and arguments, noted in the session for the report of an error."""
        name, command, rest = super().resolve_command(ctx, args)
        options = ctx.ensure_object(GlobalOptions)
        options.command, options.arguments = command, list(rest)  # the parser empties that list
        return name, command, rest


def accepting_debug(command: click.Command) -> click.Command:
    """Return the same command, with a hidden ``--debug`` if it has none."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(debug_option(hidden=True))
    return command


class LazyGroup(Group):
    """A group whose commands are in modules of their own, imported when needed.

    Parameters
    ----------
    lazy:
        For each command, the module that has it as ``command``, and the line that help shows for it.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the command line; help is printed here."""
        with _raising_reader_gone():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _raising_reader_gone():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the table."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now; None where there is no such command."""
        if cmd_name not in self.lazy:
            return None
        command: click.Command = import_module(self.lazy[cmd_name][0]).command
        return accepting_debug(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command with its name and arguments.

        Raises
        ------
        click.UsageError
            There is no such command; the message names similar ones.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.lazy, n=3)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {' or '.join(near)}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in self.lazy.items()])


@contextmanager
def _raising_reader_gone() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
