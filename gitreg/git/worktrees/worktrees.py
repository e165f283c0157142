"""Updates of the work trees that have a branch checked out, when it moves, as by ``git merge --ff-only``.

The update of each work tree is written down before the branch moves (in a journal per work tree), so that the next
process can finish it after a kill. All of this runs under the writers' lock, so a journal that is found is one left
behind.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from gitreg.errors import Conflict, GitregError, NotFound, Refused, WorkTreeLags
from gitreg.git.config import without_filters
from gitreg.git.discovery import RepositoryLayout, describe
from gitreg.git.history.history import first_parents, shallow_boundary
from gitreg.git.objects.loose import object_id
from gitreg.git.objects.store import ObjectStore
from gitreg.git.program import Git
from gitreg.git.refs.refs import Refs, head_branch
from gitreg.git.refs.stale_locks import remove_stale
from gitreg.git.values import PathChange
from gitreg.git.worktrees import checkout, reserved_space

_IN_THE_WAY = re.compile(r"(?:Entry|file|Updating|Removing)\s+'(.+?)'|^\t(.+)$", re.MULTILINE)
_FEW = 100  # files, up to which they are checked one by one
_LOCKED = re.compile(r"index\.lock': File exists")
_ATTEMPT = 10.0  # seconds within which git locks the index of a work tree that follows
_PATIENCE = 1.0  # seconds to wait for another process's lock on an index


@dataclass(frozen=True)
class Journal:
    """The update that one work tree needs once its branch has moved."""

    work_tree: str
    git_dir: str
    branch: str
    old: str | None
    new: str


class WorkTrees:
    """The work trees of a repository, main and linked.

    Parameters
    ----------
    git:
        The git program; None where there is none.
    """

    def __init__(self, layout: RepositoryLayout, git: Git | None, objects: ObjectStore, refs: Refs) -> None:
        self._layout = layout
        self._git = git
        self._objects = objects
        self._refs = refs
        self._journals = layout.common_dir / "gitreg" / "following"

    @contextmanager
    def follow(self, branch: str, old: str | None, new: str) -> Iterator[None]:
        """See `gitreg.git.Repository.follow`."""
        followers = [
            Journal(str(tree), str(git_dir), branch, old, new)
            for git_dir, tree in checkouts(self._layout).items()
            if head_branch(git_dir) == branch
        ]
        lagging = {journal.git_dir for _, journal in self._left_behind()}
        with ExitStack() as stack:
            for follower in followers:
                if follower.git_dir in lagging:
                    if os.path.lexists(Path(follower.git_dir, "index.lock")):
                        raise checkout.busy(Path(follower.git_dir), Path(follower.work_tree))
                    raise _lagging(follower)
                self._take_room(stack, follower)
                if found := self._try(follower, old, new, dry_run=True):
                    raise _refusal(follower, found)
            written = [(follower, self._write(follower)) for follower in followers]
            try:
                yield
            except BaseException:
                if self._refs.read(branch) != new:  # interrupted after the move, the journal is still needed
                    for _, path in written:
                        _forget(path)
                raise
        lags = {}
        for follower, path in written:
            _date(path)
            if why := self._why_not(follower):
                lags[Path(follower.work_tree)] = why  # the branch has moved: `finish` will try again
            else:
                _forget(path)
        if lags:
            raise WorkTreeLags(branch.removeprefix("refs/heads/"), new, lags)

    def finish(self) -> list[Path]:
        """See `gitreg.git.Repository.finish_following`."""
        finished = []
        for path, journal in self._left_behind():
            now = self._refs.read(journal.branch)
            gone = not Path(journal.git_dir, "HEAD").exists() or not Path(journal.work_tree).is_dir()
            if (
                gone
                or head_branch(Path(journal.git_dir)) != journal.branch
                or not now
                or not self._reached(journal, now)
            ):
                _forget(path)
            else:
                _remove_own_lock(path, journal)
                _date(path)
                if not self._complete(journal, now):
                    continue
                _forget(path)
                finished.append(Path(journal.work_tree))
        return finished

    def unfinished(self) -> list[Path]:
        """See `gitreg.git.Repository.unfinished_following`."""
        return sorted({Path(journal.work_tree) for _, journal in self._left_behind()})

    def changed(self, branch: str, commit: str) -> list[Path]:
        """See `gitreg.git.Repository.changed_work_trees`."""
        on_branch = [
            Journal(str(tree), str(git_dir), branch, commit, commit)
            for git_dir, tree in checkouts(self._layout).items()
            if head_branch(git_dir) == branch
        ]
        return [Path(each.work_tree) for each in on_branch if self._differs(each, commit)]

    def _differs(self, journal: Journal, commit: str) -> bool:
        """Return whether a work tree has other content for a file of a commit, staged or not."""
        if self._git is not None:
            self._run(journal, "update-index", "-q", "--refresh")
            return bool(self._run(journal, "diff-index", "--quiet", commit, "--"))
        tree, algorithm = Path(journal.work_tree), self._layout.object_format
        return any(checkout.content_id(tree, c.path, algorithm) != c.new for c in self._changes(None, commit))

    # -- journals ----------------------------------------------------------------------------------------------------

    def _write(self, journal: Journal) -> Path:
        self._journals.mkdir(parents=True, exist_ok=True)
        path = self._journals / f"{secrets.token_hex(8)}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(journal)), encoding="utf-8")
        temporary.replace(path)
        return path

    def _left_behind(self) -> list[tuple[Path, Journal]]:
        found = []
        for path in sorted(self._journals.glob("*.json")):
            try:
                found.append((path, Journal(**json.loads(path.read_text(encoding="utf-8")))))
            except (ValueError, TypeError, RecursionError, FileNotFoundError):
                continue  # finished by another process, or not a journal
        return found

    def _reached(self, journal: Journal, now: str) -> bool:
        """Return whether the branch has moved to the commit in the journal, and perhaps on from there."""
        try:
            commits = first_parents(self._objects, now, shallow_boundary(self._layout.common_dir), until=journal.old)
            return any(commit.oid == journal.new for commit in commits)
        except NotFound:
            return False

    def _complete(self, journal: Journal, now: str) -> bool:
        try:
            if not self._try(journal, journal.old, now):
                return True
            # The update ended half-way: files with new content are its own, not the user's work.
            self._remove_half_written(journal)
            self._adopt(journal)
            return not self._try(journal, journal.old, journal.new) and not self._try(journal, journal.new, now)
        except Conflict:
            return False

    def _take_room(self, stack: ExitStack, journal: Journal) -> None:
        """Reserve the permission and the disk space for a work tree to follow, while the stack is open."""
        changes = self._changes(journal.old, journal.new)
        few = len(changes) <= _FEW  # a registry's files are small: the sizes of many are not worth reading all
        sizes = {
            change.path: None
            if change.new is None
            else len(self._objects.get(change.new, "blob", limit=None))
            if few
            else 0
            for change in changes
        }
        try:
            stack.enter_context(reserved_space.held(Path(journal.git_dir), Path(journal.work_tree), sizes))
        except OSError as error:
            raise GitregError(
                f"the work tree {journal.work_tree} cannot follow {journal.branch.removeprefix('refs/heads/')}, so "
                f"nothing was moved: {error.filename}: {error.strerror}",
                hint="make room there, or get the right to write there, and try again",
            ) from None

    def _why_not(self, journal: Journal) -> str:
        """Update a work tree to the new commit; return the reason why it failed, or ""."""
        try:
            found = self._try(journal, journal.old, journal.new)
        except GitregError as error:
            return error.message
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return f"in the way: {_few(found)}" if found else ""

    # -- moving one work tree ----------------------------------------------------------------------------------------

    def _try(self, journal: Journal, old: str | None, new: str, *, dry_run: bool = False) -> list[str]:
        """Update a work tree from old to new; return the files in the way, in which case nothing was touched."""
        git_dir, work_tree = Path(journal.git_dir), Path(journal.work_tree)
        if self._git is None:
            changes = self._changes(old, new)
            return checkout.apply(self._objects, git_dir, work_tree, changes, new, dry_run=dry_run)
        if found := self._overwritten(journal, old, new):
            return found
        if dry_run and self._untouched(journal, old, new):
            return []
        empty = object_id("tree", b"", self._layout.object_format)
        command = ["read-tree", "-m", "-u", *(["--dry-run"] if dry_run else []), old or empty, new]
        if not (problem := self._run(journal, *command)):
            return []
        self._run(journal, "update-index", "-q", "--refresh")  # a touched file with the same content is no change
        if not (problem := self._run(journal, *command)):
            return []
        return [a or b for a, b in _IN_THE_WAY.findall(problem)] or [problem.removeprefix("fatal: ")]

    def _untouched(self, journal: Journal, old: str | None, new: str) -> bool:
        """Return whether it is certain that nothing is in the way, found faster than by a dry run over all files.

        That is so where the few files that change are in the index and the work tree as in the old commit.
        """
        changes = self._changes(old, new)
        added = [change.path for change in changes if change.old is None]
        if (
            old is None
            or len(changes) > _FEW
            or os.path.lexists(Path(journal.git_dir, "index.lock"))
            or not all(_is_free(Path(journal.work_tree), path) for path in added)
        ):
            return False
        paths = [change.path for change in changes]
        return not self._run(journal, "--literal-pathspecs", "diff-index", "--quiet", old, "--", *paths)

    def _overwritten(self, journal: Journal, old: str | None, new: str) -> list[str]:
        """Return the untracked files that git would silently overwrite, because they are ignored."""
        changes = self._changes(old, new)
        going = {change.path for change in changes if change.new is None}
        return [
            change.path
            for change in changes
            if change.old is None
            and checkout.content_id(Path(journal.work_tree), change.path, self._layout.object_format, going)
            not in (None, change.new)
        ]

    def _changes(self, old: str | None, new: str) -> list[PathChange]:
        return list(self._objects.diff(self._objects.root(old) if old else None, self._objects.root(new)))

    def _remove_half_written(self, journal: Journal) -> None:
        """Remove the files that contain only the beginning of their new content: no one's work is lost by that."""
        for change in self._changes(journal.old, journal.new):
            present = checkout.content_id(Path(journal.work_tree), change.path, self._layout.object_format)
            if change.new is None or present in (None, checkout.ODD, change.old, change.new):
                continue
            path = Path(journal.work_tree, change.path)
            if self._objects.get(change.new, "blob", limit=None).startswith(path.read_bytes()):
                path.unlink()

    def _adopt(self, journal: Journal) -> None:
        """Add the files that have the new content already to the index, so that they are not in the way."""
        if self._git is None:
            return  # `checkout` compares contents, and accepts such files
        lines = []
        for change in self._changes(journal.old, journal.new):
            if checkout.content_id(Path(journal.work_tree), change.path, self._layout.object_format) == change.new:
                entry = self._objects.entry(journal.new, change.path)
                mode, oid = (f"{entry.mode:o}", entry.oid) if entry else ("0", "0" * self._layout.oid_length)
                lines.append(f"{mode} {oid}\t{change.path}\0")
        self._run(journal, "update-index", "-z", "--index-info", stdin="".join(lines))

    def _run(self, journal: Journal, *command: str, stdin: str = "") -> str:
        """Run git on a work tree; return the error message if it failed, else "".

        Raises
        ------
        WorkTreeBusy
            Another process keeps the index of the work tree locked.
        """
        assert self._git is not None
        git_dir, work_tree = Path(journal.git_dir), Path(journal.work_tree)
        settings = without_filters(self._git, describe(git_dir, found_at=work_tree))
        deadline = time.monotonic() + _PATIENCE
        while True:
            result = self._git.run(
                f"--git-dir={git_dir}", f"--work-tree={work_tree}", *command,
                cwd=work_tree, stdin=stdin.encode("utf-8", "surrogateescape"), settings=settings,
            )  # fmt: skip
            output = result.stderr.decode("utf-8", "replace").strip()
            if not result.returncode:
                return ""
            if not _LOCKED.search(output):
                return output or f"git ended with {result.returncode}"
            if time.monotonic() > deadline:
                raise checkout.busy(git_dir, work_tree)
            time.sleep(0.02)


