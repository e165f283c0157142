"""The progress of what takes long: work reports it, and whoever runs the work may show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

Item = TypeVar("Item")
BYTES = "bytes"


class Progress(Protocol):
    """A receiver of progress reports: bytes that were read, hashed or copied, or other units of work."""

    def advance(self, number: int, /) -> None:
        """Add a number of units; several threads may call this at once."""


class _NoProgress:
    def advance(self, number: int, /) -> None:
        pass


NO_PROGRESS: Progress = _NoProgress()
Shown = Callable[[str, int | None, str], AbstractContextManager[Progress]]
_shown: list[Shown] = []


def show_with(shown: Shown) -> None:
    """Set the function that shows progress in this process: from title, total and unit to a context."""
    _shown[:] = [shown]


def is_shown() -> bool:
    """Return whether anything shows the progress."""
    return bool(_shown)


def reported(title: str, total: int | None, unit: str = BYTES) -> AbstractContextManager[Progress]:
    """Return a context with the receiver of the reports of a piece of work, which shows them or not.

    Parameters
    ----------
    total:
        The number of units of the whole; None where it is not known.
    unit:
        The units in the plural: ``bytes``, ``commits``.
    """
    return _shown[0](title, total, unit) if _shown else nullcontext(NO_PROGRESS)


def counting(items: Iterable[Item], title: str, total: int | None, unit: str) -> Iterator[Item]:
    """Yield items, and report each as one unit of work."""
    if not _shown:
        yield from items
        return
    with reported(title, total, unit) as progress:
        for item in items:
            yield item
            progress.advance(1)
