"""Locks between processes: of gitreg's own writers, so that they do not race for refs, and for other files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitreg import system
from gitreg.errors import Conflict

_POLL = 0.005  # seconds between two attempts to take the lock: a write takes 30 ms


@contextmanager
def writers_lock(common_dir: Path, *, timeout: float, group: bool) -> Iterator[None]:
    """Lock ``gitreg/lock`` in a repository's common folder while the body runs; see `gitreg.git.Repository.lock`.

    Parameters
    ----------
    timeout:
        Seconds to wait for the lock.
    group:
        True if the group of a shared repository may take the lock too.

    Raises
    ------
    Conflict
        Another process has the lock all that time.
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
    """The error that another process had a lock for all of the timeout."""


@contextmanager
def locked(path: Path, *, timeout: float, mode: int = 0o644) -> Iterator[None]:
    """Lock a file while the body runs (flock(2)); the lock ends with the process, the file is created if missing.

    The file stays.

    Parameters
    ----------
    timeout:
        Seconds to wait for another holder.
    mode:
        The permissions of the file, whatever the umask.

    Raises
    ------
    LockHeldError
        Another process had the lock all that time.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, mode)
    try:
        if system.POSIX and os.fstat(file).st_uid == os.geteuid():
            os.fchmod(file, mode)
        deadline = time.monotonic() + timeout
        while not system.lock(file, wait=False):
            if time.monotonic() >= deadline:
                raise LockHeldError(f"{path} is held by another process")
            time.sleep(_POLL)
        yield
    finally:
        os.close(file)
