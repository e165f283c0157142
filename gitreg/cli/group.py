"""Groups of commands: each command takes the global flags, and some are imported only when they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

import gitreg
from gitreg.cli.command import Command
from gitreg.cli.global_options import GlobalOptions

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class ReaderGoneError(Exception):
    """The error that the reader of the output has closed it; for a BrokenPipeError, click itself would exit with 1."""


def _note(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return the callback of a flag that is stored in the session under a name."""

    def note(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            options = ctx.ensure_object(GlobalOptions)
            setattr(options, name, True)
            if options.debug or options.verbose:
                _log(debug=options.debug)

    return note


def _log(*, debug: bool) -> None:
    """Show on standard error what gitreg logs."""
    import logging  # seldom asked for

    logger = logging.getLogger("gitreg")
    logger.setLevel(logging.DEBUG if debug else logging.INFO)
    if not logger.handlers:
        handler = logging.StreamHandler()  # standard error
        handler.setFormatter(logging.Formatter("gitreg: %(message)s"))
        logger.addHandler(handler)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        words = ctx.ensure_object(GlobalOptions).arguments
        if "--version" in words[:-1] and ctx.parent is not None:  # `show ranker --version 2`
            raise click.NoSuchOption("--version", ctx=ctx)
        click.echo(f"gitreg {gitreg.__version__}")
        ctx.exit()


_GLOBAL = (
    (("-q", "--quiet"), _note("quiet"), "Print no notes or progress; of lists and writes, ids only."),
    (("-v", "--verbose"), _note("verbose"), "Show the git commands run and the stores asked."),
    (("--debug",), _note("debug"), "Show a traceback where something fails."),
    (("-V", "--version"), _print_version, "Print the version and exit."),
)
"""The flags that stand before a command's name or after it; eager, so that errors of other options have a traceback."""


def accepting_global_options(command: click.Command, *, hidden: bool = True) -> click.Command:
    """Return the same command, which now takes the global flags, too; a flag that it has itself stays its own."""
    taken = {name for parameter in command.params for name in parameter.opts}
    for names, callback, about in _GLOBAL:
        free = [name for name in names if name not in taken]
        if free:
            command.params.append(
                click.Option(
                    [*free, f"global_{names[-1].lstrip('-')}"],
                    is_flag=True, is_eager=True, expose_value=False, hidden=hidden, callback=callback, help=about,
                )
            )  # fmt: skip
    return command


class Group(Command, click.Group):
    """A group whose commands and subcommands take the global flags after their names too, hidden in their help.

    Parameters
    ----------
    default:
        The subcommand that runs where none is named; None: help is shown.
    """

    command_class = Command

    def __init__(self, *arguments: Any, default: str | None = None, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; options that no subcommand follows are those of the default one."""
        of_group = {*ctx.help_option_names, "-V", "--version", *self.list_commands(ctx)} & set(args)
        starts_default = args[0].startswith("-") if args else not ctx.resilient_parsing  # completion offers all
        if self.default is not None and not of_group and starts_default:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, or after a dash the options, with those of the default subcommand."""
        items = super().shell_complete(ctx, incomplete)
        default = self.get_command(ctx, self.default) if self.default and incomplete.startswith("-") else None
        if default is not None:
            items += default.shell_complete(click.Context(default, parent=ctx), incomplete)
        return list({item.value: item for item in items}.values())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options and the commands, and which of these is the default."""
        super().format_options(ctx, formatter)
        if self.default is not None:
            formatter.write_paragraph()
            formatter.write_text(f"Without a command: {ctx.command_path} {self.default}.")

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, which takes the global flags."""
        super().add_command(accepting_global_options(cmd), name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command with its name and arguments, noted in the session for the report of an error."""
        name, command, rest = super().resolve_command(ctx, args)
        options = ctx.ensure_object(GlobalOptions)
        options.command, options.arguments = command, list(rest)  # the parser empties that list
        return name, command, rest


class LazyGroup(Group):
    """A group whose commands are in modules of their own, imported when needed.

    Parameters
    ----------
    lazy:
        For each command, the module that has it as ``command``, and the line that help shows for it.
    groups:
        The lines that help shows instead, by the title of their group, each for one command or several.
    """

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]],
        groups: Mapping[str, Mapping[str, str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy
        self.groups = groups

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
        return accepting_global_options(command)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options before the commands, or where those are in groups, after them."""
        if self.groups is None:
            super().format_options(ctx, formatter)
        else:
            self.format_commands(ctx, formatter)
            click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            if self.groups is None:
                formatter.write_dl([(name, help_line) for name, (_, help_line) in self.lazy.items()])
                return
            for title, rows in self.groups.items():
                for number, (names, help_line) in enumerate(rows.items()):
                    left = click.style(f"{'' if number else title:12}", bold=True)
                    formatter.write(f"{'':{formatter.current_indent}}{left}{names:20}{help_line}\n")


@contextmanager
def _raising_reader_gone() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
