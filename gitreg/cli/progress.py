"""The progress of work on standard error: after a second, on a terminal, with total, rate and time left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

from gitreg.cli.global_options import is_quiet
from gitreg.cli.terminal import color
from gitreg.progress import BYTES, NO_PROGRESS, show_with
from gitreg.units import size_text

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task, TaskID

    from gitreg.progress import Progress

_AFTER = 1.0  # seconds; what is done before needs no bar


class _Work:
    """One piece of work, which has a line of its own while it is shown."""

    def __init__(self, title: str, total: int | None, unit: str) -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self.done = 0
        self.line: tuple[Bars, TaskID] | None = None

    def advance(self, number: int, /) -> None:
        with _display.lock:
            self.done += number
            if self.line is not None:
                bars, task = self.line
                bars.update(task, completed=self.done)


class _Display:
    """The lines of all work that goes on; they appear when the first of it has taken a second."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._work: list[_Work] = []
        self._bars: Bars | None = None
        self._timer: Timer | None = None

    def begin(self, work: _Work) -> None:
        with self.lock:
            self._work.append(work)
            if self._bars is not None:
                self._add(self._bars, work)
            elif self._timer is None:
                self._timer = Timer(_AFTER, self._show)
                self._timer.daemon = True
                self._timer.start()

    def end(self, work: _Work) -> None:
        with self.lock:
            self._work.remove(work)
            if work.line is not None:
                bars, task = work.line
                bars.remove_task(task)
            if self._work:
                return
            if self._timer is not None:
                self._timer.cancel()
            bars_shown, self._bars, self._timer = self._bars, None, None
        if bars_shown is not None:
            bars_shown.stop()

    def _show(self) -> None:
        bars = _bars()
        with self.lock:
            if not self._work:  # it ended while rich was imported
                return
            self._bars = bars
            for work in self._work:
                self._add(bars, work)
            bars.start()

    def _add(self, bars: Bars, work: _Work) -> None:
        work.line = bars, bars.add_task(work.title, total=work.total, completed=work.done, unit=work.unit)


_display = _Display()


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(_amount(task))

    class TimeColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            if task.total is None:
                return TimeElapsedColumn().render(task)
            return Text.assemble(TimeRemainingColumn(compact=True).render(task), " left")

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), Amount(), TimeColumn())
    return Bars(*columns, console=Console(stderr=True, no_color=color() is False), transient=True)


def _amount(task: Task) -> str:
    """Return how much is done of how much, and the rate: ``12.0 MB of 40.0 MB, 5.1 MB/s``."""
    unit = task.fields["unit"]

    def text(number: float) -> str:
        return size_text(number) if unit == BYTES else f"{number:,.0f}"

    of = f" of {text(task.total)}" if task.total is not None else ""
    noun = "" if unit == BYTES else f" {unit}"
    rate = f", {text(task.speed)}/s" if task.speed else ""
    return f"{text(task.completed)}{of}{noun}{rate}"


def is_seen() -> bool:
    """Return whether somebody sees the progress: not in pipes, on dumb terminals, or with ``--quiet``."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not is_quiet()


def show_progress() -> None:
    """Show what git, the index and other parts report, too, where somebody sees it."""
    if is_seen():
        show_with(shown)


@contextmanager
def shown(title: str, total: int | None, unit: str = BYTES) -> Iterator[Progress]:
    """Show the progress of the body (:func:`gitreg.progress.reported`)."""
    if not is_seen():
        yield NO_PROGRESS
        return
    work = _Work(title, total, unit)
    _display.begin(work)
    try:
        yield work
    finally:
        _display.end(work)


@contextmanager
def progress(title: str, total: Callable[[], int | None] | None = None) -> Iterator[Progress]:
    """Show the bytes transferred, the speed and the remaining time, while the body runs.

    Parameters
    ----------
    title:
        The name of the transfer, shown before the bar.
    total:
        Returns the number of bytes, called only where it is shown; None where it is not known.
    """
    with shown(title, total() if total and is_seen() else None) as work:
        yield work
