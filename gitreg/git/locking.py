"""Locks that processes wait for one another by: gitreg's own writers instead of racing for refs, and whoever else."""

from __future__ import annotations

import fcntl
import os
import time
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
    folder = common_dir / "gitreg"
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        if group:
            folder.chmod(0o2775)
    try:
        with locked(folder / "lock", timeout=timeout, mode=0o664 if group else 0o644):
            yield
    except LockHeldError as error:
        raise Conflict(
            f"another gitreg process has been writing to {common_dir} for {timeout:g} s", hint="try again"
        ) from error


class LockHeldError(OSError):
    """Somebody else had the lock all the time."""


@contextmanager
def locked(path: Path, *, timeout: float, mode: int = 0o644) -> Iterator[None]:
    """Hold a lock (flock(2)) on a file, which is made where it is not there, and stays; it ends with the process.

    The library filelock does no more of what is needed here, and takes longer to import than Python to start.

    Parameters
    ----------
    timeout:
        How long to wait for who holds it, in seconds.
    mode:
        The file's permissions, whatever the umask.

    Raises
    ------
    LockHeldError
        It was held all that time.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    try:
        if os.fstat(file).st_uid == os.geteuid():
            os.fchmod(file, mode)
        deadline = time.monotonic() + timeout
        while not _taken(file):
            if time.monotonic() >= deadline:
                raise LockHeldError(f"{path} is held by another process")
            time.sleep(_POLL)
        yield
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
