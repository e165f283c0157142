"""The main program: the table of commands, and the messages and exit codes of errors."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import suppress
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

import click

from gitreg.cli import mistakes
from gitreg.cli.exit import leave, silence
from gitreg.cli.failure import Failure, unwritable_output
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.group import LazyGroup, ReaderGoneError, accepting_global_options
from gitreg.cli.terminal import color
from gitreg.cli.text import lines, one_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GROUPS = {
    "Start": {
        "init": "Make a registry: a repository, or a branch",
        "clone": "Clone a registry from a Git host",
        "demo": "Train two models, save, promote and load them",
        "help, env, version": "Show guides and help; what a bug report needs",
    },
    "Versions": {
        "save": "Save files as a new version of a model",
        "load, cat": "Load a version's files; print one of them",
        "annotate": "Change metadata, tags or the description",
        "yank, unyank": "Withdraw a version; take that back",
        "delete, undelete": "Delete a version; take that back",
        "model": "Register, describe and delete models",
        "artifact": "Keep data and checkpoints, linked to versions",
    },
    "Look": {
        "list, show": "List models or versions; show one version",
        "log, diff": "Show who did what and when; compare versions",
        "lineage, card": "Show what came from what; write it all as HTML",
        "scan": "Judge by content whether a file can run code",
    },
    "Stages": {
        "promote, rollback": "Move a version into a stage; undo that",
        "why, approve": "Explain what a stage's policy says; approve",
        "archive": "Mark a version as no longer relevant",
        "alias": "Manage aliases (movable names)",
    },
    "Runs": {
        "run, runs": "Run a command, keep what it saves; list runs",
        "seal, discard": "Keep, or drop, what a failed run had saved",
    },
    "Share": {
        "remote, pull, push": "Share a registry by a Git remote",
        "check, sync": "Judge a pull request; move tags after a merge",
        "ci, protect": "Write a pipeline; print rules for a Git host",
        "hooks": "Install git hooks in a clone or on a server",
    },
    "Keep sound": {
        "verify, doctor": "Check records and files; find and mend faults",
        "gc": "Show, or remove, weights of no version",
        "store, trust": "Keep copies in several stores; trust them",
        "cache": "List, prune and verify what this machine keeps",
        "config, edit": "Change the registry's settings",
        "completion": "Print the script that completes names",
    },
}
"""The help lines by group: each of one command, or of several that belong together."""

COMMANDS = {
    name: (f"gitreg.cli.commands.{name}", line)
    for rows in (*GROUPS.values(), {"hook": "Run by git's hooks."})
    for names, line in rows.items()
    for name in names.split(", ")
}
"""The module of each command, and the help line of its group; `hook` is git's to call."""


def _note_repo(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    ctx.ensure_object(GlobalOptions).repo = path


def _complete_folder(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return that the shell completes the path of a folder."""
    return click.Path(file_okay=False).shell_complete(ctx, option, incomplete)


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    groups=GROUPS,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="REF names a version: MODEL (the latest), MODEL@2, MODEL@STAGE, MODEL@ALIAS.\n\n"
    "Guides: `gitreg help` lists them, `gitreg help start` shows the first.",
)
@click.option(
    "--repo",
    metavar="PATH|URL",
    envvar="GITREG_REGISTRY",
    expose_value=False,
    callback=_note_repo,
    shell_complete=_complete_folder,
    help="The registry: a folder, a URL, or either with #BRANCH.",
)
def cli() -> None:
    """Keep models in a registry that is a Git repository."""


accepting_global_options(cli, hidden=False)


def main() -> NoReturn:
    """Run the command line, and exit with its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name, and return its exit code; errors are printed."""
    warnings.showwarning = _show_warning
    options, typed = GlobalOptions(arguments), tuple(arguments)
    try:
        try:
            code = cli.main(arguments, prog_name=_program(), standalone_mode=False, obj=options, color=color())
        finally:
            sys.stdout.flush()
    except click.exceptions.Exit as done:
        code = done.exit_code
    except SystemExit as done:  # a completion for the shell, which was printed
        code = int(done.code or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except (BrokenPipeError, ReaderGoneError):  # the reader of the output has closed it
        silence(sys.stdout)
        code = 0
    except (Exception, KeyboardInterrupt) as error:
        code = _report(error, options, mistakes.line.Line(_program(), typed))
    return code if isinstance(code, int) else 0


def _report(error: BaseException, options: GlobalOptions, line: mistakes.line.Line) -> int:
    """Print an error, with its traceback if --debug was given, and return its exit code."""
    unwritable = unwritable_output(error)
    if unwritable is not None:
        silence(sys.stdout)
    failure = Failure.of(unwritable or error, line)
    with suppress(OSError):  # standard error is closed, or its disk is full
        _print(failure, options)
    return failure.exit_code


def _print(failure: Failure, options: GlobalOptions) -> None:
    if options.debug and failure.kind not in ("usage", "interrupted"):
        import traceback

        click.echo(lines(traceback.format_exc()), err=True, nl=False)
    if _wants_json(options):
        failure.print_json()
    else:
        failure.print_text()


def _wants_json(options: GlobalOptions) -> bool:
    """Return whether the arguments ask for JSON, even where they cannot be parsed completely."""
    command = options.command
    if command is None or isinstance(command, click.Group):  # wrong before any command was named that could be asked
        command = click.Command(None, params=[click.Option(["-o", "--output"]), click.Option(["--json"], is_flag=True)])
    if not any("--json" in parameter.opts for parameter in command.params):
        return False
    words = takewhile(lambda word: word != "--", options.arguments)
    if any(word.startswith("--json=") for word in words):  # a mistake, but the wish is clear
        return True
    settings = {**command.context_settings, "ignore_unknown_options": True, "resilient_parsing": True}
    values, _, _ = command.make_parser(click.Context(command, **settings)).parse_args(options.arguments)
    return bool(values.get("json")) or values.get("output") in ("json", "jsonl", "--json")


def _program() -> str:
    return "git reg" if os.path.basename(sys.argv[0]) == "git-reg" else "gitreg"


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    with suppress(OSError):  # standard error is closed, or its disk is full: the work goes on
        click.echo(
            f"{click.style('warning:', fg='magenta', bold=True)} {one_line(str(message))}", err=True, color=color()
        )
