"""A few threads over a set of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gitreg.blobs.copying import SMALL

_THREADS = 4


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


File = TypeVar("File", bound=_Sized)
Result = TypeVar("Result")


def in_parallel(work: Callable[[File], Result], files: Sequence[File]) -> list[Result]:
    """Do the work on every file and return the results in the files' order; after a failure start nothing more.

    Large files go to threads. Small ones are done meanwhile, one after another in this thread: more threads would only
    fight for the interpreter's lock (2,000 files of 4 KiB: 0.9 seconds, with four threads 1.6).
    """
    large = [index for index, file in enumerate(files) if file.size > SMALL]
    if not large or len(files) == 1:
        return [work(file) for file in files]
    from concurrent.futures import ThreadPoolExecutor  # slow to import; a warm cache never copies

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="gitreg") as pool:
        futures = {index: pool.submit(work, files[index]) for index in large}
        try:
            small = {index: work(file) for index, file in enumerate(files) if index not in futures}
            return [futures[index].result() if index in futures else small[index] for index in range(len(files))]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
