"""A bucket in a folder of another machine, over SFTP.

asyncssh itself rather than one of fsspec's filesystems: by default both accept any host key (fsspec's own by
paramiko, sshfs by ``known_hosts=None``); they write under the final name and cannot sync a file. asyncssh reads
~/.ssh/config and known_hosts and asks the agent, as `ssh` does.
"""

from __future__ import annotations

import os
import posixpath
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gitreg.blobs.buckets import errors
from gitreg.blobs.buckets import upload as sending
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.buckets.errors import Reason, readable_errors
from gitreg.blobs.buckets.listing import find
from gitreg.blobs.buckets.sftp_connection import SftpConnection
from gitreg.progress import Progress

_TEMPORARY = "tmp/"
_TOGETHER = 32  # files removed at a time

Result = TypeVar("Result")


class SftpBucket:
    """Objects as files below a folder of another machine; the first write creates the folder.

    A file is written in ``tmp/``, synced if the server supports that (OpenSSH's extension fsync@openssh.com), and
    renamed atomically to its key (posix-rename@openssh.com).

    Parameters
    ----------
    url:
        The bucket's URL, for messages.
    host, port, user:
        The machine, or a host of ~/.ssh/config; None leaves port and user to that file or to the defaults of `ssh`.
    root:
        An absolute path on that machine.
    """

    local = False

    def __init__(self, url: str, host: str, port: int | None, user: str | None, root: str) -> None:
        self.url = url
        self._root = root
        self._connection = SftpConnection(host, port, user)
        self._readable_errors = partial(readable_errors, url, _explain)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""

        async def read(sftp: Any) -> bytes:
            async with sftp.open(self._path(key), "rb") as file:
                end = (await file.stat()).size if stop is None else stop
                return await file.read(max(0, end - start), start)  # type: ignore[no-any-return]

        if stop is not None and stop <= start:
            return b""
        return self._of(key, read)

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        return find(keys, self._ask, self.list)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket. Only one folder's listing is in memory at a time."""
        import asyncssh

        folders = [prefix]
        while folders:
            folder = folders.pop()
            with suppress(NoSuchObjectError):
                for entry in self._of(folder, lambda sftp, at=folder: sftp.readdir(self._path(at))):  # type: ignore[misc]
                    if entry.filename in {".", ".."}:
                        continue
                    if entry.attrs.type == asyncssh.FILEXFER_TYPE_DIRECTORY:
                        folders.append(f"{folder}{entry.filename}/")
                    else:
                        yield _info(folder + entry.filename, entry.attrs)

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        return None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """See Bucket."""
        self._write(key, lambda: iter([bytes(data)]))

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket. An interrupted upload starts again from its beginning: SFTP has no checksum of its parts."""

        def send(file: sending.Upload) -> None:
            self._write(file.key, lambda: (data for _, data in file.pieces()), progress)

        return sending.upload(self, source, name, progress, send)

    def _write(self, key: str, pieces: Callable[[], Iterator[bytes]], progress: Progress | None = None) -> None:
        async def write(sftp: Any) -> None:
            import asyncssh

            temporary = self._path(_TEMPORARY + os.urandom(8).hex())
            try:
                async with await _create(sftp, temporary) as file:
                    size = 0
                    for data in pieces():
                        await file.write(data, size)
                        size += len(data)
                        if progress:
                            progress.advance(len(data))
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()
                if (await sftp.stat(temporary)).size != size:
                    raise asyncssh.SFTPFailure("a file is shorter than what was written to it")
                await _replace(sftp, temporary, self._path(key))
            except BaseException:
                with suppress(OSError, asyncssh.Error):
                    await sftp.remove(temporary)
                raise

        with self._readable_errors():
            self._connection.run(write)

    def move(self, key: str, to: str) -> None:
        """See Bucket."""
        import asyncssh

        now = self.now()

        async def move(sftp: Any) -> None:
            with suppress(asyncssh.SFTPPermissionDenied):  # another user's file keeps its mtime
                await sftp.utime(self._path(key), (now, now))
            await _replace(sftp, self._path(key), self._path(to))

        self._of(key, move)

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""
        import asyncio

        import asyncssh

        async def remove(sftp: Any) -> None:
            async def one(key: str) -> None:
                with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                    await sftp.remove(self._path(key))

            for at in range(0, len(going), _TOGETHER):
                await asyncio.gather(*map(one, going[at : at + _TOGETHER]))

        going = [*keys]
        with self._readable_errors():
            self._connection.run(remove)

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. Nothing to do: files are synced before their renames, and SFTP cannot sync folders."""

    # -- leftovers ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket: the mtime of a temporary file that this call writes, in whole seconds."""

        async def now(sftp: Any) -> float:
            path = self._path(_TEMPORARY + os.urandom(8).hex())
            async with await _create(sftp, path):
                pass
            try:
                return float((await sftp.stat(path)).mtime)
            finally:
                await sftp.remove(path)

        with self._readable_errors():
            return self._connection.run(now)

    def unfinished(self) -> Iterator[ObjectInfo]:
        """See Bucket."""
        yield from self.list(_TEMPORARY)

    def discard(self, left: ObjectInfo) -> None:
        """See Bucket."""
        self.delete([left.key])

    # -- the server --------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> str:
        return posixpath.join(self._root, key)

    def _ask(self, key: str) -> ObjectInfo | None:
        with suppress(NoSuchObjectError):
            return _info(key, self._of(key, lambda sftp: sftp.lstat(self._path(key))))
        return None

    def _of(self, key: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run some work on an object; raise NoSuchObjectError where the object does not exist."""
        import asyncssh

        with self._readable_errors():
            try:
                return self._connection.run(work)
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                raise NoSuchObjectError(key) from None


async def _create(sftp: Any, path: str) -> Any:
    import asyncssh

    try:
        return await sftp.open(path, "xb")
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        await sftp.makedirs(posixpath.dirname(path), exist_ok=True)
        return await sftp.open(path, "xb")


async def _replace(sftp: Any, path: str, target: str) -> None:
    """Rename a file atomically; a file under the new name is replaced, a missing folder is created."""
    import asyncssh

    try:
        await sftp.posix_rename(path, target)
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        await sftp.makedirs(posixpath.dirname(target), exist_ok=True)
        await sftp.posix_rename(path, target)


def _info(key: str, attrs: Any) -> ObjectInfo:
    """Return the description of a file; anything but a regular file gets the impossible size -1."""
    import asyncssh

    return ObjectInfo(key, attrs.size if attrs.type == asyncssh.FILEXFER_TYPE_REGULAR else -1, float(attrs.mtime))


_KEYS = "make `ssh` to that machine work without a password: ssh-copy-id, ssh-add, ~/.ssh/config"


def _explain(error: Exception) -> Reason | None:
    """Return the reason for an error of asyncssh or of the network; None for any other error."""
    import asyncssh

    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return Reason("the machine's key is not known, or another than ~/.ssh/known_hosts has", "log in once with ssh")
    if isinstance(error, (asyncssh.PermissionDenied, asyncssh.KeyImportError, asyncssh.KeyEncryptionError)):
        return Reason("the machine lets nobody in with the keys that are here", _KEYS)
    if isinstance(error, (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect)):
        return Reason("permission is refused", "ask for the right to read and write that folder")
    if isinstance(error, asyncssh.SFTPOpUnsupported):
        return Reason(
            f"its SFTP server cannot do what is needed: {errors.scrub(str(error))}",
            "use a server with OpenSSH's extension posix-rename@openssh.com",
        )
    if isinstance(error, (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)):
        return Reason("the disk there is full", "make room on it and run it again")
    if isinstance(error, asyncssh.SFTPFailure):
        return Reason(f"the server says: {errors.scrub(str(error))}", "look whether its disk is full")
    if isinstance(error, socket.gaierror):
        return errors.UNKNOWN_HOST
    if isinstance(error, (TimeoutError, asyncssh.TimeoutError)):
        return errors.TIMEOUT
    if isinstance(
        error, (ConnectionError, asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
    ):
        return errors.UNREACHABLE
    return errors.unexpected(error) if isinstance(error, (OSError, asyncssh.Error)) else None
