"""A bucket over an fsspec filesystem: Google Cloud Storage (gcsfs), and one in memory.

A big file is uploaded below ``tmp/`` first; a copy on the server's side gives it its key.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from gitreg.blobs.buckets import errors
from gitreg.blobs.buckets import upload as sending
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.buckets.errors import Reason, readable_errors
from gitreg.blobs.buckets.listing import find
from gitreg.blobs.parallel import ahead, threads
from gitreg.progress import Progress

logging.getLogger("gcsfs").addHandler(logging.NullHandler())  # else it prints tracebacks of what is told in words
_TEMPORARY = "tmp/"
_LOGIN = "log in as Google's own tools do it: gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS"
_NO_CREDENTIALS = Reason("no credentials for Google are found, or they have expired", _LOGIN)


class FilesystemBucket:
    """Objects below a path of an fsspec filesystem that replaces objects atomically.

    Parameters
    ----------
    url:
        The bucket's URL, for messages.
    open_filesystem:
        Returns the filesystem; called once, at the first use.
    root:
        A path of the filesystem, without ``/`` at its end.
    """

    local = False

    def __init__(self, url: str, open_filesystem: Callable[[], Any], root: str) -> None:
        self.url = url
        self._root = root
        self._open_filesystem = open_filesystem
        self._opened: Any = None
        self._lock = Lock()
        self._readable_errors = partial(readable_errors, url, _explain)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""
        with self._readable_errors():
            try:
                if start == 0 and stop is None:
                    return bytes(self._fs().cat_file(self._path(key)))
                size = self._fs().info(self._path(key))["size"]
                stop = size if stop is None else min(stop, size)
                return bytes(self._fs().cat_file(self._path(key), start, stop)) if start < stop else b""
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        return find(keys, self._ask, self.list)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket. Only one folder's listing is in memory at a time."""
        with self._readable_errors():
            folders = [self._path(prefix).rstrip("/")]
            while folders:
                with suppress(FileNotFoundError):
                    for entry in self._fs().ls(folders.pop(), detail=True):
                        if entry["type"] == "directory":
                            folders.append(entry["name"].rstrip("/"))
                        else:
                            yield self._info(entry)

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        return None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """See Bucket."""
        with self._readable_errors():
            self._fs().pipe_file(self._path(key), bytes(data))

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket. An interrupted upload starts again from its beginning: Google cannot find its parts again."""
        with self._readable_errors():
            return sending.upload(self, source, name, progress, self._send)

    def _send(self, file: sending.Upload) -> None:
        if file.size <= sending.PIECE:
            self.write(file.key, file.whole())
            file.progress.advance(file.size)
            return
        temporary = _TEMPORARY + os.urandom(8).hex()
        try:
            # Leaving this block publishes the bytes so far, also after a failure: so it writes under a temporary name.
            with self._fs().open(self._path(temporary), "wb", block_size=sending.PIECE) as stream:
                for _, data in file.pieces():
                    stream.write(data)
                    file.progress.advance(len(data))
            self.move(temporary, file.key)
        except BaseException:
            with suppress(Exception):  # only the first failure is reported
                self.delete([temporary])
            raise

    def move(self, key: str, to: str) -> None:
        """See Bucket."""
        with self._readable_errors():
            try:
                self._fs().cp_file(self._path(key), self._path(to))
                self._fs().rm_file(self._path(key))
            except FileNotFoundError:
                raise NoSuchObjectError(key) from None

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""

        def remove(key: str) -> None:
            with suppress(FileNotFoundError):
                self._fs().rm_file(self._path(key))

        with self._readable_errors(), threads() as pool:
            for _ in ahead(pool, remove, keys):
                pass

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. Nothing to do: an object that the service confirmed is durable."""

    # -- leftovers ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket: the mtime of a temporary object that this call writes."""
        key = _TEMPORARY + os.urandom(8).hex()
        self.write(key, b"")
        try:
            return self.find([key])[key].mtime
        finally:
            self.delete([key])

    def unfinished(self) -> Iterator[ObjectInfo]:
        """See Bucket. An incomplete upload to Google is not listed anywhere; Google removes it after a week."""
        yield from self.list(_TEMPORARY)

    def discard(self, left: ObjectInfo) -> None:
        """See Bucket."""
        self.delete([left.key])

    # -- the filesystem ----------------------------------------------------------------------------------------------

    def _fs(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_filesystem()
            return self._opened

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _ask(self, key: str) -> ObjectInfo | None:
        with self._readable_errors():
            try:
                entry = self._fs().info(self._path(key))
            except FileNotFoundError:
                return None
            return self._info(entry) if entry["type"] == "file" else None

    def _info(self, entry: dict[str, Any]) -> ObjectInfo:
        key = entry["name"].removeprefix(f"{self._root}/")
        return ObjectInfo(key, entry["size"], _seconds(entry.get("mtime", entry.get("created"))))


def _seconds(when: Any) -> float:
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    return when.timestamp() if isinstance(when, datetime) else float(when)


def _explain(error: Exception) -> Reason | None:
    """Return the reason for an error of gcsfs or of the libraries below it; None for any other error."""
    library = type(error).__module__.partition(".")[0]
    if library == "google":  # google.auth
        return _NO_CREDENTIALS
    if library not in {"gcsfs", "aiohttp", "requests"} and not isinstance(error, OSError):
        return None
    status = str(getattr(error, "code", ""))
    if status == "401":
        return _NO_CREDENTIALS
    if status == "403" or isinstance(error, PermissionError):
        return errors.DENIED
    if status == "404" or isinstance(error, FileNotFoundError):
        return errors.NO_BUCKET
    if status.startswith("5") or status == "429":
        return errors.BUSY
    if isinstance(error, TimeoutError):
        return errors.TIMEOUT
    return errors.unexpected(error)
