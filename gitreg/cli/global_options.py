"""The options before the command, shared by all commands: click passes them on as ``obj``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


class GlobalOptions:
    """The registry's place, the handling of its remote, and how much is printed.

    Parameters
    ----------
    arguments:
        The arguments of the program.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self.repo: str | None = None
        self.debug = False
        """Show the traceback of an error, and unexpected errors that were survived."""
        self.verbose = False
        """Show on standard error what gitreg does."""
        self.quiet = False
        """Print no notes and no progress, and of what is listed and written the ids only."""
        self.local = False
        self.fetch = False
        self.pr = False
        self.fields: tuple[str, ...] = ()
        """The fields that are printed of what is listed and shown; none: all of them."""
        self.command: click.Command | None = None
        """The innermost command that the arguments name, as far as they were understood."""
        self.arguments = list(arguments)
        """The arguments of that command, not parsed yet."""


def is_quiet() -> bool:
    """Return whether the current command was asked to print no notes and no progress."""
    options = _current()
    return options is not None and options.quiet


def chosen_fields() -> tuple[str, ...]:
    """Return the fields that the current command was asked to print; none means all."""
    options = _current()
    return () if options is None else options.fields


def _current() -> GlobalOptions | None:
    ctx = click.get_current_context(silent=True)
    return ctx.find_object(GlobalOptions) if ctx else None
