"""Walks along history: first parents, ancestors, merge bases, and the commits that revisions like ``main~2`` mean."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gitreg.errors import InvalidInput
from gitreg.git.history.merge_base import OURS, THEIRS, Walk
from gitreg.git.objects.store import ObjectStore
from gitreg.git.refs.refs import Refs
from gitreg.git.values import Commit

_ABBREVIATION = re.compile(r"[0-9a-f]{4,64}")
_STEP = re.compile(r"[~^][0-9]{0,9}")
_STEPS = re.compile(r"(?:[~^][0-9]{0,9})+$")
_PLACES = (  # in the order of gitrevisions(7)
    "{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD",
)  # fmt: skip

NO_SUCH_COMMIT = (
    "write an id, a branch or a tag, as Git does with ~N and ^N after it; `git fetch` brings a remote's branches"
)
"""The hint for a revision that names no commit here."""


def first_parents(
    objects: ObjectStore, oid: str, boundary: frozenset[str], until: str | None = None
) -> Iterator[Commit]:
    """Yield a commit and its first parents, newest first, down to ``until`` (excluded) or a shallow boundary."""
    commit_id: str | None = oid
    while commit_id is not None and commit_id != until:
        commit = objects.commit(commit_id)
        yield commit
        commit_id = commit.parents[0] if commit.parents and commit_id not in boundary else None


def shallow_boundary(common_dir: Path) -> frozenset[str]:
    """Return the ids of commits whose parents a shallow clone left out (gitrepository-layout(5), shallow)."""
    try:
        return frozenset((common_dir / "shallow").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()


def resolve(objects: ObjectStore, refs: Refs, text: str) -> str | None:
    """Return the id of the commit that a revision means, or None.

    A revision is a full or abbreviated id, a branch, a tag or ``HEAD``, with optional steps: ``~2``, ``^``, ``^2``
    (gitrevisions(7)).

    Raises
    ------
    InvalidInput
        The abbreviated id fits several commits.
    """
    name, steps = split_revision(text)
    oid = _named(objects, refs, "HEAD" if name == "@" else name)
    for step in steps:
        if oid is None:
            return None
        oid = _above(objects, oid, step)
    return oid


def split_revision(text: str) -> tuple[str, list[str]]:
    """Return the start of a revision and the steps from it: ``main~2^`` is ``main`` with ``~2`` and ``^``."""
    name = _STEPS.sub("", text)
    return name, _STEP.findall(text[len(name) :])


def _above(objects: ObjectStore, oid: str, step: str) -> str | None:
    """Return the commit that a step leads to, or None where it is missing here."""
    count = int(step[1:] or 1)
    if step[0] == "^" and count:
        parents = objects.commit(oid).parents
        return commit_of(objects, parents[count - 1]) if count <= len(parents) else None
    ancestor: str | None = oid
    for _ in range(count if step[0] == "~" else 0):
        parents = objects.commit(ancestor).parents if ancestor else ()
        ancestor = commit_of(objects, parents[0]) if parents else None
        if ancestor is None:
            break
    return ancestor


def _named(objects: ObjectStore, refs: Refs, text: str) -> str | None:
    candidate = text.lower() if len(text) == refs.oid_length else None
    oid = candidate if candidate and objects.kind(candidate) else None
    oid = oid or next((found for place in _PLACES if (found := refs.read(place.format(text)))), None)
    if oid is not None:
        return commit_of(objects, oid)
    if not _ABBREVIATION.fullmatch(text.lower()):
        return None
    # A tag counts as its commit, so that a tag and its own commit are not ambiguous.
    commits = {found for oid in objects.starting_with(text.lower()) if (found := commit_of(objects, oid))}
    if len(commits) > 1:
        raise InvalidInput(f"{text!r} is short for {len(commits)} commits", hint="give more digits")
    return next(iter(commits), None)


def commit_of(objects: ObjectStore, oid: str) -> str | None:
    """Return the id of the commit that an object is or tags, through chains of tags; None where there is none here."""
    peeled = objects.peel(oid)
    found = objects.find(peeled) if peeled else None
    return peeled if found and found[0] == "commit" else None


def is_ancestor(objects: ObjectStore, ancestor: str, oid: str, boundary: frozenset[str]) -> bool:
    """Return whether a commit is another one or an ancestor of it, by any parent, as far as history is here."""
    left, seen = deque([oid]), {oid}
    while left:
        current = left.popleft()
        if current == ancestor:
            return True
        if current not in boundary:
            new = [parent for parent in objects.commit(current).parents if parent not in seen]
            seen.update(new)
            left.extend(new)
    return False


def ahead(objects: ObjectStore, oid: str, base: str, boundary: frozenset[str]) -> tuple[str | None, list[Commit]]:
    """Return the merge base of two commits, and the commits that only one has (git-merge-base(1), git-rev-list(1)).

    Returns
    -------
    tuple:
        The newest common ancestor, None where there is none here; and the commits that only ``oid`` leads to, in
        the order of :meth:`gitreg.git.history.merge_base.Walk.ours_alone`.
    """
    walk = Walk(objects)
    walk.mark(base, THEIRS)
    walk.mark(oid, OURS)
    only = walk.ours_alone(boundary)
    lacking = {commit.oid for commit in only}
    parents = {parent for commit in only if commit.oid not in boundary for parent in commit.parents}
    forks = {oid} if oid not in lacking else {fork for fork in parents - lacking if walk.owners(fork)}
    best = [fork for fork in forks if not any(is_ancestor(objects, fork, each, boundary) for each in forks - {fork})]
    return max(best, key=lambda fork: objects.commit(fork).committer.time, default=None), only
