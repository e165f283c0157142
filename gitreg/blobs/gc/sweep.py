"""The sweep phase of garbage collection in a store that other processes use at the same time.

Unreachable objects are not deleted at once: they are moved to the trash, then all reachable objects are marked again,
and any of those in the trash are restored. A save checks its objects after it has published the record that refers to
them. So whichever of the two comes last sees the other's work, and no clock decides; the retention (``grace``) only
spares the save this restoration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf
from typing import NamedTuple

from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError, ObjectInfo
from gitreg.blobs.gc.reachable import ReachableSet, chunks_of
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.store import Store
from gitreg.blobs.trash import collection_name, find_trashed, restore, trash_key, trashed
from gitreg.errors import InvalidDocument

Live = Callable[[], Iterable[Manifest]]
"""Returns the manifests of all reachable sets, read anew at each call."""

WRITING = 86400.0
"""Seconds during which an unfinished upload or a lease is respected, however short the retention is."""

_EVER = 0.0
_FIRST_TO_GO = (True, False)  # recipes go before their chunks: after an interruption no recipe lacks its chunks


class GarbageObject(NamedTuple):
    """Garbage: an object in a store that nobody needs.

    Parameters
    ----------
    key:
        Its key, or its key before it was moved to the trash.
    size:
        In bytes.
    since:
        Time when it was written or moved to the trash, in seconds since 1970 by the store's clock.
    reason:
        ``unused``: it is unreachable. ``unfinished``: a killed writer left it. ``damaged``: it was found damaged and
        moved aside. ``recent``: it is one of these, but too young to be taken. ``trash``: it lies in the trash.
    whole:
        The sha256, in hexadecimal, of the file or of the set's manifest that it is or is a part of; None if unknown.
    """

    key: str
    size: int
    since: float
    reason: str
    whole: str | None = None


def find_leftovers(store: Store, live: Live, *, grace: float) -> list[GarbageObject]:
    """Return the garbage that `sweep` would take, what it would take but for the retention, and what is in the trash.

    Parameters
    ----------
    grace:
        Retention in seconds: younger objects, by the store's clock, stay, because their save may be running.

    Raises
    ------
    IntegrityError
        A recipe that has to stay cannot be read.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=inf)
    unneeded = list(_unneeded(bucket, needed, inf))
    young = {one.key: one.key for one in unneeded if one.since >= now - grace}
    spared = _parts(bucket, young)  # a recipe that stays keeps its chunks, however old they are
    return [
        *(
            one._replace(reason="recent") if one.key in young or layout.digest_in(one.key) in spared else one
            for one in unneeded
        ),
        *_unfinished(bucket, now, grace),
        *_in_trash(bucket),
    ]


def sweep(store: Store, live: Live, *, grace: float) -> list[GarbageObject]:
    """Move garbage to the trash, remove leftovers of killed writers, and return both.

    Reachable objects that a killed collection moved to the trash are restored.

    Parameters
    ----------
    grace:
        Retention in seconds, as for `find_leftovers`.

    Raises
    ------
    IntegrityError
        As for `find_leftovers`; nothing was moved.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=now - grace)
    found = list(_unneeded(bucket, needed, now - grace))
    taken: list[str] = []
    try:
        _take(bucket, [one.key for one in found], collection_name(now), taken)
        needed = _needed(bucket, live, now, grace, written_since=now - grace)
        restore(bucket, [one for one in trashed(bucket) if one.key in needed])
    except BaseException:
        restore(bucket, list(find_trashed(bucket, taken).values()))
        raise
    gone = {key for key in taken if key not in needed}
    left = list(_unfinished(bucket, now, grace, discard=True))
    return [*(one for one in found if one.key in gone), *left]


def undo(store: Store) -> list[GarbageObject]:
    """Restore everything from the trash, and return what was restored."""
    trash = list(_in_trash(store.bucket))
    returned = {one.key for one in restore(store.bucket, list(trashed(store.bucket)))}
    return [one for one in trash if one.key in returned]


def purge(store: Store, live: Live, *, grace: float) -> list[GarbageObject]:
    """Delete objects that have been in the trash for the retention ``grace``, in seconds, and return them.

    Reachable objects are restored instead, unless they were saved again meanwhile.

    Raises
    ------
    IntegrityError
        As for `find_leftovers`; nothing was deleted.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=_EVER)
    in_trash = list(trashed(bucket))
    returned = set(restore(bucket, [one for one in in_trash if one.key in needed]))
    in_trash = [one for one in in_trash if one not in returned]
    young = {one.key: one.place for one in in_trash if one.since > now - grace}
    kept = _parts(bucket, young)  # objects that are not purged yet keep their chunks, so that they can be restored
    gone = {one.place for one in in_trash if one.key not in young and layout.digest_in(one.key) not in kept}
    described = list(_in_trash(bucket))
    for first in _FIRST_TO_GO:
        bucket.delete([one.place for one in in_trash if one.place in gone and layout.names_others(one.key) == first])
    keys = {one.key for one in in_trash if one.place in gone}
    return [one for one in described if one.key in keys]


