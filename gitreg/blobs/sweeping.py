"""Finding and removing what nobody needs in a store's folder, beside processes that save to it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gitreg.blobs.store import Swept

BAD = ".bad"  # a damaged blob, set aside
_GOING = ".going"  # a blob on its way out, until it is certain that nobody saved it again
_OURS = re.compile(r"[0-9a-f]{64}(\.bad|\.going)?")


def sweep_blobs(folder: Path, live: frozenset[str], older_than: float, *, apply: bool) -> Iterator[Swept]:
    """Yield, and if `apply` remove, blobs that are neither live nor saved since, and damaged ones of that age."""
    for found in _files(folder):
        if not _OURS.fullmatch(found.name):
            continue
        # a name ending in .going: a sweep was killed before it was certain
        path = _put_back(found) if apply and found.suffix == _GOING else found
        if path.suffix != BAD and path.stem in live:
            continue
        status = _old(path, older_than)
        if status and not (apply and not _remove(path, older_than)):
            yield Swept(path.stem, status.st_size, status.st_mtime, "quarantined" if path.suffix == BAD else "blob")


def sweep_temporary(folder: Path, older_than: float, *, apply: bool) -> Iterator[Swept]:
    """Yield, and if `apply` remove, what killed saves left behind."""
    for path in _files(folder):
        if status := _old(path, older_than):
            if apply:
                path.unlink(missing_ok=True)
            yield Swept(None, status.st_size, status.st_mtime, "temporary")
    if apply and folder.is_dir():
        for staging in list(folder.iterdir()):
            if _old(staging, older_than):
                with suppress(OSError):  # it is not empty: something in it is young
                    staging.rmdir()


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            yield Path(parent, name)


def _old(path: Path, older_than: float) -> os.stat_result | None:
    try:
        status = path.lstat()
    except FileNotFoundError:  # somebody else was faster
        return None
    return status if status.st_mtime < older_than else None


def _remove(path: Path, older_than: float) -> bool:
    """Remove a blob unless somebody saves it again at this moment.

    A save touches the blob under its name. So it is renamed first, and looked at once more: a touch before the rename
    shows now, and a save after it finds no blob and writes its own.
    """
    going = path.with_suffix(_GOING) if path.suffix == "" else path
    try:
        os.rename(path, going)
    except FileNotFoundError:
        return False
    if not _old(going, older_than):
        _put_back(going)
        return False
    going.unlink(missing_ok=True)
    return True


def _put_back(going: Path) -> Path:
    blob = going.with_suffix("")
    with suppress(FileNotFoundError):
        os.rename(going, blob)
    return blob
