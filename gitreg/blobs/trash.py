"""The trash of a store: objects that gc removed stay there until they are purged, and can be restored.

An object in the trash has its own key plus the name of the collection that moved it, so that two collections never use
the same key: removing one copy never removes the other. That matters in buckets that can only move by copying and
deleting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError, ObjectInfo
from gitreg.blobs.parallel import ahead, threads
from gitreg.errors import GitregError

_PLACE = re.compile(re.escape(layout.TRASH) + r"(.+)\.([0-9]{1,12})-[0-9a-f]{8}")


_LOOKS = 5  # attempts to read an object that collections move while it is restored


class TrashedObject(NamedTuple):
    """An object in the trash.

    Parameters
    ----------
    key:
        The object's key before it was moved, and after it is restored.
    place:
        The object's key in the trash.
    size:
        In bytes.
    since:
        Time when its collection began, in seconds since 1970 by the bucket's clock.
    """

    key: str
    place: str
    size: int
    since: float


def collection_name(now: float) -> str:
    """Return a new unique name for a collection that begins now, a time in seconds since 1970."""
    return f"{int(now)}-{os.urandom(4).hex()}"


def trash_key(key: str, collection: str) -> str:
    """Return the key of an object in the trash."""
    return f"{layout.TRASH}{key}.{collection}"


def trashed(bucket: Bucket, folder: str = "") -> Iterator[TrashedObject]:
    """Yield the objects in the trash, all of them or those of one folder of keys (``sha256/ab/``)."""
    for info in bucket.list(layout.TRASH + folder):
        if match := _PLACE.fullmatch(info.key):
            yield TrashedObject(match[1], info.key, info.size, float(match[2]))


def find_trashed(bucket: Bucket, keys: Iterable[str]) -> dict[str, TrashedObject]:
    """Return the objects in the trash that had one of the keys, by that key."""
    wanted = set(keys)
    folders = sorted({key[: key.rfind("/") + 1] for key in wanted})
    return {found.key: found for folder in folders for found in trashed(bucket, folder) if found.key in wanted}


def restore(bucket: Bucket, taken: Sequence[TrashedObject]) -> list[TrashedObject]:
    """Restore objects from the trash, chunks before recipes, so that a restored recipe is complete.

    An object that was saved again meanwhile is left alone: its content was verified later than the one in the trash.

    Returns
    -------
    The restored objects.
    """
    present = bucket.find({one.key for one in taken})
    returned: list[TrashedObject] = []

    def move(one: TrashedObject) -> None:
        with suppress(NoSuchObjectError):  # another process restored it first
            bucket.move(one.place, one.key)
            returned.append(one)

    with threads() as pool:
        for naming in (False, True):
            absent = [one for one in taken if layout.names_others(one.key) == naming and one.key not in present]
            for _ in ahead(pool, move, absent):
                pass
            bucket.sync(one.key for one in returned if layout.names_others(one.key) == naming)
    return returned


class TrashReader:
    """The objects of a bucket, including reachable ones that gc has moved to the trash.

    That is normal for a moment: a collection that did not see a commit sees it at its second mark, and restores the
    objects. A reader restores them at once; if it may not write to the bucket, it reads them from the trash.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""
        for _ in range(_LOOKS):
            with suppress(NoSuchObjectError):
                return self._bucket.read(key, start, stop)
            found = find_trashed(self._bucket, [key]).get(key)
            if found is None:
                break
            if not self._returned([found]):
                with suppress(NoSuchObjectError):
                    return self._bucket.read(found.place, start, stop)
        return self._bucket.read(key, start, stop)

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        wanted = list(keys)
        present = self._bucket.find(wanted)
        absent = set(wanted) - present.keys()
        if taken := find_trashed(self._bucket, absent):
            self._returned(list(taken.values()))
            present |= {key: ObjectInfo(key, found.size, found.since) for key, found in taken.items()}
        # objects that another process was restoring at that moment are in their place now
        return present | self._bucket.find(sorted(absent - taken.keys())) if absent - taken.keys() else present

    def _returned(self, taken: Sequence[TrashedObject]) -> bool:
        """Return whether objects could be restored, by this process or another."""
        with suppress(GitregError):
            restore(self._bucket, taken)
            return True
        return False