def read_unneeded(store: Store, digest: str) -> Manifest | None:
    """Return an unreachable manifest, from its place or from the trash; None if it is gone."""
    bucket, key = store.bucket, layout.blob(digest.removeprefix("sha256:"))
    place = key if bucket.find([key]) else None
    if place is None and (thrown := find_trashed(bucket, [key])):
        place = thrown[key].place
    with suppress(NoSuchObjectError, InvalidDocument):
        return Manifest.parse(bucket.read(place)) if place else None
    return None


# -- finding garbage ---------------------------------------------------------------------------------------------------


def _needed(bucket: Bucket, live: Live, now: float, grace: float, *, written_since: float) -> ReachableSet:
    return ReachableSet(bucket, live, held_since=now - max(grace, WRITING), written_since=written_since)


def _unneeded(bucket: Bucket, needed: ReachableSet, before: float) -> Iterator[GarbageObject]:
    """Yield the objects that may go to the trash: unreachable ones, then damaged ones, repaired or unreachable."""
    recipes = [info for info in bucket.list(layout.RECIPES) if _may_go(info, needed, before)]
    wholes = _parts(bucket, {info.key: info.key for info in recipes})
    for info in recipes:
        yield _leftover(info, "unused", wholes)
    for folder in (layout.PACKS, layout.BLOBS):
        for info in bucket.list(folder):
            if _may_go(info, needed, before):
                yield _leftover(info, "unused", wholes)
    damaged = [info for info in bucket.list(layout.DAMAGED) if info.mtime < before]
    mended = bucket.find(info.key.removeprefix(layout.DAMAGED) for info in damaged)
    for info in damaged:
        key = info.key.removeprefix(layout.DAMAGED)
        if key in mended or key not in needed:  # otherwise it is the only remaining copy
            yield _leftover(info, "damaged", {})


def _may_go(info: ObjectInfo, needed: ReachableSet, before: float) -> bool:
    return layout.is_weights(info.key) and info.size >= 0 and info.mtime < before and info.key not in needed


def _unfinished(bucket: Bucket, now: float, grace: float, *, discard: bool = False) -> Iterator[GarbageObject]:
    """Yield the leftovers of killed writers and old leases; with `discard`, remove them too."""
    before = now - max(grace, WRITING)
    for info in list(bucket.unfinished()):
        if info.mtime < before:
            if discard:
                bucket.discard(info)
            yield _leftover(info, "unfinished", {})
    for info in list(bucket.list(layout.HOLDS)):
        if info.mtime < before:
            if discard:
                bucket.delete([info.key])
            yield _leftover(info, "unfinished", {})


def _in_trash(bucket: Bucket) -> Iterator[GarbageObject]:
    in_trash = list(trashed(bucket))
    wholes = _parts(bucket, {one.key: one.place for one in in_trash})
    for one in in_trash:
        yield _leftover(ObjectInfo(one.key, one.size, one.since), "trash", wholes)


def _leftover(info: ObjectInfo, reason: str, wholes: Mapping[str, str]) -> GarbageObject:
    digest = layout.digest_in(info.key)
    whole = wholes.get(digest, digest) if digest is not None else None
    return GarbageObject(info.key, max(0, info.size), info.mtime, reason, whole)


def _parts(bucket: Bucket, places: Mapping[str, str]) -> dict[str, str]:
    """Return, for each chunk in the recipes, the file or set that contains it; both as sha256.

    Parameters
    ----------
    places:
        The keys to read objects from, by their proper keys; non-recipes and unreadable recipes are ignored.
    """
    parts: dict[str, str] = {}
    for key, place in places.items():
        whole = layout.digest_in(key)
        if layout.names_others(key) and whole is not None:
            with suppress(InvalidDocument, NoSuchObjectError):
                parts.update((chunk.hex(), whole) for chunk in chunks_of(bucket, place))
    return parts


def _take(bucket: Bucket, keys: Sequence[str], collection: str, taken: list[str]) -> None:
    """Move objects to the trash; the moved keys are appended to `taken`."""

    def move(key: str) -> None:
        with suppress(NoSuchObjectError):  # another collection moved it first
            bucket.move(key, trash_key(key, collection))
            taken.append(key)

    with threads() as pool:
        for first in _FIRST_TO_GO:
            for _ in ahead(pool, move, [key for key in keys if layout.names_others(key) == first]):
                pass
