"""The lookup of many keys in a bucket, with few requests and without listing the whole bucket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from gitreg.blobs.buckets.bucket import ObjectInfo
from gitreg.blobs.parallel import ahead, threads

_MANY = 32  # keys of one folder; a listing of 1,000 keys takes as long as 40 questions (S3 on loopback: 100 ms and 2.6)


def find(
    keys: Iterable[str],
    ask: Callable[[str], ObjectInfo | None],
    list_folder: Callable[[str], Iterator[ObjectInfo]],
) -> dict[str, ObjectInfo]:
    """Return the objects that exist, by key.

    Parameters
    ----------
    ask:
        Returns the object of one key, or None; called from several threads.
    list_folder:
        Lists a folder, given as ``a/b/``; used if more than 32 of its keys are wanted.
    """
    folders: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys:
        folders[key[: key.rfind("/") + 1]].add(key)
    found, single = {}, []
    for folder, wanted in folders.items():
        if folder and len(wanted) > _MANY:
            found.update({info.key: info for info in list_folder(folder) if info.key in wanted})
        else:
            single += sorted(wanted)
    if len(single) == 1:
        answers: Iterable[ObjectInfo | None] = map(ask, single)
        found.update({info.key: info for info in answers if info})
    elif single:
        with threads() as pool:
            found.update({info.key: info for info in ahead(pool, ask, single) if info})
    return found
