"""Artifacts as a read-only file system of fsspec, for whatever opens its URLs: pandas, pyarrow, polars, dask.

What comes out was verified, in one of two ways:

- A file that lies in the cache, or that is not cut into chunks in the store, goes through the cache: its whole sha256
  is held against the record before its first byte comes out.
- A big file that is cut into chunks is read by ranges: only the chunks that hold a range are fetched, and each is held
  against its own sha256 before a byte of it comes out. Which chunks make up the file is said by its recipe, which is
  named after the file's sha256 but cannot be proven by a range alone; so who can forge objects in the store could
  pass off other chunks. A file that is read from its beginning to its end is held against its whole sha256 as well,
  before its last bytes come out. Who must not rely on the store's recipes loads the version first: then all is read
  from the cache.
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

from gitreg.blobs import layout
from gitreg.blobs.buckets.bucket import NoSuchObjectError
from gitreg.blobs.cache import Cache
from gitreg.blobs.content import Chunked, DamagedError
from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.pack import Span
from gitreg.blobs.source import Source
from gitreg.errors import IntegrityError, NotFound, Refused
from gitreg.names import nfc

_CHUNKS = 4  # kept in memory for each open file; at most 16 MiB each, usually 4
_BUFFER = 256 << 10


class Resolved(NamedTuple):
    """What a reference means at this moment.

    Parameters
    ----------
    store:
        Where its files come from; a function, since files in the cache need none.
    note_use:
        Called when a file is opened to be read.
    admit:
        Takes a file that is opened, and whether all of it was held against its hash, not only what is read of it;
        refuses those that are not to be handed out, and leaves others at their beginning.
    """

    manifest: Manifest
    store: Callable[[], Source]
    cache: Cache
    note_use: Callable[[], None] = lambda: None
    admit: Callable[[FileEntry, BinaryIO, bool], None] = lambda *_: None


class NoSuchFileError(NotFound, FileNotFoundError):
    """There is no such version, or no such file in it; fsspec looks for the FileNotFoundError."""


class ArtifactFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """Files of artifacts under ``REFERENCE/PATH``, where the reference ends with the part that follows its ``@``.

    Every call asks anew what a reference means; a file that is open stays what it was when it was opened.

    Parameters
    ----------
    resolve:
        Gives what a reference means, for as long as the context lasts. It raises NotFound where there is none.
    """

    cachable = False

    def __init__(self, resolve: Callable[[str], AbstractContextManager[Resolved]], **options: Any) -> None:
        super().__init__(**options)
        self._resolve = resolve

    # -- what is there -----------------------------------------------------------------------------------------------

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """List a folder's files and folders, or a file itself."""
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
        """Describe a file (``size``, ``sha256``) or a folder."""
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
        """List all files below a folder; the reference is resolved once."""
        if maxdepth is not None or withdirs:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)
        reference, inside, manifest = self._look(path)
        rows = [_file(reference, entry) for entry in manifest.files if _below(inside, entry.path) is not None]
        return {row["name"]: row for row in rows} if detail else [row["name"] for row in rows]

    def ukey(self, path: str) -> str:
        """Give a file's sha256, which says whether it changed."""
        return str(self.info(path)["sha256"])

    def _look(self, path: str) -> tuple[str, str, Manifest]:
        reference, inside = split_path(self._strip_protocol(path))
        with self._resolved(reference) as found:
            return reference, inside, found.manifest

    def _resolved(self, reference: str) -> AbstractContextManager[Resolved]:
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
        """Give a file's bytes from start to end, counted from the file's end where negative."""
        with self._open(path) as file:
            size = file.seek(0, io.SEEK_END)
            first, last, _step = slice(start, end).indices(size)
            file.seek(first)
            return file.read(max(0, last - first))


def open_by_parts(found: Resolved, entry: FileEntry) -> BinaryIO | None:
    """Open a file from the cache, or by its chunks; None where a part is not to be had without fetching all of it."""
    if file := found.cache.open_cached(found.manifest, entry.path):
        return _File(file.detach(), _BUFFER)
    chunks = _open_chunked(found, entry) if entry.size >= layout.BIG else None
    return _File(chunks, _BUFFER) if chunks else None


def split_path(path: str) -> tuple[str, str]:
    """Split ``team/iris@7/dir/file`` into the reference and the path; a version's name holds no ``/``.

    Raises
    ------
    NoSuchFileError
        It names no version.
    """
    model, at, rest = path.strip("/").partition("@")
    version, _slash, inside = rest.partition("/")
    if not (model and at and version):
        raise NoSuchFileError(f"{path!r} names no version", hint="write gitreg://MODEL@VERSION/FILE")
    return f"{model}@{version}", inside


class _File(io.BufferedReader):
    """A file that closes itself without a warning when it is forgotten: pyarrow forgets its files."""

    def __del__(self) -> None:
        self.close()


def _open_chunked(found: Resolved, entry: FileEntry) -> _Chunks | None:
    """Open a file that is cut into chunks; None where it is not, or not to be had so."""
    store = found.store()
    try:
        content = store.content(entry)
    except IntegrityError:  # it may lie in a pack or in another store, or be mended; the cache finds out
        return None
    if not isinstance(content, Chunked):
        return None
    return _Chunks(entry, content, lambda: found.cache.open(found.manifest, store, entry.path))


class _ForgedError(DamagedError):
    """Whole chunks turned out to make up something else, which somebody may have read by then."""


class _Chunks(io.RawIOBase):
    """A file that is read chunk by chunk, each of them verified.

    Parameters
    ----------
    whole:
        Opens the file in another way, for when a chunk is missing or damaged.
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
        self._digested = 0  # bytes from the file's beginning that were read one after another

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
        """See io; at most to the end of a chunk."""
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
                self._whole = self._open_whole()  # sets aside what is damaged, and finds it elsewhere or raises
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
        """Hold what was read from the beginning on against the whole file's sha256, once it is all there.

        Raises
        ------
        _ForgedError
            The chunks, each of them whole, do not make up the file.
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
    """Give a path as seen from a folder, "" for the path itself; None where it lies elsewhere."""
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
