"""The progress bar of transfers, on standard error if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitreg.blobs.progress import NO_PROGRESS
from gitreg.cli.global_options import is_quiet

if TYPE_CHECKING:
    from rich.progress import TaskID

    from gitreg.blobs.progress import Progress

_WORTH_A_BAR = 32_000_000  # bytes; smaller transfers are done before the user looks


class _Bar:
    def __init__(self, bars: object, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, nbytes: int) -> None:
        self._bars.update(self._task, advance=nbytes)  # type: ignore[attr-defined]


@contextmanager
def progress(title: str, total: Callable[[], int] | None = None) -> Iterator[Progress]:
    """Show the bytes transferred, the speed and the remaining time, while the body runs.

    Parameters
    ----------
    title:
        The name of the transfer, shown before the bar.
    total:
        Returns the number of bytes, called only where it is shown; None where it is not known.
    """
    shown = sys.stderr.isatty() and not is_quiet()
    size = total() if total and shown else None
    if not shown or (size is not None and size < _WORTH_A_BAR):
        yield NO_PROGRESS
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(title), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, bars.add_task(title, total=size))
