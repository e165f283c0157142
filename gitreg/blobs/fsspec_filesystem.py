"""Artifacts as a read-only fsspec filesystem, for libraries that open its URLs: pandas, pyarrow, polars, dask.

All bytes that a reader gets are verified, in one of two ways:

- A file that lies in the cache, or that the store does not keep in chunks, is read through the cache: its whole sha256
  is checked against the record before the first byte is returned.
- A big file in chunks is read by ranges: only the chunks of a range are fetched, and each is checked against its own
  sha256 before a byte of it is returned. The file's recipe lists its chunks. The recipe is named after the file's
  sha256, but one range alone cannot prove it: whoever can forge objects in the store could substitute other chunks. A
  file that is read from beginning to end is also checked against its whole sha256, before its last bytes are
  returned. If you must not rely on the store's recipes, load the version first: then all is read from the cache.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

from fsspec.spec import AbstractFileSystem

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import NoSuchObjectError
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Chunked, DamagedError
from gitreg.blobs.format.pack import Span
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.errors import IntegrityError, NotFound, Refused
from gitreg.names import nfc

_CHUNKS = 4  # kept in memory per open file; at most 16 MiB each, usually 4
_BUFFER = 256 << 10


class ResolvedPath(NamedTuple):
    """The version that a reference names at this moment, and the means to read it.

    Parameters
    ----------
    store:
        Returns the source of its files; a function, because files in the cache need none.
    note_use:
        Called whenever a file is opened for reading.
    admit:
        Called with the entry, the open file, and whether the whole file was verified (True) or only each range is as it
        is read (False). Raises an error to refuse the file; otherwise leaves it at its beginning.
    """

    manifest: Manifest
    store: Callable[[], StoreReader]
    cache: Cache
    note_use: Callable[[], None] = lambda: None
    admit: Callable[[FileEntry, BinaryIO, bool], None] = lambda *_: None


class NoSuchFileError(NotFound, FileNotFoundError):
    """The error for a missing version, or a missing file in it; fsspec expects a FileNotFoundError."""


class ArtifactFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """Files of artifacts at ``REFERENCE/PATH``; the reference ends with the path part that contains its ``@``.

    Every call resolves its reference anew; an open file keeps the content that it had when it was opened.

    Parameters
    ----------
    resolve:
        Returns a context manager that resolves a reference; raises NotFound if the version does not exist.
    """

    cachable = False

    def __init__(self, resolve: Callable[[str], AbstractContextManager[ResolvedPath]], **options: Any) -> None:
        super().__init__(**options)
        self._resolve = resolve

    # -- listing -----------------------------------------------------------------------------------------------------

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Return the rows of a folder's files and folders, or of a file itself; their names if not ``detail``.

        Raises
        ------
        NoSuchFileError
            The version or the path does not exist.
        """
        reference, inside, manifest = self._look(path)
        rows: dict[str, dict[str, Any]] = {}
        for entry in manifest.files:
            below = _below(inside, entry.path)
            if below is None:
                continue
            name, slash, _rest = below.partition("/")
            if not below:
                rows[entry.path] = _file(reference, entry)
            elif slash:
                folder = f"{inside}/{name}" if inside else name
                rows[folder] = {"name": f"{reference}/{folder}", "size": 0, "type": "directory"}
            else:
                rows[entry.path] = _file(reference, entry)
        if not rows:
            raise _absent(reference, inside)
        return list(rows.values()) if detail else [row["name"] for row in rows.values()]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the row of a file (``name``, ``size`` in bytes, ``type``, ``sha256``) or of a folder.

        Raises
        ------
        NoSuchFileError
            The version or the path does not exist.
        """
        reference, inside, manifest = self._look(path)
        for entry in manifest.files:
            below = _below(inside, entry.path)
            if below == "":
                return _file(reference, entry)
            if below is not None:
                name = f"{reference}/{inside}".rstrip("/")
                return {"name": name, "size": 0, "type": "directory"}
        raise _absent(reference, inside)

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """Return the names of all files below a folder, or with ``detail`` a dict of their rows by name."""
        if maxdepth is not None or withdirs:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)
        reference, inside, manifest = self._look(path)
        rows = [_file(reference, entry) for entry in manifest.files if _below(inside, entry.path) is not None]
        return {row["name"]: row for row in rows} if detail else [row["name"] for row in rows]

    def ukey(self, path: str) -> str:
        """Return a file's sha256, which changes whenever its content does."""
        return str(self.info(path)["sha256"])

    def _look(self, path: str) -> tuple[str, str, Manifest]:
        reference, inside = split_path(self._strip_protocol(path))
        with self._resolved(reference) as found:
            return reference, inside, found.manifest

    def _resolved(self, reference: str) -> AbstractContextManager[ResolvedPath]:
        return self._resolve(reference)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        if mode != "rb":
            raise Refused(f"{path} cannot be opened for writing", hint="`gitreg save` makes a new version")
        reference, inside = split_path(self._strip_protocol(path))
        with self._resolved(reference) as found:
            entry = found.manifest.find(inside)
            if entry is None:
                raise _absent(reference, inside)
            file = open_by_parts(found, entry)
            file = file or _File(found.cache.open(found.manifest, found.store(), entry.path).detach(), _BUFFER)
            try:
                found.admit(entry, file, not isinstance(getattr(file, "raw", None), _Chunks))
            except BaseException:
                file.close()
                raise
            found.note_use()
            return file

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """Return a file's bytes from start to end; negative numbers count from the file's end."""
        with self._open(path) as file:
            size = file.seek(0, io.SEEK_END)
            first, last, _step = slice(start, end).indices(size)
            file.seek(first)
            return file.read(max(0, last - first))


