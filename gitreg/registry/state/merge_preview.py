"""The merge preview: the registry as it will be once a commit is merged into its branch, by any method of merging.

It is a three-way comparison: the merge base, the branch and the commit.

Only the differences are read: a copy of the index is extended by the proposed commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from gitreg.documents.layout import MAX_BYTES, Key, parse_path
from gitreg.errors import Refused, TooLarge
from gitreg.git import Commit, Oversized, PathChange, Repository
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import BranchCommit
from gitreg.registry.state.index_builder import derive
from gitreg.registry.state.index_rows import FileColumns
from gitreg.registry.state.snapshot import Snapshot

SEALED = ("model_version", "artifact")
"""The kinds of records that never change once they are on the branch."""


@dataclass(frozen=True)
class Change:
    """One file that a merge changes.

    Parameters
    ----------
    path:
        The path inside the repository.
    key:
        The key of the document; None if the file does not belong to a registry.
    old, new:
        The object ids of its content on the branch and after the merge; None if the file does not exist.
    first:
        The object id of its first content in the proposal's own commits. If it is not ``new``, and the commits come
        onto the branch one by one, the file is edited there.
    """

    path: str
    key: Key | None
    old: str | None
    new: str | None
    first: str | None


@dataclass(frozen=True)
class Merge:
    """The branch before and after a merge.

    Parameters
    ----------
    base:
        The snapshot of the branch before the merge; None if the branch does not exist yet.
    head:
        The snapshot after the merge.
    changes:
        The files that differ, by path, and those that the proposal both adds and removes.
    conflicts:
        The paths that both sides changed differently.
    steps:
        For each path, the changes by the proposal's own commits, in order: the object ids before and after.
    """

    base: Snapshot | None
    head: Snapshot
    changes: tuple[Change, ...]
    conflicts: tuple[str, ...]
    steps: Mapping[str, Sequence[tuple[str | None, str | None]]] = field(default_factory=dict)


@contextmanager
def preview_merge(branch: RegistryBranch, base: str | None, head: str) -> Iterator[Merge]:
    """Yield the preview of a merge; it is valid inside the ``with`` block only.

    Parameters
    ----------
    base:
        The commit that the branch is at; None if the branch does not exist yet.
    head:
        The commit to merge. If it is a descendant of the base, the branch will be at it.

    Raises
    ------
    Refused
        The two commits share no history, as far as this clone knows it.
    """
    repository, root = branch.repository, branch.root
    if base is None:
        added = [
            Change(change.path, _key(change.path, root), None, change.new, change.new)
            for change in repository.diff(None, head, root)
        ]
        after = branch.snapshot_at(head)
        yield Merge(None, after, (*added, *_came_and_went(after, root)), ())
        return
    fork, commits = repository.ahead(head, base)
    if fork is None:
        raise _strangers(repository, base, head)
    theirs = {} if fork == base else {change.path: change.new for change in repository.diff(fork, base, root)}
    ours = {change.path: change for change in repository.diff(fork, head, root) if change.old != change.new}
    wanted = {path: change for path, change in ours.items() if path not in theirs}
    conflicts = [path for path, change in ours.items() if path in theirs and theirs[path] != change.new]
    firsts, steps, changes_by_path = _steps(
        repository, root, commits, {path: change.new for path, change in wanted.items()}
    )
    settled = {path for _, paths in steps for path in paths}
    if left := [path for path in wanted if path not in settled]:  # set by merge commits, or by commits missing here
        tip = repository.commit(head)
        steps = [*(step for step in steps if step[0].oid != head), (tip, [*dict(steps).get(tip, []), *left])]
    changes = [
        Change(path, _key(path, root), change.old, change.new, firsts.get(path, change.new))
        for path, change in wanted.items()
    ]
    gone = [path for path in firsts if path not in ours and not repository.has(fork, path)]
    changes += [Change(path, _key(path, root), None, None, firsts[path]) for path in gone]
    before = branch.snapshot_at(base)
    with closing(before.index.copied()) as index:
        index.rewind(before.seq)
        index.extend((commit, _derived(repository, root, wanted, paths), False) for commit, paths in steps)
        after = Snapshot(index, before.seq + len(steps), head)
        yield Merge(
            before,
            after,
            tuple(sorted(changes, key=lambda change: change.path)),
            tuple(sorted(conflicts)),
            changes_by_path,
        )


def is_first_parent_ancestor(repository: Repository, base: str, head: str) -> bool:
    """Return whether ``base`` is on the first-parent line of ``head``: a branch at one can move on to the other."""
    if base == head:
        return True
    line = repository.line(head, until=base)
    return repository.commit(line[-1]).parents[:1] == (base,)


def writing_commit(branch: RegistryBranch, moment: BranchCommit, key: Key) -> BranchCommit:
    """Return the commit that wrote the present content of a file; for a merge commit, the commit that it brought.

    The position, the date and the boundary stay those of the branch's own commit.
    """
    repository, root = branch.repository, branch.root
    base, *others = repository.commit(moment.oid).parents or (None,)
    if not others or base is None:
        return moment
    path = f"{root}/{key.path}" if root else key.path
    wanted = {change.path: change.new for change in repository.diff(base, moment.oid, root) if change.path == path}
    _, steps, _ = _steps(repository, root, repository.ahead(moment.oid, base)[1], wanted)
    for commit, paths in steps:
        if path in paths:
            who, by = commit.author, commit.committer
            author_commit = moment._replace(oid=commit.oid, author=who.name, email=who.email, message=commit.message)
            return author_commit._replace(committer=f"{by.name} <{by.email}>")
    return moment


def each_commit(branch: RegistryBranch, base: str, head: str) -> Iterator[tuple[str, Merge]]:
    """Yield each new commit of a branch with its change as a `Merge`, oldest first; read it before the next is taken.

    Parameters
    ----------
    base:
        The commit that the branch is at, on the first-parent line of the head.
    head:
        The commit that the branch is to move to.
    """
    repository, root = branch.repository, branch.root
    for oid in reversed(repository.line(head, until=base)):
        parent, *others = repository.commit(oid).parents
        if others:
            with preview_merge(branch, parent, oid) as merge:
                yield oid, merge
            continue
        index = branch.snapshot_at(head).index
        seq = index.position(oid)
        assert seq is not None  # it is on the line that leads to the head
        changes = [
            Change(change.path, _key(change.path, root), change.old, change.new, change.new)
            for change in repository.diff(parent, oid, root)
        ]
        yield oid, Merge(Snapshot(index, seq - 1, parent), Snapshot(index, seq, oid), tuple(changes), ())


def _came_and_went(head: Snapshot, root: str) -> Iterator[Change]:
    """Yield the changes of sealed records that a branch's history contains and its head lacks."""
    for kind in SEALED:
        for entry in head.index.removed(head.seq, kind):
            key = Key(kind, entry.model, entry.name)
            if head.index.get(head.seq, *key) is None:
                yield Change(f"{root}/{key.path}" if root else key.path, key, None, None, entry.digest)


