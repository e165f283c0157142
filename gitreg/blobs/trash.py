"""The trash of a store: what gc took away, until it is purged; and taking things back out of it.

An object lies there under its own key and the name of the collection that took it, so that no two collections ever put
something in the same place: whoever removes the one never removes the other. That matters where a bucket can only
move by copying and deleting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from gitreg.blobs import layout
from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError, ObjectInfo
from gitreg.blobs.parallel import ahead, threads
from gitreg.errors import GitregError

_PLACE = re.compile(re.escape(layout.TRASH) + r"(.+)\.([0-9]{1,12})-[0-9a-f]{8}")


_LOOKS = 5  # for an object that collections take while it is returned


class Trashed(NamedTuple):
    """An object in the trash.

    Parameters
    ----------
    key:
        Where it lay, and lies again when it is returned.
    place:
        The key under which it lies now.
    size:
        In bytes.
    since:
        When its collection began, in seconds since 1970 by the bucket's clock.
    """

    key: str
    place: str
    size: int
    since: float


def collection_name(now: float) -> str:
    """Make the name of a collection that begins now."""
    return f"{int(now)}-{os.urandom(4).hex()}"


def place_of(key: str, collection: str) -> str:
    """Give the key under which an object lies in the trash."""
    return f"{layout.TRASH}{key}.{collection}"


def trashed(bucket: Bucket, folder: str = "") -> Iterator[Trashed]:
    """Give what is in the trash, of all or of one folder of keys (``sha256/ab/``)."""
    for info in bucket.list(layout.TRASH + folder):
        if match := _PLACE.fullmatch(info.key):
            yield Trashed(match[1], info.key, info.size, float(match[2]))


def find_trashed(bucket: Bucket, keys: Iterable[str]) -> dict[str, Trashed]:
    """Return those of the keys that are in the trash."""
    wanted = set(keys)
    folders = sorted({key[: key.rfind("/") + 1] for key in wanted})
    return {found.key: found for folder in folders for found in trashed(bucket, folder) if found.key in wanted}


def give_back(bucket: Bucket, taken: Sequence[Trashed]) -> list[Trashed]:
    """Put objects back to where they lay: chunks before what names them, so that what is there is whole.

    What has been saved again since stays as it is: that was held against its digest later than what lies in the trash.

    Returns
    -------
    Those that were put back.
    """
    there = bucket.find({one.key for one in taken})
    returned: list[Trashed] = []

    def move(one: Trashed) -> None:
        with suppress(NoSuchObjectError):  # somebody else was faster
            bucket.move(one.place, one.key)
            returned.append(one)

    with threads() as pool:
        for naming in (False, True):
            absent = [one for one in taken if layout.names_others(one.key) == naming and one.key not in there]
            for _ in ahead(pool, move, absent):
                pass
            bucket.sync(one.key for one in returned if layout.names_others(one.key) == naming)
    return returned


class Recovering:
    """Objects of a bucket, and those that gc has put into its trash although they are needed.

    For a moment that is nothing unusual: a collection that did not see a commit sees it when it looks again, and then
    returns what it took. A reader returns it at once; where it may not write, it reads it from the trash.
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
        there = self._bucket.find(wanted)
        absent = set(wanted) - there.keys()
        if taken := find_trashed(self._bucket, absent):
            self._returned(list(taken.values()))
            there |= {key: ObjectInfo(key, found.size, found.since) for key, found in taken.items()}
        # what was on its way out of the trash at that moment, by another's hand, is in its place now
        return there | self._bucket.find(sorted(absent - taken.keys())) if absent - taken.keys() else there

    def _returned(self, taken: Sequence[Trashed]) -> bool:
        """Whether things could be put back, by us or by somebody else."""
        with suppress(GitregError):
            give_back(self._bucket, taken)
            return True
        return False
