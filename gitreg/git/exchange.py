"""What two repositories tell and send each other, so that neither gets what it has: without a git program.

As gitprotocol-pack(5) says. Whoever has a commit is taken to have all that it leads to, so only what a ref points to is
ever said to be here: an object by itself may have come without its history, from a fetch that was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gitreg.errors import NotFound
from gitreg.git.history import commit_of
from gitreg.git.objects import Objects, check_depth
from gitreg.git.walking import OURS, THEIRS, Walk

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

_SUBMODULE = 0o160000


class Haves:
    """Commits that are here, newest first, for the other side to say which of them it has too.

    It is what dulwich calls a graph walker; its own one takes them in any order, of which an HTTP server hears the
    first 256 only.

    Parameters
    ----------
    tips:
        What refs point to.
    boundary:
        The commits whose parents are not here.
    """

    def __init__(self, objects: Objects, tips: Iterable[str], boundary: frozenset[str]) -> None:
        self.shallow: set[ObjectID] = {_raw(oid) for oid in boundary}
        self._boundary = boundary
        self._walk = Walk(objects)
        for tip in tips:
            if oid := commit_of(objects, tip):
                self._walk.mark(oid, OURS)

    def __next__(self) -> ObjectID | None:
        """Give the next one, None after the last."""
        while self._walk:
            commit, owners = self._walk.pop()
            for parent in () if commit.oid in self._boundary else commit.parents:
                self._walk.mark(parent, owners)
            if not owners & THEIRS:
                return _raw(commit.oid)
        return None

    def ack(self, sha: ObjectID, /) -> None:
        """Hear that the other side has one, and so all before it."""
        self._walk.mark(bytes(sha).decode(), THEIRS)

    def nak(self) -> None:
        """Hear that the other side has none of them yet."""


def to_send(objects: Objects, wanted: Iterable[str], theirs: Iterable[str], boundary: frozenset[str]) -> list[str]:
    """Return the objects that a repository needs to have some, and has not by having others.

    Parameters
    ----------
    theirs:
        What it has; those that are not here are passed over.

    Raises
    ------
    NotFound
        One that is wanted is not here.
    """
    found: dict[str, None] = {}
    walk = Walk(objects)
    for oid in theirs:
        if here := commit_of(objects, oid):
            walk.mark(here, THEIRS)
    for oid in wanted:
        _mark_wanted(objects, oid, walk, found)
    for commit in reversed(walk.ours_alone(boundary)):
        found[commit.oid] = None
        parents = () if commit.oid in boundary else commit.parents
        _add_tree(objects, commit.tree, [objects.commit(parent).tree for parent in parents], found)
    return list(found)


def _mark_wanted(objects: Objects, oid: str, walk: Walk, found: dict[str, None]) -> None:
    while tag := objects.tag(oid):
        found[oid] = None
        oid = tag.target
    kind = objects.kind(oid)
    if kind is None:
        raise NotFound(f"{oid}, which is to be pushed, is not in this repository", hint="run `git fsck`")
    if kind == "commit":
        walk.mark(oid, OURS)
    elif kind == "tree":
        _add_tree(objects, oid, [], found)
    else:
        found[oid] = None


def _add_tree(objects: Objects, tree: str, known: Sequence[str], found: dict[str, None], depth: int = 0) -> None:
    """Add what is in a tree and not at the same place of those that the other side has or gets."""
    if tree in found or tree in known:
        return
    check_depth(depth)
    found[tree] = None
    others = [objects.tree(oid) for oid in known]
    for name, entry in objects.tree(tree).items():
        same = [there for other in others if (there := other.get(name))]
        if entry.mode == _SUBMODULE or any(there.oid == entry.oid for there in same):
            continue
        if entry.is_folder:
            _add_tree(objects, entry.oid, [there.oid for there in same if there.is_folder], found, depth + 1)
        else:
            found[entry.oid] = None


def contents(objects: Objects, oids: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
    """Yield id, kind and content of objects."""
    for oid in oids:
        found = objects.find(oid, limit=None)
        if found is None:
            raise NotFound(f"{oid}, which is to be pushed, is not in this repository", hint="run `git fsck`")
        yield oid, *found


def _raw(oid: str) -> ObjectID:
    return oid.encode()  # type: ignore[return-value]