def _is_free(work_tree: Path, path: str) -> bool:
    """Return whether nothing is at a path, and its existing parents are plain folders."""
    if os.path.lexists(work_tree / path):
        return False
    nearest = next(parent for parent in (work_tree / path).parents if os.path.lexists(parent))
    return nearest.is_dir() and nearest.resolve() == work_tree.resolve() / nearest.relative_to(work_tree)


def checkouts(layout: RepositoryLayout) -> dict[Path, Path]:
    """Return the work trees of a repository: for each, its Git folder and the folder with its files."""
    linked = sorted(path.parent for path in (layout.common_dir / "worktrees").glob("*/gitdir"))
    layouts = [describe(git_dir, found_at=None) for git_dir in (layout.common_dir, *linked)] + [layout]
    return {one.git_dir: one.work_tree for one in layouts if one.work_tree is not None and one.work_tree.is_dir()}


def _remove_own_lock(path: Path, journal: Journal) -> None:
    """Remove the index.lock of a git process that was killed at the last attempt to follow.

    The attempt began when its journal was dated last. A lock that came much later is somebody else's.
    """
    lock = Path(journal.git_dir, "index.lock")
    with suppress(OSError):
        attempt = path.stat().st_mtime
        if attempt - _PATIENCE < lock.stat().st_mtime < attempt + _ATTEMPT:
            remove_stale(lock)


def _date(path: Path) -> None:
    """Note in the date of a journal that an attempt to follow begins."""
    with suppress(OSError):
        os.utime(path)


def _forget(path: Path) -> None:
    """Remove a journal; one that a failing disk keeps is no error: the next writer finds its update done."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _refusal(journal: Journal, found: list[str]) -> Refused:
    return Refused(
        f"uncommitted work in {journal.work_tree} is in the way of {journal.branch}: {_few(found)}",
        hint="commit or stash it, or move the files away, and try again",
    )


def _lagging(journal: Journal) -> Refused:
    return Refused(
        f"the work tree {journal.work_tree} lags behind {journal.branch.removeprefix('refs/heads/')}, and something "
        "there is in the way",
        hint="`git status` there shows it; then: `gitreg doctor --repair`",
    )


def _few(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
