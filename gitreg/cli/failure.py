"""Errors as the command line reports them: two lines for people, or one JSON object where JSON was asked for."""

from __future__ import annotations

import os
from typing import NamedTuple

import click

from gitreg.cli import mistakes
from gitreg.cli.terminal import color
from gitreg.cli.text import as_json, one_line
from gitreg.errors import GitregError

INTERRUPTED = 130


class Failure(NamedTuple):
    """An error with its exit code.

    Parameters
    ----------
    kind:
        A stable word: that of the class of gitreg's errors, else ``usage``, ``interrupted``, ``os_error`` or, for a
        fault of gitreg itself, ``internal``.
    keeps_lines:
        True if the message quotes the output of another program.
    """

    kind: str
    message: str
    hint: str | None
    exit_code: int
    keeps_lines: bool = False

    @classmethod
    def of(cls, error: BaseException, line: mistakes.line.Line) -> Failure:
        """Return any error as a failure.

        Parameters
        ----------
        line:
            The command line, for a hint that repeats it without its mistake.
        """
        if isinstance(error, click.UsageError):
            message, hint = mistakes.explanation.explain(error, line)
            return cls("usage", message, hint, error.exit_code)
        if isinstance(error, click.ClickException):
            return cls(GitregError.kind, error.format_message(), None, error.exit_code)
        if isinstance(error, KeyboardInterrupt | click.Abort):
            return cls("interrupted", "interrupted", None, INTERRUPTED)
        if isinstance(error, GitregError):
            return cls(error.kind, error.message, _with_line(error, line), error.exit_code, error.has_lines)
        if isinstance(error, OSError):
            hint = "check that path, or run with --debug to see where it failed"
            if isinstance(error, PermissionError):
                hint = "look whose it is and who may write it (`ls -ld`): a command may have been run as another user"
            return cls("os_error", str(error), hint, 1)
        hint = "this is a fault of gitreg's: run with --debug and report it"
        return cls("internal", f"{type(error).__name__}: {error}", hint, 1)

    def print_json(self) -> None:
        """Print ``{"error": {"kind", "message", "hint", "exit_code"}}`` as the last line of standard error."""
        fields = {"kind": self.kind, "message": self.message, "hint": self.hint, "exit_code": self.exit_code}
        click.echo(as_json({"error": fields}), err=True)

    def print_text(self) -> None:
        """Print the message and the hint on standard error, each on its line."""
        if self.exit_code == INTERRUPTED:
            click.echo(self.message, err=True)
            return
        message = (
            "\n       ".join(map(one_line, self.message.split("\n"))) if self.keeps_lines else one_line(self.message)
        )
        click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True, color=color())
        if self.hint:
            click.echo(f" {click.style('hint:', bold=True)} {one_line(self.hint)}", err=True, color=color())


def _with_line(error: GitregError, line: mistakes.line.Line) -> str | None:
    """Return the hint of an error, with the whole line in the place of the text that was probably meant."""
    corrected = line.corrected(*error.correction) if error.correction else None
    if error.hint is None or error.correction is None or corrected is None:
        return error.hint
    return error.hint.replace(f"did you mean {error.correction[1]!r}?", f"did you mean `{corrected}`?", 1)


def unwritable_output(error: BaseException) -> GitregError | None:
    """Return the error that standard output cannot be written, if that is what an error says; None if not.

    It names no file, and was raised where something is printed: by click, or by a module of the command line.
    """
    if not isinstance(error, OSError) or error.filename is not None or error.__traceback__ is None:
        return None
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    if not trace.tb_frame.f_globals["__name__"].startswith(("click.", "gitreg.cli.")):
        return None
    reason = os.strerror(error.errno) if error.errno else str(error)
    return GitregError(f"standard output cannot be written: {reason}", hint="send it elsewhere, or make room there")
