"""A blob store in a folder: ``sha256/ab/<hex>``, read-only plain files that ``sha256sum`` can check.

``tmp/`` holds what is being written, ``claims/`` who keeps blobs here. A damaged blob is set aside as ``<hex>.bad``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from gitreg.blobs import copying
from gitreg.blobs.faults import in_words
from gitreg.blobs.files import FileEntry, LocalFile
from gitreg.blobs.parallel import in_parallel
from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.store import Swept
from gitreg.blobs.sweeping import BAD, sweep_blobs, sweep_temporary
from gitreg.errors import GitregError, IntegrityError, InvalidInput

_HEX = re.compile(r"[0-9a-f]{64}")
_SAVE = "save to the store"
_READ = "read the store"
_HINT = "save the same files again, or restore the blob from a copy of the store; gitreg doctor lists what is damaged"


class LocalStore:
    """The store in a folder, which is made by the first save.

    Parameters
    ----------
    root:
        An absolute path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = "file://" + quote(os.fsencode(root))
        self._blobs = root / "sha256"
        self._temporary = root / "tmp"
        self._claims = root / "claims"

    # -- saving ------------------------------------------------------------------------------------------------------

    def put(self, files: Sequence[LocalFile], *, progress: Progress) -> list[FileEntry]:
        """See BlobStore."""
        with self._staging() as staging:
            places = {file.path: staging / str(number) for number, file in enumerate(files)}
            entries = in_parallel(lambda file: self._stage(file, places[file.path], progress), files)
            self._publish({entry.sha256: places[entry.path] for entry in entries})
            return entries

    def put_bytes(self, data: bytes) -> str:
        """See BlobStore."""
        digest = _digest(data)
        with self._staging() as staging:
            if not self._refresh(digest, len(data)):
                _write_blob(data, staging / "0")
            self._publish({digest: staging / "0"})
        return digest

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """Make a folder of this save's own; what still lies in it at the end is thrown away."""
        with in_words(_SAVE, self.root):
            self._blobs.mkdir(parents=True, exist_ok=True)
            self._temporary.mkdir(exist_ok=True)
            staging = self._temporary / os.urandom(8).hex()
            staging.mkdir(mode=0o700)
            try:
                yield staging
            finally:
                with suppress(OSError):  # what cannot be removed now, a sweep removes later
                    for left in staging.iterdir():
                        left.unlink()
                    staging.rmdir()

    def _stage(self, file: LocalFile, staged: Path, progress: Progress) -> FileEntry:
        """Hash a file and, unless its blob is there, write it at `staged`."""
        with in_words("read what is to be saved", file.source):
            source = copying.open_regular(file.source)
        try:
            before = os.fstat(source)
            if file.size > copying.SMALL:
                digest, size = _write_and_hash(source, staged, progress)
            else:
                data = _read_up_to(source, copying.SMALL)
                digest, size = _digest(data), len(data)
                if not self._refresh(digest, size):
                    _write_blob(data, staged)
                progress.advance(size)
            after = os.fstat(source)
        finally:
            os.close(source)
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        if not same or not before.st_size == size == file.size:
            raise GitregError(f"{file.source} changed while it was saved", hint="save again when nothing writes to it")
        return FileEntry(file.path, size, digest, file.executable)

    def _refresh(self, digest: str, size: int) -> bool:
        """Whether the whole blob is there; if so it now counts as saved just now."""
        blob = self._path(digest)
        try:
            if blob.stat().st_size != size:
                return False
            os.utime(blob)
        except (FileNotFoundError, PermissionError):  # another user's blob cannot be touched: it is replaced
            return False
        return True

    def _publish(self, staged: dict[str, Path]) -> None:
        """Give what was staged its final names; what was not staged is there already."""
        touched: set[Path] = set()
        for digest, path in staged.items():
            blob = self._path(digest)
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue
            if self._refresh(digest, size):
                continue
            if blob.parent not in touched:
                blob.parent.mkdir(exist_ok=True)
                touched.add(blob.parent)
            os.rename(path, blob)
        for folder in (*touched, self._blobs):
            copying.sync_folder(folder)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read_bytes(self, sha256: str, *, limit: int) -> bytes:
        """See BlobStore."""
        with self._reading(FileEntry(f"blob {sha256}", 0, sha256)) as source:
            data = _read_up_to(source, limit)
        if len(data) > limit:
            raise IntegrityError(f"blob {sha256} in {self.url} is longer than {limit} bytes", hint=_HINT)
        if _digest(data) != sha256:
            self._set_aside(sha256)
            raise IntegrityError(f"blob {sha256} in {self.url} is damaged", hint=_HINT)
        return data

    def missing(self, digests: Iterable[str]) -> set[str]:
        """See BlobStore."""
        with in_words(_READ, self.root):
            return {digest for digest in digests if not _is_there(self._path(digest))}

    def local_path(self, sha256: str) -> Path | None:
        """See BlobStore."""
        with in_words(_READ, self.root):
            return path if _is_there(path := self._path(sha256)) else None

    def fetch(self, entry: FileEntry, target: Path, *, progress: Progress) -> None:
        """See BlobStore."""
        with self._reading(entry) as source, in_words("copy from the store", target):
            if os.fstat(source).st_size == entry.size:
                with copying.replacing(target, executable=entry.executable) as copy:
                    digest, size = copying.copy_hashed(source, copy, progress, durable=False)
                    if (digest, size) != (entry.sha256, entry.size):
                        self._blame(entry, source)
            else:
                self._blame(entry, source)

    def verify(self, entry: FileEntry, *, progress: Progress) -> None:
        """See BlobStore."""
        with self._reading(entry) as source:
            digest, size = copying.hash_file(source, progress)
        if digest != entry.sha256:
            raise self._damaged(entry)
        if size != entry.size:
            raise _wrong_size(entry, size)

    @contextmanager
    def _reading(self, entry: FileEntry) -> Iterator[int]:
        with in_words(_READ, self.root):
            try:
                source = copying.open_regular(self._path(entry.sha256))
            except FileNotFoundError as error:
                there = "does not hold" if self._blobs.is_dir() else "is not there to give"
                raise IntegrityError(
                    f"{entry.path}: the store {self.url} {there} {entry.sha256}", hint=_HINT
                ) from error
            try:
                yield source
            finally:
                os.close(source)

    def _blame(self, entry: FileEntry, source: int) -> NoReturn:
        """Raise for a copy that came out wrong: the blob, the record or the way between is at fault."""
        digest, size = copying.hash_file(source, NO_PROGRESS)
        if digest != entry.sha256:
            self._set_aside(entry.sha256)
            raise self._damaged(entry)
        if size != entry.size:
            raise _wrong_size(entry, size)
        raise IntegrityError(
            f"{entry.path}: its copy came out damaged although {self.url} holds it whole",
            hint="check the memory of this machine and the disk that is written to",
        )

    def _damaged(self, entry: FileEntry) -> IntegrityError:
        return IntegrityError(f"{entry.path}: blob {entry.sha256} in {self.url} is damaged", hint=_HINT)

    def _set_aside(self, digest: str) -> None:
        """Rename a damaged blob, so that it is missing, and the next save of its content mends the store."""
        blob = self._path(digest)
        with suppress(OSError):  # a store that is only readable here; the damage is reported all the same
            os.replace(blob, blob.with_suffix(BAD))

    def _path(self, digest: str) -> Path:
        if not _HEX.fullmatch(digest):
            raise InvalidInput(f"{digest!r} is no sha256", hint="give its 64 hexadecimal digits, in lower case")
        return self._blobs / digest[:2] / digest

    def claim(self, name: str, text: bytes) -> None:
        """See BlobStore."""
        place = self._claims / name
        with in_words(_SAVE, self.root), self._staging() as staging:
            if _is_there(place) and place.read_bytes() == text:
                return
            _write_blob(text, staging / "0")
            self._claims.mkdir(exist_ok=True)
            os.replace(staging / "0", place)
            copying.sync_folder(self._claims)

    def claims(self) -> dict[str, bytes]:
        """See BlobStore."""
        with in_words(_READ, self.root):
            if not self._claims.is_dir():
                return {}
            return {place.name: place.read_bytes() for place in sorted(self._claims.iterdir())}

    def sweep(self, live: Collection[str], *, older_than: float, apply: bool) -> Iterator[Swept]:
        """See BlobStore."""
        with in_words("clean up the store", self.root):
            yield from sweep_blobs(self._blobs, frozenset(live), older_than, apply=apply)
            yield from sweep_temporary(self._temporary, older_than, apply=apply)


def _wrong_size(entry: FileEntry, size: int) -> IntegrityError:
    return IntegrityError(
        f"{entry.path}: the record says {entry.size} bytes, but what has its sha256 is {size} bytes long",
        hint="the record is wrong: run gitreg doctor",
    )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _write_and_hash(source: int, staged: Path, progress: Progress) -> tuple[str, int]:
    with _new_blob(staged) as target:
        return copying.copy_hashed(source, target, progress, durable=True)


def _write_blob(data: bytes, staged: Path) -> None:
    with _new_blob(staged) as target:
        written = os.write(target, data)
        while written < len(data):  # a disk about to be full takes a part first and refuses the rest
            written += os.write(target, data[written:])
        os.fsync(target)


@contextmanager
def _new_blob(staged: Path) -> Iterator[int]:
    descriptor = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o444)
        yield descriptor
    finally:
        os.close(descriptor)


def _read_up_to(source: int, limit: int) -> bytes:
    """Read to the end, or one byte past the limit so that the caller sees that there is more."""
    with open(source, "rb", closefd=False) as stream:
        return stream.read(limit + 1)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