def _steps(
    repository: Repository, root: str, commits: Sequence[Commit], wanted: Mapping[str, str | None]
) -> tuple[dict[str, str | None], list[tuple[Commit, list[str]]], dict[str, list[tuple[str | None, str | None]]]]:
    """Return the first content of each file in a proposal, the commits that set the final contents, and all changes."""
    changes_by_path: dict[str, list[tuple[str | None, str | None]]] = {}
    firsts: dict[str, str | None] = {}
    steps: list[tuple[Commit, list[str]]] = []
    settled: set[str] = set()
    for commit in reversed(commits):
        if len(commit.parents) > 1 or repository.is_boundary(commit.oid):
            continue  # the merged commits are in the list themselves
        paths = []
        for change in repository.diff(commit.parents[0] if commit.parents else None, commit.oid, root):
            firsts.setdefault(change.path, change.new)
            changes_by_path.setdefault(change.path, []).append((change.old, change.new))
            if change.path not in settled and change.path in wanted and wanted[change.path] == change.new:
                settled.add(change.path)
                paths.append(change.path)
        steps.append((commit, paths))
    return firsts, steps, changes_by_path


def _derived(
    repository: Repository, root: str, wanted: Mapping[str, PathChange], paths: Sequence[str]
) -> Iterator[tuple[Key, FileColumns | None]]:
    for path in paths:
        key, oid = _key(path, root), wanted[path].new
        if key is not None:
            yield key, derive(key, _content(repository, oid)) if oid else None


def _content(repository: Repository, oid: str) -> bytes | Oversized:
    try:
        return repository.read_blob(oid, limit=MAX_BYTES)
    except TooLarge as error:
        return Oversized(oid, error.size)


def _key(path: str, root: str) -> Key | None:
    return parse_path(path[len(root) + 1 :] if root else path)


def _strangers(repository: Repository, base: str, head: str) -> Refused:
    if repository.is_shallow:
        return Refused(
            f"this clone is shallow: where {head[:12]} and {base[:12]} parted was left out of it",
            hint="`git fetch --unshallow origin`, or let the CI service check out the whole history (fetch-depth: 0)",
        )
    return Refused(f"{head[:12]} and {base[:12]} have no history in common", hint="begin the proposal at the branch")
