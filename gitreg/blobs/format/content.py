"""The content of a file or a pack, stored as one object or in chunks, with random access."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import accumulate, groupby
from typing import Protocol

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import NoSuchObjectError, ObjectReader
from gitreg.blobs.format.pack import FOOTER_SIZE, Span, parse_table, table_size
from gitreg.blobs.format.recipe import Chunk
from gitreg.errors import InvalidDocument

PART = 8 << 20
"""Bytes of a plain object that are read at once."""


class DamagedError(Exception):
    """The error for an object whose bytes do not match its key.

    Parameters
    ----------
    key:
        The object's key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Content(Protocol):
    """The bytes of a file or pack in a bucket."""

    size: int

    def parts(self) -> Iterator[Span]:
        """Yield the spans, in order, in which the content is best read as a whole."""

    def read(self, span: Span) -> bytes:
        """Return a span's bytes, unverified.

        Raises
        ------
        NoSuchObjectError
            An object that holds a part of them is missing.
        """

    def damage(self) -> list[str]:
        """Return the keys of the damaged objects, after the bytes turned out to be wrong; the list may be empty.

        A missing object counts as damaged.
        """


def spans_of(pack: Content) -> dict[str, Span]:
    """Return the span of each file in a pack, by the file's sha256, in the order of the pack.

    Raises
    ------
    InvalidDocument
        The pack's table was cut off or changed.
    NoSuchObjectError
        An object that holds a part of the pack is missing.
    """
    footer = pack.read(Span(max(0, pack.size - FOOTER_SIZE), pack.size))
    table = pack.read(Span(max(0, pack.size - table_size(footer)), pack.size))
    spans = parse_table(table)
    if max((span.stop for span in spans.values()), default=0) != pack.size - len(table):
        raise InvalidDocument("pack", "", "its table is not about the bytes before it")
    return spans


def is_whole(content: Content, key: str) -> bool:
    """Return whether the bytes match the sha256 in their key; for a pack, whether each file matches the pack's table.

    Raises
    ------
    NoSuchObjectError
        An object that holds a part of the bytes is missing.
    """
    if keys.is_pack(key):
        try:
            return all(sha256(data).hexdigest() == name for name, data in _files(content))
        except InvalidDocument:
            return False
    digest = sha256()
    for span in content.parts():
        digest.update(content.read(span))
    return digest.hexdigest() == keys.digest_in(key)


def _files(pack: Content) -> Iterator[tuple[str, memoryview]]:
    """Yield the sha256 and the bytes of each file in a pack; neighbouring files are read together."""
    for _, group in groupby(spans_of(pack).items(), lambda file: file[1].stop // PART):
        files = list(group)
        start = files[0][1].start
        data = memoryview(pack.read(Span(start, files[-1][1].stop)))
        yield from ((name, data[span.start - start : span.stop - start]) for name, span in files)


class Plain:
    """The content of a single object.

    Parameters
    ----------
    key:
        The key that contains the digest of the bytes.
    place:
        The key to read from, if the object lies elsewhere.
    """

    def __init__(self, bucket: ObjectReader, key: str, size: int, place: str | None = None) -> None:
        self._bucket = bucket
        self._key = key
        self._place = place or key
        self.size = size

    def parts(self) -> Iterator[Span]:
        """See Content."""
        return (Span(start, min(start + PART, self.size)) for start in range(0, self.size, PART))

    def read(self, span: Span) -> bytes:
        """See Content."""
        return self._bucket.read(self._place, span.start, span.stop) if span.start < span.stop else b""

    def damage(self) -> list[str]:
        """See Content."""
        try:
            return [] if is_whole(self, self._key) else [self._key]
        except NoSuchObjectError:  # another reader has set it aside
            return [self._key]


class Chunked:
    """Content in chunks, listed by a recipe.

    Parameters
    ----------
    key:
        The recipe's key.
    """

    def __init__(self, bucket: ObjectReader, key: str, chunks: Sequence[Chunk]) -> None:
        self._bucket = bucket
        self._key = key
        self.chunks = chunks
        self._starts = [0, *accumulate(chunk.size for chunk in chunks)]
        self.size = self._starts[-1]

    def parts(self) -> Iterator[Span]:
        """See Content."""
        return (Span(start, start + chunk.size) for start, chunk in zip(self._starts, self.chunks, strict=False))

    def read(self, span: Span) -> bytes:
        """See Content."""
        return b"".join(
            self._bucket.read(keys.blob(chunk.sha256), max(0, span.start - start), min(chunk.size, span.stop - start))
            for start, chunk in self._within(span)
        )

    def read_verified(self, span: Span) -> bytes:
        """Return a span's bytes, after each of its chunks was checked against its sha256.

        Raises
        ------
        DamagedError
            A chunk does not match its sha256.
        NoSuchObjectError
            A chunk is missing.
        """
        found = []
        for start, chunk in self._within(span):
            data = self._bucket.read(keys.blob(chunk.sha256), 0, chunk.size + 1)
            if sha256(data).hexdigest() != chunk.sha256:
                raise DamagedError(keys.blob(chunk.sha256))
            found.append(data[max(0, span.start - start) : span.stop - start])
        return b"".join(found)

    def damage(self) -> list[str]:
        """See Content: the damaged chunks, or else the recipe."""
        damaged, missing = [], []
        for chunk in self.chunks:
            key = keys.blob(chunk.sha256)
            try:
                if sha256(self._bucket.read(key, 0, chunk.size + 1)).hexdigest() != chunk.sha256:
                    damaged.append(key)
            except NoSuchObjectError:  # another reader has set it aside
                missing.append(key)
        if damaged or missing:
            return damaged + missing
        try:
            return [] if is_whole(self, self._key) else [self._key]
        except NoSuchObjectError:  # another reader moved it aside at this moment
            return []

    def _within(self, span: Span) -> Iterator[tuple[int, Chunk]]:
        index = max(0, bisect_right(self._starts, span.start) - 1)
        while index < len(self.chunks) and self._starts[index] < span.stop:
            yield self._starts[index], self.chunks[index]
            index += 1
