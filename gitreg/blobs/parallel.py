"""A few threads over many things, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

THREADS = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def threads() -> Executor:
    """Give a pool of a few threads."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import; a warm cache never copies

    return ThreadPoolExecutor(THREADS, thread_name_prefix="gitreg")


def one_thread() -> Executor:
    """Give a pool that does one thing after another."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, thread_name_prefix="gitreg")


def ahead(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
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
