"""Telling somebody how many bytes are done."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of bytes that were read, hashed or copied."""

    def advance(self, nbytes: int) -> None:
        """Take note of so many more bytes; called from several threads at once."""


class _NoProgress:
    def advance(self, nbytes: int) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
