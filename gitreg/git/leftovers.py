"""Ref locks that stay behind when git is killed while it moves refs for us.

git never removes such a lock (it cannot know whose it is) and asks a person to. We can know: what a writer is about to
move is noted first, and a note that is found under the writers' lock was left by a writer that was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.git.values import check_ref_name

_STALE = 2.0  # seconds after which a lock of a killed writer's git, which works for milliseconds, is nobody's


@contextmanager
def noted(git_dir: Path, common_dir: Path, names: Sequence[str]) -> Iterator[None]:
    """Note which refs the body moves; before that, remove the locks that a killed writer's git left on its own.

    Call it while holding the writers' lock.
    """
    note = common_dir / "gitreg" / "moving.json"
    with suppress(OSError, ValueError, TypeError, RecursionError, GitregError):
        for name in json.loads(note.read_text()):
            check_ref_name(name)  # the note itself might come with a stranger's repository
            _remove_lock(common_dir / f"{name}.lock")
        for own in (common_dir / "packed-refs.lock", common_dir / "HEAD.lock", git_dir / "HEAD.lock"):
            _remove_lock(own)
    note.parent.mkdir(exist_ok=True)
    note.write_text(json.dumps(list(names)))
    try:
        yield
    finally:
        with suppress(OSError):  # on a failing disk: what git says of it counts, and the next writer takes the note
            note.unlink(missing_ok=True)


def stale_locks(git_dir: Path) -> list[Path]:
    """Return the lock files of a repository that stay for longer than any process needs them, sorted.

    Parameters
    ----------
    git_dir:
        The Git folder, whose work tree has its index there.
    """
    fixed = [git_dir / f"{name}.lock" for name in ("HEAD", "index", "packed-refs", "config", "shallow")]
    found = [path for path in (*fixed, *(git_dir / "refs").rglob("*.lock")) if path.is_file()]
    return sorted(path for path in found if _stays(path))


def _stays(path: Path) -> bool:
    """Return whether a lock is old, or still the same after a moment."""
    with suppress(FileNotFoundError):
        begun = path.stat()
        time.sleep(min(_STALE, max(0.0, _STALE - (time.time() - begun.st_mtime))))
        now = path.stat()
        return (begun.st_ino, begun.st_mtime_ns) == (now.st_ino, now.st_mtime_ns)
    return False


def _remove_lock(path: Path) -> None:
    with suppress(FileNotFoundError):
        age = time.time() - path.stat().st_mtime
        if age < _STALE:
            time.sleep(_STALE - max(age, 0.0))
        if time.time() - path.stat().st_mtime >= _STALE:
            path.unlink()
