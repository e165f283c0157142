"""The verification of a set's files in a store against its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import NoSuchObjectError
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.pack import Span
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.parallel import ahead, threads
from gitreg.blobs.store import Pack, Store, runs, wrong_size
from gitreg.errors import IntegrityError
from gitreg.progress import Progress

if TYPE_CHECKING:
    from concurrent.futures import Executor

Judged = tuple[FileEntry, str | None]
"""A file, and its problem as a message; None if it is intact."""


class FileScan(Protocol):
    """An observer that scans files while they are being verified; several threads may call it at once."""

    def wants(self, entry: FileEntry) -> bool:
        """Return whether to look at a file once it is verified."""

    def look(self, entry: FileEntry, file: BinaryIO) -> None:
        """Scan a verified file."""

    def leave_out(self, entry: FileEntry, error: OSError) -> None:
        """Record that a file cannot be scanned, because this machine could not store a temporary copy."""


def verify(
    store: Store,
    manifest: Manifest,
    entries: Sequence[FileEntry],
    progress: Progress,
    onlooker: FileScan | None = None,
) -> Iterator[Judged]:
    """Read every byte of some of a set's files from a store; yield each file with its problem, or None if it is intact.

    Damaged objects are moved aside, as by `Store.fetch`. Memory stays bounded for any file size.

    Parameters
    ----------
    entries:
        The manifest's files to verify.
    onlooker:
        An observer of the verified files.

    Raises
    ------
    GitregError
        The store cannot be read at all.
    """
    reading = _Reading(store, manifest, progress, onlooker)
    with threads() as pool:
        try:
            pack = store.pack_of(manifest, entries)
        except IntegrityError as error:
            pack = None
            for entry in entries:
                if entry.size < keys.SMALL:
                    yield entry, error.message
            entries = [entry for entry in entries if entry.size >= keys.SMALL]
        if pack:
            yield from reading.packed(pack, [entry for entry in entries if entry.sha256 in pack.spans], pool)
            entries = [entry for entry in entries if entry.sha256 not in pack.spans]
        middle = [entry for entry in entries if entry.size < keys.BIG]
        yield from zip(middle, ahead(pool, reading.alone, middle), strict=True)
        for entry in entries:
            if entry.size >= keys.BIG:
                yield entry, reading.alone(entry, pool)


class _Reading:
    def __init__(self, store: Store, manifest: Manifest, progress: Progress, onlooker: FileScan | None) -> None:
        self._onlooker = onlooker
        self._store = store
        self._manifest = manifest
        self._progress = progress

    def packed(self, pack: Pack, entries: Sequence[FileEntry], pool: Executor) -> Iterator[Judged]:
        """Verify files in a pack; damage is located last, because that may move the pack aside."""
        found = [
            each
            for run in ahead(pool, lambda run: self._run(pack, run), runs(pack, entries, lambda entry: entry))
            for each in run
        ]
        problems = dict(found)
        if wrong := [entry for entry, problem in found if problem == _WRONG]:
            blamed = str(self._store.blame(wrong[0].path, pack.content))
            problems |= {entry: entry.path + blamed.removeprefix(wrong[0].path) for entry in wrong}
        whole = not any(problems.values()) or self._has_pack()
        for entry, problem in problems.items():
            yield (
                entry,
                problem or (None if whole else f"{entry.path}: its pack is damaged elsewhere and was set aside"),
            )

    def _has_pack(self) -> bool:
        try:
            return self._store.pack(self._manifest) is not None
        except IntegrityError:
            return False

    def _run(self, pack: Pack, run: Sequence[FileEntry]) -> list[Judged]:
        spans = [pack.spans[entry.sha256] for entry in run]
        start = spans[0].start
        try:
            data = memoryview(pack.content.read(Span(start, max(span.stop for span in spans))))
        except NoSuchObjectError as error:
            if len(run) == 1:
                return [(run[0], self._store.absent(run[0].path, error.key).message)]
            return [each for entry in run for each in self._run(pack, [entry])]  # other files may lie in other chunks
        self._progress.advance(len(data))
        judged = []
        for entry, span in zip(run, spans, strict=True):
            found = data[span.start - start : span.stop - start]
            judged.append((entry, _judge(entry, found)))
            if judged[-1][1] is None and self._onlooker and self._onlooker.wants(entry):
                self._onlooker.look(entry, BytesIO(found))
        return judged

    def alone(self, entry: FileEntry, pool: Executor | None = None) -> str | None:
        """Verify a file outside any pack and return its problem, or None; with a pool, parts are read ahead."""
        digest = sha256()
        with _Copy(self._onlooker, entry) as copy:
            try:
                content = self._store.content(entry)
                parts = content.parts()
                with suppress(NoSuchObjectError):  # a part is missing, other parts may be damaged
                    for data in ahead(pool, content.read, parts) if pool else map(content.read, parts):
                        digest.update(data)
                        copy.write(data)
                        self._progress.advance(len(data))
                if digest.hexdigest() != entry.sha256:
                    raise self._store.blame(entry.path, content)
            except IntegrityError as error:
                return error.message
            copy.show()
        return None


class _Copy:
    """A temporary copy of a file that is read part by part, for the observer; it is deleted at the end."""

    def __init__(self, onlooker: FileScan | None, entry: FileEntry) -> None:
        self._onlooker = onlooker if onlooker and onlooker.wants(entry) else None
        self._entry = entry
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def write(self, data: bytes) -> None:
        """Append a part; if the disk has no room, the file is left out."""
        if self._onlooker is None:
            return
        try:
            self._file = self._file or TemporaryFile()  # noqa: SIM115 - closed in the end
            self._file.write(data)
        except OSError as error:
            self._onlooker.leave_out(self._entry, error)
            self._onlooker = None

    def show(self) -> None:
        """Pass the complete file to the observer."""
        if self._onlooker is None:
            return
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._onlooker.leave_out(self._entry, error)
        else:
            self._onlooker.look(self._entry, self._file or BytesIO())


_WRONG = "wrong"  # replaced once the damaged object is known


def _judge(entry: FileEntry, data: memoryview) -> str | None:
    if sha256(data).hexdigest() != entry.sha256:
        return _WRONG
    return None if len(data) == entry.size else wrong_size(entry, len(data)).message
