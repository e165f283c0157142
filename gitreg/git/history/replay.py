"""The changes of consecutive commits, oldest first: read one by one in process, or by thousands with the git program.

To index a version takes a dozen single reads of packed objects in process; git reads a thousand commits in two streams,
in a tenth of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from gitreg.errors import IntegrityError, TooLarge
from gitreg.git.objects.loose import object_id
from gitreg.git.objects.parsing import parse_commit, parse_tag
from gitreg.git.objects.store import LARGEST, ObjectStore
from gitreg.git.program import Git
from gitreg.git.values import Commit, Oversized, PathChange, Tag

WORTH_A_PROCESS = 100
"""The number of commits above which the git program is faster than reading in process."""

_AT_ONCE = 4000  # commits in one call of git
_BYTES_AT_ONCE = 16 * 1024 * 1024  # bytes of content in memory at a time
_MOST_MEMORY = "64m"
"""The largest allocation that git may make: a small file can be a delta of a file of gigabytes.

Set by GIT_ALLOC_LIMIT of git's own tests (wrapper.c); a git that ignores it takes the memory."""
_OVER = "over limit"  # git's message then

Content = bytes | Oversized | None


class Replayed(NamedTuple):
    """A commit and the files that it changed, as pairs of path and new content, None for a removed file."""

    commit: Commit
    files: Iterator[tuple[str, Content]]


def replay_in_process(
    objects: ObjectStore,
    before: str | None,
    line: Sequence[str],
    folder: str,
    diff: Callable[..., Iterator[PathChange]],
    limit: int | None,
) -> Iterator[Replayed]:
    """Yield commits with their changed files, read with `Objects`; see `gitreg.git.Repository.replay`."""
    for oid in line:
        changes = diff(before, oid, folder)
        files = ((change.path, _content(objects, change.new, limit) if change.new else None) for change in changes)
        yield Replayed(objects.commit(oid), files)
        before = oid


def replay_by_git(
    git: Git,
    git_dir: Path,
    objects: ObjectStore,
    before: str | None,
    line: Sequence[str],
    folder: str,
    limit: int | None,
) -> Iterator[Replayed] | None:
    """Return an iterator of commits with their changed files, read with git; None where git refuses the repository."""
    if git.run("--git-dir", str(git_dir), "rev-parse", "--git-dir", cwd=git_dir).returncode:
        return None
    if limit is not None:
        git = git._replace(env={**git.env, "GIT_ALLOC_LIMIT": _MOST_MEMORY})
    return _replay_by_git(git, git_dir, objects, before, line, folder, limit)


def line_by_git(git: Git, git_dir: Path, oid: str) -> list[str] | None:
    """Return the ids of a commit and its first parents, newest first; None where git fails."""
    result = git.run("--git-dir", str(git_dir), "rev-list", "--first-parent", oid, "--", cwd=git_dir)
    return result.stdout.decode().split() if not result.returncode else None


def revision_by_git(git: Git, git_dir: Path, text: str) -> str | None:
    """Return the id of the object that a revision means to git (gitrevisions(7)), or None."""
    asked = "--git-dir", str(git_dir), "rev-parse", "--verify", "--quiet", "--end-of-options", text
    result = git.run(*asked, cwd=git_dir)
    found = result.stdout.decode("ascii", "replace").strip()
    return found if not result.returncode and found.isalnum() else None  # git answers ^ID to ^NAME


def tags_by_git(git: Git, git_dir: Path, objects: ObjectStore, oids: Sequence[str]) -> Iterator[Tag]:
    """Yield those of the objects that are annotated tags."""
    result = git.run(
        "--git-dir", str(git_dir), "cat-file", "--batch-check", "--buffer", cwd=git_dir, stdin=_lines(oids).encode()
    )
    fields = (line.split(b" ") for line in result.stdout.splitlines())
    found = [oid.decode() for oid, kind, *size in fields if kind == b"tag" and int(size[0]) <= LARGEST]
    contents = _Contents(git, git_dir, objects, found, LARGEST)
    for oid in found:
        content = contents.take(oid)
        if isinstance(content, bytes):
            yield parse_tag(oid, content)


def _replay_by_git(
    git: Git,
    git_dir: Path,
    objects: ObjectStore,
    before: str | None,
    line: Sequence[str],
    folder: str,
    limit: int | None,
) -> Iterator[Replayed]:
    tree = objects.commit(before).tree if before else object_id("tree", b"", objects.object_format)

    def compare(start: int, tree: str) -> tuple[list[Commit], list[list[tuple[str, str | None]]]]:
        commits = _commits(git, git_dir, objects, line[start : start + _AT_ONCE], limit)
        return commits, _changes(git, git_dir, [tree, *(commit.tree for commit in commits)], folder)

    from concurrent.futures import ThreadPoolExecutor  # slow to import

    with ThreadPoolExecutor(1) as pool:  # git compares the next trees while the changes of these are read
        compared = pool.submit(compare, 0, tree)
        for after in range(_AT_ONCE, len(line) + _AT_ONCE, _AT_ONCE):
            commits, changed = compared.result()
            if after < len(line):
                compared = pool.submit(compare, after, commits[-1].tree)
            wanted = [new for changes in changed for _, new in changes if new]
            contents = _Contents(git, git_dir, objects, wanted, limit)
            for commit, changes in zip(commits, changed, strict=True):
                yield Replayed(commit, ((path, contents.take(new) if new else None) for path, new in changes))


