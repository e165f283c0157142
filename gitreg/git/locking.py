"""The lock that gitreg's own writers take, so that they wait for one another instead of racing for refs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitreg.errors import Conflict

_POLL = 0.005  # seconds between two looks at the lock: a write takes 30 ms


@contextmanager
def writers_lock(common_dir: Path, *, timeout: float, group: bool) -> Iterator[None]:
    """Hold ``gitreg/lock`` in a repository's common folder; see `gitreg.git.Repository.lock`.

    Parameters
    ----------
    group:
        Let the group of a shared repository take it too.
    """
    # takes longer to import than Python to start
    from filelock import FileLock, Timeout

    folder = common_dir / "gitreg"
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        if group:
            folder.chmod(0o2775)
    lock = FileLock(folder / "lock", mode=0o664 if group else 0o644)
    try:
        lock.acquire(timeout=timeout, poll_interval=_POLL)
    except Timeout as error:
        raise Conflict(
            f"another gitreg process has been writing to {common_dir} for {timeout:g} s", hint="try again"
        ) from error
    try:
        yield
    finally:
        lock.release()
