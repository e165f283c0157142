"""Commits in order, and what a person's words for one mean."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gitreg.errors import InvalidInput
from gitreg.git.objects import Objects
from gitreg.git.refs import Refs
from gitreg.git.values import Commit
from gitreg.git.walking import OURS, THEIRS, Walk

_ABBREVIATION = re.compile(r"[0-9a-f]{4,64}")
_STEP = re.compile(r"[~^][0-9]{0,9}")
_STEPS = re.compile(r"(?:[~^][0-9]{0,9})+$")
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")  # gitrevisions(7), in its order


def first_parents(objects: Objects, oid: str, boundary: frozenset[str], until: str | None = None) -> Iterator[Commit]:
    """Yield a commit and its first parents, newest first, ending before ``until`` or where the clone was cut off."""
    here: str | None = oid
    while here is not None and here != until:
        commit = objects.commit(here)
        yield commit
        here = commit.parents[0] if commit.parents and here not in boundary else None


def shallow_boundary(common_dir: Path) -> frozenset[str]:
    """Return the commits whose parents a shallow clone has left out (gitrepository-layout(5), shallow)."""
    try:
        return frozenset((common_dir / "shallow").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()


def resolve(objects: Objects, refs: Refs, text: str) -> str | None:
    """Return the commit that a revision means; None when it means none.

    That is a full or abbreviated id, a branch, a tag or ``HEAD``, and what may follow: ``~2``, ``^``, ``^2``
    (gitrevisions(7)).

    Raises
    ------
    InvalidInput
        Several commits have ids that start so.
    """
    name, steps = split_revision(text)
    oid = _named(objects, refs, name)
    for step in steps:
        if oid is None:
            return None
        oid = _above(objects, oid, step)
    return oid


def split_revision(text: str) -> tuple[str, list[str]]:
    """Return what a revision begins at, and the steps from there: ``main~2^`` is ``main`` with ``~2`` and ``^``."""
    name = _STEPS.sub("", text)
    return name, _STEP.findall(text[len(name) :])


def _above(objects: Objects, oid: str, step: str) -> str | None:
    """Return the commit that a step leads to, where it is here."""
    count = int(step[1:] or 1)
    if step[0] == "^" and count:
        parents = objects.commit(oid).parents
        return commit_of(objects, parents[count - 1]) if count <= len(parents) else None
    here: str | None = oid
    for _ in range(count if step[0] == "~" else 0):
        parents = objects.commit(here).parents if here else ()
        here = commit_of(objects, parents[0]) if parents else None
        if here is None:
            break
    return here


def _named(objects: Objects, refs: Refs, text: str) -> str | None:
    candidate = text.lower() if len(text) == refs.oid_length else None
    oid = candidate if candidate and objects.kind(candidate) else None
    oid = oid or next((found for place in _PLACES if (found := refs.read(place.format(text)))), None)
    if oid is not None:
        return commit_of(objects, oid)
    if not _ABBREVIATION.fullmatch(text.lower()):
        return None
    # A tag counts as the commit that it means: only a tie between commits is one.
    commits = {found for oid in objects.starting_with(text.lower()) if (found := commit_of(objects, oid))}
    if len(commits) > 1:
        raise InvalidInput(f"{text!r} is short for {len(commits)} commits", hint="give more digits")
    return next(iter(commits), None)


def commit_of(objects: Objects, oid: str) -> str | None:
    """Return the commit that an object id means, through any tags; None when it means none that is here."""
    peeled = objects.peel(oid)
    found = objects.find(peeled) if peeled else None
    return peeled if found and found[0] == "commit" else None


def is_ancestor(objects: Objects, ancestor: str, oid: str, boundary: frozenset[str]) -> bool:
    """Whether one commit is another, or leads to it, by any parent; what a shallow clone has left out leads nowhere."""
    left, seen = deque([oid]), {oid}
    while left:
        here = left.popleft()
        if here == ancestor:
            return True
        if here not in boundary:
            new = [parent for parent in objects.commit(here).parents if parent not in seen]
            seen.update(new)
            left.extend(new)
    return False


def ahead(objects: Objects, oid: str, base: str, boundary: frozenset[str]) -> tuple[str | None, list[Commit]]:
    """Return where two commits parted, and what one has that the other lacks (git-merge-base(1), git-rev-list(1)).

    Returns
    -------
    tuple:
        The newest commit that both lead to, None where they share nothing that is here; and the commits that only
        ``oid`` leads to, as :meth:`gitreg.git.walking.Walk.ours_alone` finds them.
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
