"""Clearing a store of what nobody needs, beside processes that save to it and read from it.

Nothing is removed at once: it is moved to the trash, and then it is asked again what is needed, and that is returned. A
save looks for its objects after it has published what refers to them. So whichever of the two comes last sees what the
other did, and no clock decides; the grace time only spares the save the trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from gitreg.blobs import layout
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError, ObjectInfo
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.needed import Needed, chunks_of
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.store import Store
from gitreg.blobs.trash import collection_name, find_trashed, give_back, place_of, trashed
from gitreg.errors import InvalidDocument

Live = Callable[[], Iterable[Manifest]]
"""Gives the manifests of all that is needed, read anew whenever it is called."""

WRITING = 86400.0
"""Seconds: however short the grace time, a save may be writing something, or about to publish it, for so long."""

_EVER = 0.0
_FIRST_TO_GO = (True, False)  # a list of chunks goes before its chunks: whenever this is cut off, no list stays alone


class Leftover(NamedTuple):
    """Something in a store that nobody needs.

    Parameters
    ----------
    key:
        Where it lies, or lay before it was put into the trash.
    size:
        In bytes.
    since:
        When it was written, or put into the trash; in seconds since 1970 by the store's clock.
    reason:
        ``unused``: nobody needs it. ``unfinished``: a killed writer left it. ``damaged``: it was found damaged and set
        aside. ``trash``: it lies in the trash.
    whole:
        The sha256 of the file, or of the manifest of the set, that it is or is a part of, in hexadecimal; None where
        that is not known.
    """

    key: str
    size: int
    since: float
    reason: str
    whole: str | None = None


def find_leftovers(store: Store, live: Live, *, grace: float) -> list[Leftover]:
    """Say what `sweep` would take, and what lies in the trash.

    Parameters
    ----------
    grace:
        Seconds; what is younger by the store's clock stays, for its save may be under way.

    Raises
    ------
    IntegrityError
        What something live consists of cannot be read.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=now - grace)
    return [
        *_unneeded(bucket, needed, now - grace),
        *_unfinished(bucket, now, grace),
        *_in_trash(bucket),
    ]


def sweep(store: Store, live: Live, *, grace: float) -> list[Leftover]:
    """Move to the trash what nobody needs, and remove what killed writers left. Return what went.

    What a collection that was killed took although it is needed goes back to its place.

    Parameters
    ----------
    grace:
        As for `find_leftovers`.

    Raises
    ------
    IntegrityError
        As for `find_leftovers`; nothing was taken.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=now - grace)
    found = list(_unneeded(bucket, needed, now - grace))
    taken: list[str] = []
    try:
        _take(bucket, [one.key for one in found], collection_name(now), taken)
        needed = _needed(bucket, live, now, grace, written_since=now - grace)
        give_back(bucket, [one for one in trashed(bucket) if one.key in needed])
    except BaseException:
        give_back(bucket, list(find_trashed(bucket, taken).values()))
        raise
    gone = {key for key in taken if key not in needed}
    left = list(_unfinished(bucket, now, grace, discard=True))
    return [*(one for one in found if one.key in gone), *left]


def undo(store: Store) -> list[Leftover]:
    """Return all that lies in the trash to its place, and say what that was."""
    said = list(_in_trash(store.bucket))
    returned = {one.key for one in give_back(store.bucket, list(trashed(store.bucket)))}
    return [one for one in said if one.key in returned]


def purge(store: Store, live: Live, *, grace: float) -> list[Leftover]:
    """Remove for good what has lain in the trash for the grace time, in seconds. Return what went.

    What is needed after all goes back to its place instead, unless it was saved there again.

    Raises
    ------
    IntegrityError
        As for `find_leftovers`; nothing was removed.
    """
    bucket, now = store.bucket, store.bucket.now()
    needed = _needed(bucket, live, now, grace, written_since=_EVER)
    there = list(trashed(bucket))
    returned = set(give_back(bucket, [one for one in there if one.key in needed]))
    there = [one for one in there if one not in returned]
    young = {one.key: one.place for one in there if one.since > now - grace}
    kept = _parts(bucket, young)  # what is not purged yet stays whole, so that it can be returned
    gone = {one.place for one in there if one.key not in young and layout.digest_in(one.key) not in kept}
    said = list(_in_trash(bucket))
    for first in _FIRST_TO_GO:
        bucket.delete([one.place for one in there if one.place in gone and layout.names_others(one.key) == first])
    keys = {one.key for one in there if one.place in gone}
    return [one for one in said if one.key in keys]


def read_unneeded(store: Store, digest: str) -> Manifest | None:
    """Give a manifest that nobody needs, and leave it where it is, in the trash perhaps; None where it is gone."""
    bucket, key = store.bucket, layout.blob(digest.removeprefix("sha256:"))
    place = key if bucket.find([key]) else None
    if place is None and (thrown := find_trashed(bucket, [key])):
        place = thrown[key].place
    with suppress(NoSuchObjectError, InvalidDocument):
        return Manifest.parse(bucket.read(place)) if place else None
    return None


# -- what is there -----------------------------------------------------------------------------------------------------


def _needed(bucket: Bucket, live: Live, now: float, grace: float, *, written_since: float) -> Needed:
    return Needed(bucket, live, held_since=now - max(grace, WRITING), written_since=written_since)


def _unneeded(bucket: Bucket, needed: Needed, before: float) -> Iterator[Leftover]:
    """Give what may go to the trash: first what is not needed, then what was set aside and is needed no more."""
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
        if key in mended or key not in needed:  # else it is all that is left of it
            yield _leftover(info, "damaged", {})


def _may_go(info: ObjectInfo, needed: Needed, before: float) -> bool:
    return layout.is_weights(info.key) and info.size >= 0 and info.mtime < before and info.key not in needed


def _unfinished(bucket: Bucket, now: float, grace: float, *, discard: bool = False) -> Iterator[Leftover]:
    """Give, and if asked remove, what killed writers left behind."""
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


def _in_trash(bucket: Bucket) -> Iterator[Leftover]:
    there = list(trashed(bucket))
    wholes = _parts(bucket, {one.key: one.place for one in there})
    for one in there:
        yield _leftover(ObjectInfo(one.key, one.size, one.since), "trash", wholes)


def _leftover(info: ObjectInfo, reason: str, wholes: Mapping[str, str]) -> Leftover:
    digest = layout.digest_in(info.key)
    whole = wholes.get(digest, digest) if digest is not None else None
    return Leftover(info.key, max(0, info.size), info.mtime, reason, whole)


def _parts(bucket: Bucket, places: Mapping[str, str]) -> dict[str, str]:
    """Give for each chunk that one of the recipes names the file or set that it is a part of, both by sha256.

    Parameters
    ----------
    places:
        Where recipes lie, by their keys; what is none is left out, as is what cannot be read.
    """
    parts: dict[str, str] = {}
    for key, place in places.items():
        whole = layout.digest_in(key)
        if layout.names_others(key) and whole is not None:
            with suppress(InvalidDocument, NoSuchObjectError):
                parts.update((chunk.hex(), whole) for chunk in chunks_of(bucket, place))
    return parts


def _take(bucket: Bucket, keys: Sequence[str], collection: str, taken: list[str]) -> None:
    """Move objects to the trash; `taken` gets the keys of those that went."""

    def move(key: str) -> None:
        with suppress(NoSuchObjectError):  # another collection was faster
            bucket.move(key, place_of(key, collection))
            taken.append(key)

    with threads() as pool:
        for first in _FIRST_TO_GO:
            for _ in ahead(pool, move, [key for key in keys if layout.names_others(key) == first]):
                pass
