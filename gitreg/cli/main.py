"""The main program: the table of commands, and the messages and exit codes of errors."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from contextlib import suppress
from typing import NoReturn

import click

from gitreg.cli.exit import leave, silence
from gitreg.cli.failure import Failure, color, unwritable_output
from gitreg.cli.global_options import GlobalOptions
from gitreg.cli.group import LazyGroup, ReaderGoneError, accepting_global_options
from gitreg.cli.mistakes import Line
from gitreg.cli.text import lines, one_line

_HERE = "gitreg.cli.commands"
COMMANDS = {
    "init": (f"{_HERE}.init", "Make a registry: a new repository, or a branch of an existing one."),
    "clone": (f"{_HERE}.clone", "Clone a registry from a Git host."),
    "save": (f"{_HERE}.save", "Save files as a new version of a model."),
    "load": (f"{_HERE}.load", "Load a version's files, verified, and print their folder."),
    "cat": (f"{_HERE}.cat", "Print one file of a version, verified."),
    "scan": (f"{_HERE}.scan", "Judge by content whether a file can run code."),
    "list": (f"{_HERE}.list", "List models, or the versions of one."),
    "show": (f"{_HERE}.show", "Show a version, now or at a date."),
    "promote": (f"{_HERE}.promote", "Move a version into a stage."),
    "why": (f"{_HERE}.why", "Explain whether a version may enter a stage."),
    "approve": (f"{_HERE}.approve", "Approve a version for a stage, with a signature."),
    "rollback": (f"{_HERE}.rollback", "Return a stage to its previous holder."),
    "archive": (f"{_HERE}.archive", "Mark a version as no longer relevant."),
    "alias": (f"{_HERE}.alias", "Manage aliases (movable names)."),
    "annotate": (f"{_HERE}.annotate", "Add metadata, tags or a description."),
    "yank": (f"{_HERE}.yank", "Withdraw a version without removing it."),
    "unyank": (f"{_HERE}.unyank", "Take a yank back."),
    "log": (f"{_HERE}.log", "Show who did what and when."),
    "diff": (f"{_HERE}.diff", "Compare two versions."),
    "model": (f"{_HERE}.model", "Register, describe and delete models."),
    "lineage": (f"{_HERE}.lineage", "Show what a version was made from, and what came of it."),
    "card": (f"{_HERE}.card", "Write a version's card: one HTML file."),
    "artifact": (f"{_HERE}.artifact", "Keep data and checkpoints on their own, and link them to versions."),
    "run": (f"{_HERE}.run", "Run a command, and keep what it saves as one run."),
    "runs": (f"{_HERE}.runs", "List runs, and show one."),
    "seal": (f"{_HERE}.seal", "Seal what a run that failed had made."),
    "discard": (f"{_HERE}.discard", "Discard a failed run's draft."),
    "pull": (f"{_HERE}.pull", "Follow the remote."),
    "remote": (f"{_HERE}.remote", "Share a registry by a Git remote."),
    "push": (f"{_HERE}.push", "Publish what was committed with --local."),
    "check": (f"{_HERE}.check", "Check whether a pull request may be merged, and what it would move."),
    "sync": (f"{_HERE}.sync", "After a merge: make tags and move mirrors on the remote."),
    "ci": (f"{_HERE}.ci", "Write a pipeline that checks pull requests and syncs after a merge."),
    "protect": (f"{_HERE}.protect", "Print the rules that a Git host should be given."),
    "verify": (f"{_HERE}.verify", "Check that records, tags and stored files are intact."),
    "doctor": (f"{_HERE}.doctor", "Find problems of the registry, and repair them."),
    "gc": (f"{_HERE}.gc", "Show, or remove, weights that no version refers to."),
    "cache": (f"{_HERE}.cache", "List, prune and verify what this machine keeps."),
    "store": (f"{_HERE}.store", "Keep weights in several stores."),
    "config": (f"{_HERE}.config", "Show and change the registry's settings."),
    "edit": (f"{_HERE}.edit", "Edit gitreg.yaml, or a card, in your editor."),
    "hooks": (f"{_HERE}.hooks", "Install git hooks for commits and pushes, and on a server."),
    "hook": (f"{_HERE}.hook", "Run by those hooks."),
    "trust": (f"{_HERE}.trust", "Trust the stores that a registry names, or its code."),
    "demo": (f"{_HERE}.demo", "Train, save, compare, promote and load, before your eyes."),
    "help": (f"{_HERE}.help", "Show a guide, or the help of a command."),
    "env": (f"{_HERE}.env", "Show versions, folders and variables, for a bug report."),
    "completion": (f"{_HERE}.completion", "Print the script that completes names in your shell."),
    "version": (f"{_HERE}.version", "Print the version of gitreg."),
}


def _note_repo(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    ctx.ensure_object(GlobalOptions).repo = path


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="REF is MODEL, MODEL@VERSION, MODEL@STAGE or MODEL@ALIAS. Exit codes: 0 done, 1 failed, 2 usage, 3 not "
    "found, 4 refused by a rule, 5 conflict (try again), 6 integrity, 130 interrupted.",
)
@click.option(
    "--repo",
    metavar="PATH|URL",
    envvar="GITREG_REGISTRY",
    expose_value=False,
    callback=_note_repo,
    help="The registry's folder, or its repository's URL; PATH#BRANCH where there are several.  [default: the current "
    "folder, upwards]",
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
        code = _report(error, options, Line(_program(), typed))
    return code if isinstance(code, int) else 0


def _report(error: BaseException, options: GlobalOptions, line: Line) -> int:
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
    settings = {**command.context_settings, "ignore_unknown_options": True, "resilient_parsing": True}
    values, _, _ = command.make_parser(click.Context(command, **settings)).parse_args(options.arguments)
    return bool(values.get("json")) or values.get("output") in ("json", "jsonl")


def _program() -> str:
    return "git reg" if os.path.basename(sys.argv[0]) == "git-reg" else "gitreg"


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    with suppress(OSError):  # standard error is closed, or its disk is full: the work goes on
        click.echo(
            f"{click.style('warning:', fg='yellow', bold=True)} {one_line(str(message))}", err=True, color=color()
        )
