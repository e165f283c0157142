"""Errors of a command line that click does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


class WrongLineError(click.UsageError):
    """The error for a command line whose right form is certain.

    Parameters
    ----------
    arguments:
        The right arguments of the command.
    command:
        The name of the command that was meant; None for the same one.
    """

    def __init__(
        self, message: str, ctx: click.Context, arguments: Sequence[str], *, command: str | None = None
    ) -> None:
        super().__init__(message, ctx)
        self.arguments = list(arguments)
        self.command_path = f"{ctx.find_root().info_name} {command}" if command else ctx.command_path


class UnknownWordError(click.UsageError):
    """The error for a word that is none of those that are known.

    Parameters
    ----------
    word, known:
        The word, and those that may stand in its place.
    """

    def __init__(self, message: str, ctx: click.Context, word: str, known: Iterable[str]) -> None:
        super().__init__(message, ctx)
        self.word = word
        self.known = list(known)
