"""Packed objects whose size is known before they are inflated.

A pack of 2 MB can hold an object of gigabytes, or a small one made from such a one by deltas (gitformat-pack(5)). So
the headers along the chain of deltas are added up first; dulwich inflates only what is small enough.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.errors import IntegrityError, TooLarge
from gitreg.git.loose import read_loose

if TYPE_CHECKING:
    from mmap import mmap

    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import ObjectID
    from dulwich.pack import Pack

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
LARGEST_ON_THE_WAY = 32 * 1024 * 1024
"""What may be inflated for the sake of an object that is smaller: git makes deltas from far larger ones too."""

_OFS_DELTA, _REF_DELTA = 6, 7
_DELTA_HEADER = 20  # bytes that hold both sizes with which a delta begins, ten for each 64-bit number


def read_packed(store: DiskObjectStore, oid: str, limit: int, depth: int) -> tuple[str, bytes] | None:
    """Return kind and content of an object that a store or its alternates hold in a pack; None when they do not.

    Parameters
    ----------
    depth:
        How many alternates of alternates to look into; loose objects of alternates are found too.

    Raises
    ------
    TooLarge
        It is larger than the limit.
    """
    try:
        number, content = store._lookup_in_packs(lambda pack: _read(pack, oid, limit))
    except KeyError:
        pass
    else:
        return KINDS[number], content
    for alternate in store.alternates if depth else ():
        found = read_loose(Path(alternate.path), oid, limit) or read_packed(alternate, oid, limit, depth - 1)  # type: ignore[attr-defined, arg-type]
        if found is not None:
            return found
    return None


def _read(pack: Pack, oid: str, limit: int) -> tuple[int, bytes]:
    kind, size, weight = _weigh(pack, oid.encode())  # type: ignore[arg-type]
    if size > limit or weight > max(limit, LARGEST_ON_THE_WAY):
        what = KINDS.get(kind, "object")
        raise TooLarge(f"the {what} {oid}", size if size > limit else weight, limit, kind=what)
    return pack.get_raw(oid.encode())  # type: ignore[arg-type]


def _weigh(pack: Pack, oid: ObjectID) -> tuple[int, int, int]:
    """Return an object's kind and size, and the most that inflating it takes at once, without inflating it."""
    offset = pack.index.object_offset(oid)
    data = pack.data._buffer()
    size: int | None = None
    stored_in_all = largest = 0
    seen = set()
    while offset not in seen:
        seen.add(offset)
        kind, stored, at = _header(data, offset)
        stored_in_all += stored  # all deltas of a chain are in memory together
        if kind not in (_OFS_DELTA, _REF_DELTA):
            size = stored if size is None else size
            return kind, size, max(stored_in_all, largest, size)
        if kind == _OFS_DELTA:
            back, at = _base_distance(data, at)
            base = offset - back
        else:
            length = pack.data.object_format.oid_length
            base = pack.index.object_offset(bytes(data[at : at + length]))  # type: ignore[arg-type]
            at += length
        source, target = _delta_sizes(data, at)
        size = target if size is None else size
        largest = max(largest, source, target)
        offset = base
    raise IntegrityError(f"object {oid.decode()} is a delta of itself", hint="run `git fsck`; fetch the object again")


def _header(data: mmap | bytes, at: int) -> tuple[int, int, int]:
    """Return the kind and the size with which an entry of a pack begins, and where its next field is."""
    byte = data[at]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 128:
        at += 1
        byte = data[at]
        size |= (byte & 127) << shift
        shift += 7
    return kind, size, at + 1


def _base_distance(data: mmap | bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    distance = byte & 127
    while byte & 128:
        at += 1
        byte = data[at]
        distance = (distance + 1 << 7) | byte & 127
    return distance, at + 1


def _delta_sizes(data: mmap | bytes, at: int) -> tuple[int, int]:
    """Return the sizes of what a delta is applied to and of what comes out."""
    head = zlib.decompressobj().decompress(data[at : at + 64], _DELTA_HEADER)
    sizes, position = [], 0
    for _ in range(2):
        size = shift = 0
        while True:
            byte = head[position]
            position += 1
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        sizes.append(size)
    return sizes[0], sizes[1]
