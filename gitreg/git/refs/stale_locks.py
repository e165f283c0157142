"""Stale locks, left by a git process that was killed while it worked for a writer.

git never removes such a lock, since it cannot know whose it is, and asks a person to do so. gitreg knows: a writer
notes the refs that it is about to move, and a note that is found under the writers' lock is that of a killed writer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.git.values import check_ref_name

_STALE = 2.0  # seconds after which a lock is stale: git holds one for milliseconds


@contextmanager
def noted(git_dir: Path, common_dir: Path, names: Sequence[str]) -> Iterator[None]:
    """Note the refs that the body moves, after removing stale locks that a killed writer's git left on its refs.

    Call it while holding the writers' lock.
    """
    note = common_dir / "gitreg" / "moving.json"
    with suppress(OSError, ValueError, TypeError, RecursionError, GitregError):
        for name in json.loads(note.read_text()):
            check_ref_name(name)  # the note may be part of an untrusted repository
            remove_stale(common_dir / f"{name}.lock")
        for own in (common_dir / "packed-refs.lock", common_dir / "HEAD.lock", git_dir / "HEAD.lock"):
            remove_stale(own)
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps(list(names)))
    try:
        yield
    finally:
        with suppress(OSError):  # on a failing disk: git reports its own error, and the next writer removes the note
            note.unlink(missing_ok=True)


def stale_locks(git_dir: Path) -> list[Path]:
    """Return the lock files of a repository that stay longer than any process needs them, sorted.

    Waits up to two seconds for each recent lock to see whether it goes away.

    Parameters
    ----------
    git_dir:
        The Git folder, with the index of its work tree.
    """
    fixed = [git_dir / f"{name}.lock" for name in ("HEAD", "index", "packed-refs", "config", "shallow")]
    found = [path for path in (*fixed, *(git_dir / "refs").rglob("*.lock")) if path.is_file()]
    return sorted(path for path in found if _stays(path))


def _stays(path: Path) -> bool:
    """Return whether a lock is old, or unchanged after a moment."""
    with suppress(FileNotFoundError):
        begun = path.stat()
        time.sleep(min(_STALE, max(0.0, _STALE - (time.time() - begun.st_mtime))))
        now = path.stat()
        return (begun.st_ino, begun.st_mtime_ns) == (now.st_ino, now.st_mtime_ns)
    return False


def remove_stale(path: Path) -> None:
    """Remove a lock that a killed process left, after waiting until it is so old that no process can be using it."""
    with suppress(FileNotFoundError):
        age = time.time() - path.stat().st_mtime
        if age < _STALE:
            time.sleep(_STALE - max(age, 0.0))
        if time.time() - path.stat().st_mtime >= _STALE:
            path.unlink()
