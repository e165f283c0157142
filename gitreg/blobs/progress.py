"""The interface for progress reports, in bytes."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A receiver of progress reports: bytes that were read, hashed or copied."""

    def advance(self, nbytes: int) -> None:
        """Add a number of bytes; several threads may call this at once."""


class _NoProgress:
    def advance(self, nbytes: int) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
