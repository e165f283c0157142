"""The options before the command, shared by all commands: click passes them on as ``obj``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


class GlobalOptions:
    """The registry's place, the handling of its remote, and whether an error shows its traceback.

    Parameters
    ----------
    arguments:
        The arguments of the program.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self.repo: str | None = None
        self.debug = False
        self.local = False
        self.fetch = False
        self.pr = False
        self.command: click.Command | None = None
        """The innermost command that the arguments name, as far as they were understood."""
        self.arguments = list(arguments)
        """The arguments of that command, not parsed yet."""
