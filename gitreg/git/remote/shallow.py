"""The boundary of a shallow repository (gitrepository-layout(5), shallow)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gitreg.errors import Conflict
from gitreg.git.history.history import shallow_boundary


def move_boundary(common_dir: Path, added: Iterable[bytes], removed: Iterable[bytes]) -> None:
    """Record the commits whose parents are missing from now on, and those whose parents have arrived.

    Parameters
    ----------
    added, removed:
        The ids of these commits.

    Raises
    ------
    Conflict
        Another process is changing the boundary.
    """
    before = shallow_boundary(common_dir)
    after = (before | {oid.decode() for oid in added}) - {oid.decode() for oid in removed}
    if after == before:
        return
    file, lock = common_dir / "shallow", common_dir / "shallow.lock"
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError as error:
        raise Conflict(
            f"{lock} is there: another process fetches", hint="try again; if no Git process is running, remove it"
        ) from error
    with os.fdopen(descriptor, "w") as out:
        out.writelines(f"{oid}\n" for oid in sorted(after))
    if after:
        lock.replace(file)
    else:
        file.unlink()
        lock.unlink()
