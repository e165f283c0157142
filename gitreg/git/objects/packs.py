"""Packed objects, whose sizes are checked before they are inflated.

A pack of 2 MB can contain an object of gigabytes, or a small one made from such a one by deltas (gitformat-pack(5)). So
the headers along the chain of deltas are read first, and dulwich inflates an object only if it is small enough.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.errors import IntegrityError, TooLarge
from gitreg.git.dulwich_internals import bytes_of, find_in_packs
from gitreg.git.objects.loose import read_loose

if TYPE_CHECKING:
    from mmap import mmap

    from dulwich.object_store import DiskObjectStore as _Store
    from dulwich.objects import ObjectID
    from dulwich.pack import Pack

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
LARGEST_ON_THE_WAY = 32 * 1024 * 1024
"""The bytes that may be inflated for a smaller object: git also makes deltas from far larger objects."""

_OFS_DELTA, _REF_DELTA = 6, 7
_MOST_KNOWN = 50_000  # sizes kept in memory
_DELTA_START = 512  # compressed bytes, enough for these: up to 290 are deflate's tables (RFC 1951, 3.2.7)
_DELTA_HEADER = 20  # bytes at the start of a delta for its two sizes, ten for each 64-bit number


class InflationSizes(NamedTuple):
    """The type of a packed object, and the sizes that inflating it involves, in bytes.

    Parameters
    ----------
    kind:
        The type of the object, by its number in packs.
    size:
        The size of the object.
    stored:
        The size of the base of its chain of deltas and of all the deltas, which are in memory together.
    largest:
        The size of the largest input or output of a delta.
    """

    kind: int
    size: int
    stored: int
    largest: int


def read_packed(
    store: _Store, oid: str, limit: int, depth: int, known: dict[tuple[str, int], InflationSizes]
) -> tuple[str, bytes] | None:
    """Return type and content of an object in a pack of a store or its alternates; None where it is not there.

    Parameters
    ----------
    limit:
        The largest content to read, in bytes.
    depth:
        The number of nested alternates to search; loose objects of alternates are found too.
    known:
        The sizes found before, by pack and offset in it; filled here.

    Raises
    ------
    TooLarge
        The object, or a delta base that it needs, is larger than the limit.
    """
    from dulwich.object_store import DiskObjectStore  # slow to import: twice the start of Python

    try:
        number, content = find_in_packs(store, lambda pack: _read(pack, oid, limit, known))
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


def _read(pack: Pack, oid: str, limit: int, known: dict[tuple[str, int], InflationSizes]) -> tuple[int, bytes]:
    sizes = _sizes_of(pack, oid.encode(), known)  # type: ignore[arg-type]
    at_once = max(sizes.stored, sizes.largest)
    if sizes.size > limit or at_once > max(limit, LARGEST_ON_THE_WAY):
        object_type = KINDS.get(sizes.kind, "object")
        raise TooLarge(
            f"the {object_type} {oid}", sizes.size if sizes.size > limit else at_once, limit, object_type=object_type
        )
    return pack.get_raw(oid.encode())  # type: ignore[arg-type]


def _sizes_of(pack: Pack, oid: ObjectID, known: dict[tuple[str, int], InflationSizes]) -> InflationSizes:
    """Return the sizes that inflating an object involves, without inflating it."""
    name, data = str(pack.data.path), bytes_of(pack)
    offset = pack.index.object_offset(oid)
    deltas: dict[int, tuple[int, int, int]] = {}  # by offset: the sizes of the delta, its input and its output
    while (sizes := known.get((name, offset))) is None:
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
            sizes = known[name, offset] = InflationSizes(kind, stored, stored, stored)
            break
        deltas[offset] = (stored, *_delta_sizes(data, at))
        offset = base
    if len(known) > _MOST_KNOWN:
        known.clear()
    for each, (stored, source, target) in reversed(deltas.items()):
        sizes = InflationSizes(sizes.kind, target, sizes.stored + stored, max(sizes.largest, source, target))
        known[name, each] = sizes
    return sizes


def _header(data: mmap | bytes, at: int) -> tuple[int, int, int]:
    """Return the type and size at the start of a pack entry, and the offset of its next field."""
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
    """Return the sizes of the input and the output of a delta."""
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
