"""A small thread pool whose results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, TypeVar

from gitreg.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

THREADS = 4
SMALL = 128 << 10
"""Size in bytes; for smaller files one thread is faster than several."""


class HasSize(Protocol):
    """An object with a size."""

    @property
    def size(self) -> int:
        """The size in bytes."""


Item = TypeVar("Item")
SizedItem = TypeVar("SizedItem", bound=HasSize)
Result = TypeVar("Result")


def threads() -> Executor:
    """Return a pool of four threads."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import; a warm cache never copies

    return ThreadPoolExecutor(THREADS, thread_name_prefix="gitreg")


def one_thread() -> Executor:
    """Return a pool of one thread, which keeps the order of its tasks."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="gitreg")


class _StoppedError(Exception):
    """The error that ends work whose result nobody waits for any more."""


class _Stoppable:
    """Progress that ends the work which reports it, once it is stopped."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def advance(self, number: int, /) -> None:
        if self._stopped:
            raise _StoppedError
        self._progress.advance(number)


def ahead(
    pool: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    stop: Callable[[], object] = lambda: None,
) -> Generator[Result, None, None]:
    """Yield the results of the work on each item, in order; a few results are computed ahead of the consumer.

    After a failure no more work is started, and work already started has finished; ``stop`` is called before that is
    waited for, to shorten it.
    """
    started: deque[Future[Result]] = deque()
    try:
        for item in items:
            started.append(pool.submit(work, item))
            if len(started) > THREADS:
                yield started.popleft().result()
        while started:
            yield started.popleft().result()
    finally:
        stop()
        for future in started:
            future.cancel()
        for future in started:
            if not future.cancelled():
                future.exception()


def by_size(
    pool: Executor, work: Callable[[SizedItem, Progress], Result], items: Sequence[SizedItem], progress: Progress
) -> Iterator[Result]:
    """Yield the results of the work on each file, in order; small files are processed in the caller's thread.

    The work reports to the progress that it is called with, which ends it early after a failure or an interrupt.

    Several threads with many short tasks wait for the GIL at each call: reading and hashing 10,000 files of 4 KiB takes
    0.17 s in one thread, 0.34 s in two and 0.6 s in four.
    """
    reports = _Stoppable(progress)
    large = (item for item in items if item.size >= SMALL)
    with closing(ahead(pool, lambda item: work(item, reports), large, reports.stop)) as others:
        for item in items:
            yield next(others) if item.size >= SMALL else work(item, progress)
