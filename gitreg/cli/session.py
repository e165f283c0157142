"""What one run of the program was told before its command: click hands it on as ``obj``."""

from __future__ import annotations


class Session:
    """Which registry is meant, what becomes of its remote, and whether a failure shows its traceback."""

    def __init__(self) -> None:
        self.repo: str | None = None
        self.debug = False
        self.local = False
        self.fetch = False
        self.pr = False