def open_by_parts(found: ResolvedPath, entry: FileEntry) -> BinaryIO | None:
    """Open a file in the cache, or by its chunks; return None if it can only be read by fetching all of it."""
    if file := found.cache.open_cached(found.manifest, entry.path):
        return _File(file.detach(), _BUFFER)
    chunks = _open_chunked(found, entry) if entry.size >= keys.BIG else None
    return _File(chunks, _BUFFER) if chunks else None


def split_path(path: str) -> tuple[str, str]:
    """Return the reference and the path of ``team/iris@7/dir/file``; a version's name contains no ``/``.

    Raises
    ------
    NoSuchFileError
        The path names no version.
    """
    model, at, rest = path.strip("/").partition("@")
    version, _slash, inside = rest.partition("/")
    if not (model and at and version):
        raise NoSuchFileError(f"{path!r} names no version", hint="write gitreg://MODEL@VERSION/FILE")
    return f"{model}@{version}", inside


class _File(io.BufferedReader):
    """A buffered file that closes itself when it is garbage-collected, without a warning: pyarrow leaves files open."""

    def __del__(self) -> None:
        self.close()


def _open_chunked(found: ResolvedPath, entry: FileEntry) -> _Chunks | None:
    """Open a file by its chunks; return None if it is not in chunks, or its recipe is missing or damaged."""
    store = found.store()
    try:
        content = store.content(entry)
    except IntegrityError:  # it may lie in a pack, or a replica may have it; the cache tries them
        return None
    if not isinstance(content, Chunked):
        return None
    return _Chunks(entry, content, lambda: found.cache.open(found.manifest, store, entry.path))


class _ForgedError(DamagedError):
    """The error for intact chunks that form a different file; earlier bytes of it may have been read already."""


class _Chunks(io.RawIOBase):
    """A raw file that is read chunk by chunk; each chunk is verified.

    Parameters
    ----------
    whole:
        Opens the whole file through the cache, for the case that a chunk is missing or damaged.
    """

    def __init__(self, entry: FileEntry, content: Chunked, whole: Callable[[], BinaryIO]) -> None:
        super().__init__()
        self._entry = entry
        self._content = content
        self._spans = list(content.parts())
        self._starts = [span.start for span in self._spans]
        self._open_whole = whole
        self._whole: BinaryIO | None = None
        self._position = 0
        self._recent: OrderedDict[int, bytes] = OrderedDict()
        self._digest = sha256()
        self._digested = 0  # bytes hashed so far, in order from the file's beginning

    def readable(self) -> bool:
        """See io."""
        return True

    def seekable(self) -> bool:
        """See io."""
        return True

    def tell(self) -> int:
        """See io."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See io."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._entry.size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek before the beginning of {self._entry.path}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """See io. One call reads at most to the end of a chunk."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """See io."""
        return b"".join(iter(lambda: bytes(self._read(self._entry.size)), b""))

    def close(self) -> None:
        """See io."""
        self._recent.clear()
        if self._whole is not None:
            self._whole.close()
        super().close()

    def _read(self, most: int) -> memoryview | bytes:
        data: memoryview | bytes = b""
        if self._position >= self._entry.size or not most:
            return data
        if self._whole is None:
            try:
                data = self._read_chunk(most)
            except (DamagedError, NoSuchObjectError) as error:
                self._recent.clear()
                self._whole = self._open_whole()  # moves damaged objects aside, and reads a replica or raises
                if isinstance(error, _ForgedError) and len(self._spans) > 1:
                    raise IntegrityError(
                        f"{self._entry.path}: what was read of it up to here was not this file",
                        hint="throw that away and read it again, which takes it from where it is whole",
                    ) from None
        if self._whole is not None:
            self._whole.seek(self._position)
            data = self._whole.read(most)
        self._position += len(data)
        return data

    def _read_chunk(self, most: int) -> memoryview:
        index = bisect_right(self._starts, self._position) - 1
        span = self._spans[index]
        chunk = self._recent.pop(index, None)
        if chunk is None:
            chunk = self._content.read_verified(span)
        self._hash(span, chunk)
        self._recent[index] = chunk
        if len(self._recent) > _CHUNKS:
            self._recent.popitem(last=False)
        start = self._position - span.start
        return memoryview(chunk)[start : start + most]

    def _hash(self, span: Span, chunk: bytes) -> None:
        """Add a chunk to the whole file's sha256 if it is the next one in order; check the sha256 after the last chunk.

        Raises
        ------
        _ForgedError
            The chunks are intact, but they do not form the file.
        """
        if span.start != self._digested:
            return
        self._digest.update(chunk)
        self._digested = span.stop
        if self._digested == self._entry.size and self._digest.hexdigest() != self._entry.sha256:
            self._digested = 0
            self._digest = sha256()
            raise _ForgedError(self._entry.path)


def _below(folder: str, path: str) -> str | None:
    """Return a path relative to a folder, "" for the folder's own path; None if it lies elsewhere."""
    if not folder:
        return path
    folder, path = nfc(folder), nfc(path)
    if path == folder:
        return ""
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


def _file(reference: str, entry: FileEntry) -> dict[str, Any]:
    return {"name": f"{reference}/{entry.path}", "size": entry.size, "type": "file", "sha256": entry.sha256}


def _absent(reference: str, inside: str) -> NoSuchFileError:
    return NoSuchFileError(f"{reference} has no file {inside!r}", hint=f"see `gitreg show {reference}`")
