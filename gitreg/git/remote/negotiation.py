"""Negotiation between two repositories, so that neither sends objects that the other has; without the git program.

It follows gitprotocol-pack(5). A side that has a commit is taken to have all objects that are reachable from it. So
only commits reachable from refs are offered as present: a single object may have come without its history, from a fetch
that was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gitreg.errors import NotFound
from gitreg.git.history.history import commit_of
from gitreg.git.history.merge_base import OURS, THEIRS, Walk
from gitreg.git.objects.store import ObjectStore, check_depth

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

_SUBMODULE = 0o160000


class Haves:
    """The commits of this repository, newest first, offered to the other side to find those that it has too.

    dulwich calls such a class a graph walker. Its own one has no order, and an HTTP server receives only the first 256
    commits.

    Parameters
    ----------
    tips:
        The object ids that refs point to.
    boundary:
        The commits whose parents are missing here (shallow clone).
    """

    def __init__(self, objects: ObjectStore, tips: Iterable[str], boundary: frozenset[str]) -> None:
        self.shallow: set[ObjectID] = {_raw(oid) for oid in boundary}
        self._boundary = boundary
        self._walk = Walk(objects)
        for tip in tips:
            if oid := commit_of(objects, tip):
                self._walk.mark(oid, OURS)

    def __next__(self) -> ObjectID | None:
        """Return the next commit id, or None after the last."""
        while self._walk:
            commit, owners = self._walk.pop()
            for parent in () if commit.oid in self._boundary else commit.parents:
                self._walk.mark(parent, owners)
            if not owners & THEIRS:
                return _raw(commit.oid)
        return None

    def ack(self, sha: ObjectID, /) -> None:
        """Note that the other side has a commit, and so all commits before it."""
        self._walk.mark(bytes(sha).decode(), THEIRS)

    def nak(self) -> None:
        """Accept the answer that the other side has none of the commits yet; nothing changes."""


def to_send(objects: ObjectStore, wanted: Iterable[str], theirs: Iterable[str], boundary: frozenset[str]) -> list[str]:
    """Return the ids of the objects that a repository lacks to have the wanted objects.

    Parameters
    ----------
    wanted:
        The object ids that the repository shall have.
    theirs:
        The object ids that it has; those that are missing here are ignored.
    boundary:
        The commits whose parents are missing here (shallow clone).

    Raises
    ------
    NotFound
        A wanted object is missing here.
    """
    found: dict[str, None] = {}
    walk = Walk(objects)
    for oid in theirs:
        if commit_id := commit_of(objects, oid):
            walk.mark(commit_id, THEIRS)
    for oid in wanted:
        _mark_wanted(objects, oid, walk, found)
    for commit in reversed(walk.ours_alone(boundary)):
        found[commit.oid] = None
        parents = () if commit.oid in boundary else commit.parents
        _add_tree(objects, commit.tree, [objects.commit(parent).tree for parent in parents], found)
    return list(found)


def _mark_wanted(objects: ObjectStore, oid: str, walk: Walk, found: dict[str, None]) -> None:
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


def _add_tree(objects: ObjectStore, tree: str, known: Sequence[str], found: dict[str, None], depth: int = 0) -> None:
    """Add the objects of a tree that are not at the same path of a known tree, which the other side has or gets."""
    if tree in found or tree in known:
        return
    check_depth(depth)
    found[tree] = None
    others = [objects.tree(oid) for oid in known]
    for name, entry in objects.tree(tree).items():
        same = [counterpart for other in others if (counterpart := other.get(name))]
        if entry.mode == _SUBMODULE or any(counterpart.oid == entry.oid for counterpart in same):
            continue
        if entry.is_folder:
            _add_tree(
                objects, entry.oid, [counterpart.oid for counterpart in same if counterpart.is_folder], found, depth + 1
            )
        else:
            found[entry.oid] = None


def contents(objects: ObjectStore, oids: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
    """Yield id, kind and content of each object.

    Raises
    ------
    NotFound
        An object is missing here.
    """
    for oid in oids:
        found = objects.find(oid, limit=None)
        if found is None:
            raise NotFound(f"{oid}, which is to be pushed, is not in this repository", hint="run `git fsck`")
        yield oid, *found


def _raw(oid: str) -> ObjectID:
    return oid.encode()  # type: ignore[return-value]
