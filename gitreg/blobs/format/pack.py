"""A pack: the small files of one artifact in one object, with a table of their positions.

::

    <the files' bytes>
    <sha256>  <size>                                        one line per file, in the same order
    gitreg-pack 1 <size of these lines, 16 digits> <sha256 of these lines>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from gitreg.blobs.format.recipe import Chunk
from gitreg.errors import InvalidDocument

_FOOTER = re.compile(rb"gitreg-pack 1 ([0-9]{16}) ([0-9a-f]{64})\n")
_LINE = re.compile(rb"([0-9a-f]{64})  (0|[1-9][0-9]{0,18})")
FOOTER_SIZE = len("gitreg-pack 1 ") + 16 + 1 + 64 + 1


class Span(NamedTuple):
    """The position of a file's bytes in a pack, in bytes: from start up to stop, exclusive."""

    start: int
    stop: int


def pack_table(files: Sequence[Chunk]) -> bytes:
    """Return the table and the footer, which follow the files' bytes."""
    lines = "".join(f"{file.sha256}  {file.size}\n" for file in files).encode()
    return lines + f"gitreg-pack 1 {len(lines):016} {sha256(lines).hexdigest()}\n".encode()


def pack_size(files: Iterable[Chunk]) -> int:
    """Return the size in bytes of the pack of these files; equal contents are stored once."""
    sizes = {file.sha256: file.size for file in files}
    return sum(size + len(f"{digest}  {size}\n") for digest, size in sizes.items()) + FOOTER_SIZE


def table_size(footer: bytes) -> int:
    """Return the size in bytes of the table that ends in this footer, footer included.

    Raises
    ------
    InvalidDocument
        The bytes are not the footer of a pack.
    """
    match = _FOOTER.fullmatch(footer)
    if match is None:
        raise InvalidDocument("pack", "", "it does not end as a pack does: it was cut off or changed")
    return int(match[1]) + FOOTER_SIZE


def parse_table(table: bytes) -> dict[str, Span]:
    """Return the span of each file, by its sha256, from a table that `pack_table` wrote.

    Raises
    ------
    InvalidDocument
        The table was cut off or changed.
    """
    lines, footer = table[:-FOOTER_SIZE], table[-FOOTER_SIZE:]
    match = _FOOTER.fullmatch(footer)
    if match is None or int(match[1]) != len(lines) or match[2].decode() != sha256(lines).hexdigest():
        raise InvalidDocument("pack", "", "its table was cut off or changed")
    spans: dict[str, Span] = {}
    position = 0
    *each, last = lines.split(b"\n")
    if last:
        raise InvalidDocument("pack", "", "the last line of its table has no end")
    for line in each:
        found = _LINE.fullmatch(line)
        if found is None:
            raise InvalidDocument("pack", "", f"a line of its table, {line[:100]!r}, is no '<sha256>  <size>'")
        size = int(found[2])
        spans[found[1].decode()] = Span(position, position + size)
        position += size
    return spans
