"""A few threads over many things, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

THREADS = 4
SMALL = 128 << 10
"""Bytes of a file below which one thread is faster than several."""


class HasSize(Protocol):
    """A file, in whatever role."""

    @property
    def size(self) -> int:
        """In bytes."""


Item = TypeVar("Item")
SizedItem = TypeVar("SizedItem", bound=HasSize)
Result = TypeVar("Result")


def threads() -> Executor:
    """Give a pool of a few threads."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import; a warm cache never copies

    return ThreadPoolExecutor(THREADS, thread_name_prefix="gitreg")


def one_thread() -> Executor:
    """Give a pool that does one thing after another."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="gitreg")


def ahead(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """Do the work on each item and yield the results in order, a few of them made ahead of who takes them.

    After a failure nothing more is started, and what was started has ended.
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
        for future in started:
            future.cancel()
        for future in started:
            if not future.cancelled():
                future.exception()


def by_size(pool: Executor, work: Callable[[SizedItem], Result], items: Sequence[SizedItem]) -> Iterator[Result]:
    """Do the work on each file and yield the results in order: on small ones here, on the others as `ahead` does.

    Threads with much short work wait for the interpreter's lock at each of its calls: 10,000 files of 4 KiB are read
    and hashed in 0.17 s by one, in 0.34 by two and in 0.6 by four.
    """
    with closing(ahead(pool, work, (item for item in items if item.size >= SMALL))) as others:
        for item in items:
            yield next(others) if item.size >= SMALL else work(item)
