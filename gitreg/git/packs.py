"""Packed objects whose size is known before they are inflated.

A pack of 2 MB can hold an object of gigabytes, or a small one made from such a one by deltas (gitformat-pack(5)). So
the headers along the chain of deltas are added up first; dulwich inflates only what is small enough.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.errors import IntegrityError, TooLarge
from gitreg.git.loose import read_loose

if TYPE_CHECKING:
    from mmap import mmap

    from dulwich.object_store import DiskObjectStore as _Store
    from dulwich.objects import ObjectID
    from dulwich.pack import Pack

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
LARGEST_ON_THE_WAY = 32 * 1024 * 1024
"""What may be inflated for the sake of an object that is smaller: git makes deltas from far larger ones too."""

_OFS_DELTA, _REF_DELTA = 6, 7
_MOST_KNOWN = 50_000  # weights kept in memory
_DELTA_START = 512  # compressed bytes that give these: up to 290 are deflate's tables (RFC 1951, 3.2.7)
_DELTA_HEADER = 20  # bytes that hold both sizes with which a delta begins, ten for each 64-bit number


class Weight(NamedTuple):
    """What a packed object is, and what it takes to inflate it.

    Parameters
    ----------
    kind:
        Of the object, as packs number them.
    size:
        Of the object.
    stored:
        Of what its chain of deltas begins with and of all the deltas, which are in memory together.
    largest:
        Of all that goes into a delta or comes out of one.
    """

    kind: int
    size: int
    stored: int
    largest: int


def read_packed(
    store: _Store, oid: str, limit: int, depth: int, known: dict[tuple[str, int], Weight]
) -> tuple[str, bytes] | None:
    """Return kind and content of an object that a store or its alternates hold in a pack; None when they do not.

    Parameters
    ----------
    depth:
        How many alternates of alternates to look into; loose objects of alternates are found too.
    known:
        The weights of objects met before, by pack and place in it.

    Raises
    ------
    TooLarge
        It is larger than the limit.
    """
    from dulwich.object_store import DiskObjectStore  # takes twice as long to import as Python to start

    try:
        number, content = store._lookup_in_packs(lambda pack: _read(pack, oid, limit, known))
    except KeyError:
        pass
    else:
        return KINDS[number], content
    for alternate in store.alternates if depth else ():
        assert isinstance(alternate, DiskObjectStore)
        found = read_loose(Path(alternate.path), oid, limit) or read_packed(alternate, oid, limit, depth - 1, known)
        if found is not None:
            return found
    return None


def _read(pack: Pack, oid: str, limit: int, known: dict[tuple[str, int], Weight]) -> tuple[int, bytes]:
    weight = _weigh(pack, oid.encode(), known)  # type: ignore[arg-type]
    at_once = max(weight.stored, weight.largest)
    if weight.size > limit or at_once > max(limit, LARGEST_ON_THE_WAY):
        what = KINDS.get(weight.kind, "object")
        raise TooLarge(f"the {what} {oid}", weight.size if weight.size > limit else at_once, limit, kind=what)
    return pack.get_raw(oid.encode())  # type: ignore[arg-type]


def _weigh(pack: Pack, oid: ObjectID, known: dict[tuple[str, int], Weight]) -> Weight:
    """Return what inflating an object takes, without inflating it."""
    name, data = str(pack.data.path), pack.data._buffer()
    offset = pack.index.object_offset(oid)
    deltas: dict[int, tuple[int, int, int]] = {}  # by offset: their own size, and those of what goes in and comes out
    while (weight := known.get((name, offset))) is None:
        if offset in deltas:
            raise IntegrityError(f"object {oid.decode()} is a delta of itself", hint="run `git fsck`")
        kind, stored, at = _header(data, offset)
        if kind == _OFS_DELTA:
            back, at = _base_distance(data, at)
            base = offset - back
        elif kind == _REF_DELTA:
            length = pack.data.object_format.oid_length
            base = pack.index.object_offset(bytes(data[at : at + length]))  # type: ignore[arg-type]
            at += length
        else:
            weight = known[name, offset] = Weight(kind, stored, stored, stored)
            break
        deltas[offset] = (stored, *_delta_sizes(data, at))
        offset = base
    if len(known) > _MOST_KNOWN:
        known.clear()
    for each, (stored, source, target) in reversed(deltas.items()):
        weight = Weight(weight.kind, target, weight.stored + stored, max(weight.largest, source, target))
        known[name, each] = weight
    return weight


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
    head = zlib.decompressobj().decompress(data[at : at + _DELTA_START], _DELTA_HEADER)
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
