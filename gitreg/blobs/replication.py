"""Replication: copying sets of files from store to store; only missing objects are sent, each verified on the way.

Chunks and files are written before the recipes and packs that name them, as in a save. So an interrupted copy is
consistent, and the next one sends only the rest.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gitreg.blobs import file_io, keys
from gitreg.blobs.buckets.bucket import NoSuchObjectError
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Chunked, Content
from gitreg.blobs.format.pack import Span
from gitreg.blobs.format.recipe import recipe_text
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.os_errors import CACHE_DENIED, readable_os_errors
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.store import Pack, Store
from gitreg.errors import GitregError, IntegrityError
from gitreg.progress import NO_PROGRESS, Progress

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Copied(NamedTuple):
    """The result of a replication.

    Parameters
    ----------
    files:
        Number of files that the target lacked and has now.
    size:
        Size of these files in bytes; fewer bytes were sent if the target had some of their chunks.
    error:
        The error for files that the target still lacks; None if the set is complete.
    """

    files: int
    size: int
    error: IntegrityError | None = None


def replicate(
    manifest: Manifest, sources: Sequence[Store], target: Store, spool: Path, *, progress: Progress = NO_PROGRESS
) -> Copied:
    """Copy the missing files of a set to a store, each from the first source that has it intact.

    Parameters
    ----------
    spool:
        A folder for big files without chunks on their way between two remote buckets; created if needed.

    Raises
    ------
    GitregError
        The target cannot be written to, or a source that may have the missing files cannot be read.
    """
    lacking = left = _lacking(target, manifest)
    errors: list[GitregError] = []
    with threads() as pool:
        for source in sources:
            if left:
                try:
                    errors += _Copy(source, target, manifest, spool, pool, progress).files(left)
                except GitregError as error:  # the source, or the target, cannot be reached
                    errors.append(error)
                left = _lacking(target, manifest)
    copied = [entry for entry in lacking if entry not in set(left)]
    problem = None
    if left:
        unreachable = [error for error in errors if not isinstance(error, IntegrityError)]
        if unreachable:
            raise unreachable[0]
        more = f"; so it is with {len(left) - 1} more of its files" if len(left) > 1 else ""
        message = errors[0].message if errors else f"{left[0].path}: there is no other store to copy it from"
        problem = IntegrityError(message + more)
    return Copied(len(copied), sum(entry.size for entry in copied), problem)


def _lacking(store: Store, manifest: Manifest) -> list[FileEntry]:
    return store.missing([manifest]).get(manifest.digest, [])


class _Copy:
    """The copy from one source."""

    def __init__(
        self, source: Store, target: Store, manifest: Manifest, spool: Path, pool: Executor, progress: Progress
    ) -> None:
        self._source = source
        self._target = target
        self._manifest = manifest
        self._spool = spool
        self._pool = pool
        self._progress = progress
        self._stored: set[str] = set()  # keys that the target has now
        self._last: dict[str, bytes] = {}  # recipes and packs, written after the objects that they name

    def files(self, entries: Sequence[FileEntry]) -> list[IntegrityError]:
        """Copy files; return the errors of those that the source lacks or has damaged."""
        errors: list[IntegrityError] = []
        if packed := self._packed(entries, errors):
            entries = [entry for entry in entries if entry.sha256 not in packed]
        middle = [entry for entry in entries if entry.size < keys.BIG]
        errors += [error for error in ahead(self._pool, self._whole, middle) if error]
        for entry in entries:
            if entry.size >= keys.BIG:
                try:
                    self._big(entry)
                except IntegrityError as error:
                    errors.append(error)
        self._target.bucket.sync(self._stored)
        for key, text in self._last.items():
            self._target.bucket.write(key, text)
        self._target.bucket.sync(self._last)
        return errors

    def _packed(self, entries: Sequence[FileEntry], errors: list[IntegrityError]) -> Collection[str]:
        """Copy the pack if the source has one with all small files; return the sha256 of the files in it."""
        try:
            pack = self._source.pack_of(self._manifest, entries)
            if pack is None or any(e.size < keys.SMALL and e.sha256 not in pack.spans for e in self._manifest.files):
                return ()
            if isinstance(pack.content, Chunked):
                self._chunks(
                    f"the pack {self._manifest.digest}",
                    pack.content,
                    keys.pack_recipe(self._manifest.hex),
                    self._pool,
                )
            else:
                self._last[keys.pack(self._manifest.hex)] = self._verified_pack(pack)
        except IntegrityError as error:
            errors.append(error)
            return {entry.sha256 for entry in self._manifest.files if entry.size < keys.SMALL}
        return pack.spans

    def _verified_pack(self, pack: Pack) -> bytes:
        try:
            data = pack.content.read(Span(0, pack.content.size))
        except NoSuchObjectError as error:  # another reader has set it aside
            raise self._source.absent(self._manifest.digest, error.key) from None
        whole = memoryview(data)
        for entry in self._manifest.files:
            span = pack.spans.get(entry.sha256)
            if span and sha256(whole[span.start : span.stop]).hexdigest() != entry.sha256:
                raise self._source.blame(entry.path, pack.content)
        self._progress.advance(len(data))
        return data

    def _whole(self, entry: FileEntry) -> IntegrityError | None:
        """Copy a file that fits into memory, stored as one object or, by another writer, in chunks."""
        try:
            content = self._source.content(entry)
            if isinstance(content, Chunked):
                self._chunks(entry.path, content, keys.recipe(entry.sha256))
            else:
                self._object(entry.path, keys.blob(entry.sha256))
        except IntegrityError as error:
            return error
        return None

    def _big(self, entry: FileEntry) -> None:
        content = self._source.content(entry)
        if isinstance(content, Chunked):
            self._chunks(entry.path, content, keys.recipe(entry.sha256), self._pool)
            return

        def name(digest: str) -> str:
            if digest != entry.sha256:
                raise self._source.blame(entry.path, content)
            return keys.blob(digest)

        with self._opened(entry, content) as file:
            self._target.bucket.upload(file, name, self._progress)
        self._stored.add(keys.blob(entry.sha256))

    @contextmanager
    def _opened(self, entry: FileEntry, content: Content) -> Iterator[int]:
        """Yield a descriptor with the bytes of a plain object: the object's own file, or a fetched temporary one."""
        local = self._source.bucket.local_path(keys.blob(entry.sha256))
        if local is not None:
            with readable_os_errors("read the store", local):
                descriptor = file_io.open_regular(local)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
            return
        from tempfile import TemporaryFile  # slow to import

        with readable_os_errors("fetch a big file into", self._spool, CACHE_DENIED):
            self._spool.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._spool) as fetched:  # it has no name, so nothing remains after a kill
                try:
                    parts = ahead(self._pool, content.read, content.parts())
                    for span, data in zip(content.parts(), parts, strict=True):
                        file_io.write_all(fetched.fileno(), data, span.start)
                except NoSuchObjectError as error:
                    raise self._source.absent(entry.path, error.key) from None
                yield fetched.fileno()

    def _chunks(self, path: str, content: Chunked, recipe: str, pool: Executor | None = None) -> None:
        """Copy the chunks that the target lacks, each checked against its sha256; with a pool, several at once."""
        wanted = {keys.blob(chunk.sha256): chunk for chunk in content.chunks}
        stored = self._target.bucket.find(sorted(wanted))
        absent = [key for key, chunk in wanted.items() if key not in stored or stored[key].size != chunk.size]
        self._progress.advance(content.size - sum(wanted[key].size for key in absent))

        def copy(key: str) -> None:
            self._object(path, key)

        for _ in ahead(pool, copy, absent) if pool else map(copy, absent):
            pass
        self._stored.update(wanted)
        self._last[recipe] = recipe_text(content.chunks)

    def _object(self, path: str, key: str) -> None:
        try:
            data = self._source.bucket.read(key)
        except NoSuchObjectError:
            raise self._source.absent(path, key) from None
        if sha256(data).hexdigest() != keys.digest_in(key):
            raise self._source.damaged(path, key)
        self._target.bucket.write(key, data, keys.digest_in(key))
        self._stored.add(key)
        self._progress.advance(len(data))
