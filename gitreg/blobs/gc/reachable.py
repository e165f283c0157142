"""The mark phase of garbage collection: the objects that are reachable or leased, and the chunks of all that stays.

Every recipe that stays keeps its chunks, reachable or not: a later save may find it and rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError
from gitreg.blobs.format.recipe import parse_recipe
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.trash import find_trashed, trashed
from gitreg.errors import IntegrityError, InvalidDocument


class ReachableSet:
    """Reachable keys at construction: not swept, restored from trash.

    Parameters
    ----------
    live:
        Returns the manifests that somebody refers to (the roots).
    held_since:
        Leases that running saves wrote since then count, in seconds since 1970 by the bucket's clock.
    written_since:
        Recipes written since then keep their chunks, in seconds since 1970 by the bucket's clock.

    Raises
    ------
    IntegrityError
        A recipe that has to stay cannot be read.
    """

    def __init__(
        self, bucket: Bucket, live: Callable[[], Iterable[Manifest]], *, held_since: float, written_since: float
    ) -> None:
        # A save removes its lease after publishing. In this order, a save is seen in its lease or among the live sets.
        self._held = _held(bucket, held_since)
        self._digests: set[bytes] = set()  # a million of them take 100 MB; as text, three times that
        for manifest in live():
            self._digests.add(bytes.fromhex(manifest.hex))
            self._digests.update(bytes.fromhex(entry.sha256) for entry in manifest.files)
        keeping = {
            key: copies for key, copies in _recipes(bucket).items() if copies.written >= written_since or key in self
        }
        with threads() as pool:
            for chunks in ahead(pool, lambda key: _read(bucket, key, keeping[key].copies), sorted(keeping)):
                self._digests |= chunks

    def __contains__(self, key: str) -> bool:
        if key in self._held:
            return True
        digest = keys.digest_in(key)
        return digest is not None and bytes.fromhex(digest) in self._digests and keys.is_weights(key)


def chunks_of(bucket: Bucket, place: str) -> set[bytes]:
    """Return the sha256 of the chunks in a recipe, which may lie in the trash.

    Raises
    ------
    NoSuchObjectError, InvalidDocument
        The recipe is missing, or damaged.
    """
    return {bytes.fromhex(chunk.sha256) for chunk in parse_recipe(bucket.read(place))}


class _Copies(NamedTuple):
    """The copies of one recipe: in its place, in the trash, or moved aside as damaged.

    Parameters
    ----------
    written:
        Its mtime in its proper place, in seconds since 1970; -inf if it is not there.
    copies:
        The keys of its copies, the best first.
    """

    written: float
    copies: list[str]


def _held(bucket: Bucket, since: float) -> set[str]:
    held: set[str] = set()
    for info in bucket.list(keys.HOLDS):
        if info.mtime >= since:
            with suppress(NoSuchObjectError, ValueError, RecursionError):  # its save has ended, or it is not a lease
                leased = json.loads(bucket.read(info.key))
                if isinstance(leased, list):
                    held.update(key for key in leased if isinstance(key, str))
    return held


def _recipes(bucket: Bucket) -> dict[str, _Copies]:
    """Return the copies of all recipes, by key; looks twice into the trash, to miss none that is being moved."""
    found: dict[str, _Copies] = {}

    def look_into_trash() -> None:
        for one in trashed(bucket, keys.RECIPES):
            copies = found.setdefault(one.key, _Copies(float("-inf"), [])).copies
            if one.place not in copies:
                copies.append(one.place)

    look_into_trash()
    for info in bucket.list(keys.RECIPES):
        if keys.is_weights(info.key):
            copies = found[info.key].copies if info.key in found else []
            found[info.key] = _Copies(info.mtime, [info.key, *copies])
    look_into_trash()
    for info in bucket.list(keys.DAMAGED + keys.RECIPES):
        key = info.key.removeprefix(keys.DAMAGED)
        found.setdefault(key, _Copies(float("-inf"), [])).copies.append(info.key)
    return found


def _read(bucket: Bucket, key: str, copies: list[str]) -> set[bytes]:
    for place in copies:
        with suppress(NoSuchObjectError, InvalidDocument):
            return chunks_of(bucket, place)
    with suppress(NoSuchObjectError, InvalidDocument):  # it was moved a moment ago
        moved = find_trashed(bucket, [key]).get(key)
        return chunks_of(bucket, moved.place if moved else key)
    raise IntegrityError(
        f"{key} in the store {bucket.url} cannot be read, so that what it needs is not known; nothing is collected",
        hint="save its files again, which mends it; `gitreg verify` names them",
    )
