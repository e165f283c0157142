"""The options before the command, shared by all commands: click passes them on as ``obj``."""

from __future__ import annotations


class GlobalOptions:
    """The registry's place, the handling of its remote, and whether an error shows its traceback."""

    def __init__(self) -> None:
        self.repo: str | None = None
        self.debug = False
        self.local = False
        self.fetch = False
        self.pr = False