def _commits(git: Git, git_dir: Path, objects: ObjectStore, oids: Sequence[str], limit: int | None) -> list[Commit]:
    contents = _Contents(git, git_dir, objects, oids, limit)
    found = []
    for oid in oids:
        content = contents.take(oid)
        if isinstance(content, Oversized):
            raise TooLarge(f"the commit {oid}", content.size, limit or LARGEST, object_type="commit")
        found.append(parse_commit(oid, content))
    return found


def _changes(git: Git, git_dir: Path, trees: Sequence[str], folder: str) -> list[list[tuple[str, str | None]]]:
    """Return, for each pair of consecutive trees, the paths and new object ids of the files that differ."""
    output = _run(
        git, git_dir, "--literal-pathspecs", "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames",
        "--no-abbrev", *(["--", folder] if folder else []), stdin=_lines(map(" ".join, pairwise(trees))),
    )  # fmt: skip
    found: list[list[tuple[str, str | None]]] = []
    fields = iter(output.split(b"\0"))
    for field in fields:
        *pairs, raw = field.split(b"\n")  # one line for each pair of trees, before its differences if any
        found.extend([] for _ in pairs)
        if not raw:
            break
        old_mode, new_mode, old, new, _ = raw[1:].split(b" ")
        path = next(fields).decode("utf-8", "surrogateescape")
        was, now = (oid if mode.startswith(b"100") else None for mode, oid in ((old_mode, old), (new_mode, new)))
        if was != now:
            found[-1].append((path, now.decode() if now else None))
    return found


def _content(objects: ObjectStore, oid: str, limit: int | None) -> bytes | Oversized:
    try:
        return objects.get(oid, "blob", limit)
    except TooLarge as error:
        return Oversized(oid, error.size)


class _Contents:
    """The contents of objects, read ahead of a caller who takes them in order, a few megabytes at a time."""

    def __init__(self, git: Git, git_dir: Path, objects: ObjectStore, wanted: Sequence[str], limit: int | None) -> None:
        self._git = git
        self._git_dir = git_dir
        self._objects = objects
        self._limit = limit
        self._wanted = deque(wanted)
        self._sizes = _sizes(git, git_dir, wanted)
        self._read: dict[str, bytes | Oversized] = {}

    def take(self, oid: str) -> bytes | Oversized:
        if oid not in self._read:
            while self._wanted and self._wanted[0] != oid:  # contents that were not taken
                self._wanted.popleft()
            self._read = self._read_ahead()
        return self._read[oid]

    def _read_ahead(self) -> dict[str, bytes | Oversized]:
        found: dict[str, bytes | Oversized] = {}
        asked: list[str] = []
        room = _BYTES_AT_ONCE
        while self._wanted and (room > 0 or not found):
            oid = self._wanted.popleft()
            if oid in found:
                continue
            size = self._sizes[oid]
            found[oid] = b""
            if self._limit is not None and size > self._limit:
                found[oid] = Oversized(oid, size)
            else:
                asked.append(oid)
                room -= size
        return found | self._ask(asked)

    def _ask(self, oids: Sequence[str]) -> dict[str, bytes | Oversized]:
        try:
            output = _run(self._git, self._git_dir, "cat-file", "--batch", "--buffer", stdin=_lines(oids))
        except IntegrityError as error:
            if _OVER not in error.message:
                raise
            # One of them is a delta of a huge object. Read in process, only that one is refused.
            return {oid: self._alone(oid) for oid in oids}
        found: dict[str, bytes | Oversized] = {}
        at = 0
        for oid in oids:
            end = output.index(b"\n", at)
            at = end + 1 + _size(oid, output[at:end])
            found[oid] = output[end + 1 : at]
            at += 1
        return found

    def _alone(self, oid: str) -> bytes | Oversized:
        try:
            found = self._objects.find(oid, self._limit)
        except TooLarge as error:
            return Oversized(oid, error.size)
        if found is None:
            raise IntegrityError(f"{oid} cannot be read", hint="run `git fsck`")
        return found[1]


def _sizes(git: Git, git_dir: Path, oids: Sequence[str]) -> dict[str, int]:
    output = _run(git, git_dir, "cat-file", "--batch-check", "--buffer", stdin=_lines(oids))
    return {oid: _size(oid, line) for oid, line in zip(oids, output.splitlines(), strict=True)}


def _size(oid: str, header: bytes) -> int:
    """Return the size in the header of git's answer for an object, in bytes."""
    fields = header.split(b" ")
    if len(fields) != 3 or fields[0] != oid.encode():
        raise IntegrityError(f"git cannot read {oid}: {header.decode(errors='replace')}", hint="run `git fsck`")
    return int(fields[2])


def _lines(words: Iterable[str]) -> str:
    return "".join(f"{word}\n" for word in words)


def _run(git: Git, git_dir: Path, *command: str, stdin: str) -> bytes:
    done = git.run("--git-dir", str(git_dir), *command, cwd=git_dir, stdin=stdin.encode())
    if done.returncode:
        raise IntegrityError(
            f"git cannot read {git_dir}: {done.stderr.decode(errors='replace').strip()}", hint="run `git fsck`"
        )
    return done.stdout
