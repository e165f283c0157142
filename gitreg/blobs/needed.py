"""What has to stay in a store: what is live or held, and the chunks of all that stays.

Whatever stays keeps its chunks, live or not: a later save may find it and rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from gitreg.blobs import layout
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.recipe import parse_recipe
from gitreg.blobs.trash import find_trashed, trashed
from gitreg.errors import IntegrityError, InvalidDocument


class Needed:
    """The keys of what has to stay where it lies, or to return to it, as that was when this was made.

    Parameters
    ----------
    live:
        Gives the sets that somebody refers to.
    held_since:
        What saves under way rely on is needed too, by what they said since then, in seconds by the bucket's clock.
    written_since:
        What was written since then keeps its chunks.

    Raises
    ------
    IntegrityError
        A list of chunks that is needed cannot be read.
    """

    def __init__(
        self, bucket: Bucket, live: Callable[[], Iterable[Manifest]], *, held_since: float, written_since: float
    ) -> None:
        # A save ends its hold after it has published: looked for in this order, it is seen here or there.
        self._held = _held(bucket, held_since)
        self._digests: set[bytes] = set()  # a set of a million takes 100 MB; of texts it would be three times that
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
        digest = layout.digest_in(key)
        return digest is not None and bytes.fromhex(digest) in self._digests and layout.is_weights(key)


def chunks_of(bucket: Bucket, place: str) -> set[bytes]:
    """Give the sha256 of the chunks that a recipe names, which may lie in the trash.

    Raises
    ------
    NoSuchObjectError, InvalidDocument
        It is not there, or damaged.
    """
    return {bytes.fromhex(chunk.sha256) for chunk in parse_recipe(bucket.read(place))}


class _Copies(NamedTuple):
    """A recipe, wherever it lies.

    Parameters
    ----------
    written:
        When it was written where it belongs; long ago where it is not there.
    copies:
        The keys of what is there of it, the best first.
    """

    written: float
    copies: list[str]


def _held(bucket: Bucket, since: float) -> set[str]:
    held: set[str] = set()
    for info in bucket.list(layout.HOLDS):
        if info.mtime >= since:
            with suppress(NoSuchObjectError, ValueError, RecursionError):  # its save has ended; or it is none of ours
                said = json.loads(bucket.read(info.key))
                if isinstance(said, list):
                    held.update(key for key in said if isinstance(key, str))
    return held


def _recipes(bucket: Bucket) -> dict[str, _Copies]:
    """Give all recipes. One that is moved in either direction meanwhile is seen here or there."""
    found: dict[str, _Copies] = {}

    def look_into_trash() -> None:
        for one in trashed(bucket, layout.RECIPES):
            copies = found.setdefault(one.key, _Copies(float("-inf"), [])).copies
            if one.place not in copies:
                copies.append(one.place)

    look_into_trash()
    for info in bucket.list(layout.RECIPES):
        if layout.is_weights(info.key):
            copies = found[info.key].copies if info.key in found else []
            found[info.key] = _Copies(info.mtime, [info.key, *copies])
    look_into_trash()
    for info in bucket.list(layout.DAMAGED + layout.RECIPES):
        key = info.key.removeprefix(layout.DAMAGED)
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
