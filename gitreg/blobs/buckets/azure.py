"""A bucket over Azure Blob Storage; adlfs finds the credentials: in the environment, or from `az login`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from gitreg.blobs.buckets import azure_upload, errors
from gitreg.blobs.buckets import upload as sending
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.buckets.errors import Reason, readable_errors
from gitreg.blobs.buckets.listing import find
from gitreg.progress import Progress

_TOGETHER = 16  # requests at a time
_CONNECT, _READ = 10, 30  # timeouts in seconds

Result = TypeVar("Result")


class AzureBucket:
    """Objects in a container, or below a prefix of it.

    Parameters
    ----------
    url:
        The bucket's URL, for messages.
    account:
        The storage account; None takes the one that the environment names.
    container:
        The container's name.
    prefix:
        The prefix of all keys, ``a/b/``; "" for none.
    """

    local = False

    def __init__(self, url: str, account: str | None, container: str, prefix: str) -> None:
        self.url = url
        self._account = account
        self._container = container
        self._prefix = prefix
        self._opened: Any = None
        self._lock = Lock()
        self._readable_errors = partial(readable_errors, url, _explain)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""

        async def read(container: Any) -> bytes:
            blob = container.get_blob_client(self._prefix + key)
            try:
                stream = await blob.download_blob(start or None if stop is None else start, length)
                return await stream.readall()  # type: ignore[no-any-return]
            except Exception as error:
                if getattr(error, "status_code", None) == 416:  # the range begins after the object's end
                    return b""
                raise

        length = None if stop is None else stop - start
        return self._of(key, read) if length is None or length > 0 else b""

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        return find(keys, self._ask, self.list)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket."""

        async def begin(container: Any) -> Any:
            return container.list_blobs(name_starts_with=self._prefix + prefix).by_page()

        async def page(_: Any) -> Any:
            async for blobs in pages:
                return [blob async for blob in blobs]
            return None

        pages = self._run(begin)
        while (blobs := self._run(page)) is not None:
            for blob in blobs:
                yield ObjectInfo(blob.name.removeprefix(self._prefix), blob.size, blob.last_modified.timestamp())

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        return None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """See Bucket."""
        self._run(lambda container: container.upload_blob(self._prefix + key, bytes(data), overwrite=True))

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket."""

        def send(file: sending.Upload) -> None:
            self._run(lambda container: azure_upload.send(container.get_blob_client(self._prefix + file.key), file))

        return sending.upload(self, source, name, progress, send)

    def move(self, key: str, to: str) -> None:
        """See Bucket."""

        async def move(container: Any) -> None:
            source, target = (container.get_blob_client(self._prefix + each) for each in (key, to))
            await azure_upload.copy(source, target)
            await source.delete_blob()

        self._of(key, move)

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""

        async def delete(container: Any) -> None:
            async def one(key: str) -> None:
                from azure.core.exceptions import ResourceNotFoundError

                with suppress(ResourceNotFoundError):
                    await container.delete_blob(self._prefix + key)

            for at in range(0, len(going), _TOGETHER):
                await asyncio.gather(*map(one, going[at : at + _TOGETHER]))

        going = [*keys]
        self._run(delete)

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. Nothing to do: an object that the service confirmed is durable."""

    # -- leftovers ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket."""
        dates: list[str] = []
        self._run(
            lambda container: container.get_container_properties(
                raw_response_hook=lambda answer: dates.append(answer.http_response.headers["date"])
            )
        )
        return parsedate_to_datetime(dates[-1]).timestamp()

    def unfinished(self) -> Iterator[ObjectInfo]:
        """See Bucket: none. Azure removes blocks that were never committed after a week, and nobody else can."""
        return iter(())

    def discard(self, left: ObjectInfo) -> None:
        """See Bucket."""

    # -- the service -------------------------------------------------------------------------------------------------

    def _ask(self, key: str) -> ObjectInfo | None:
        with suppress(NoSuchObjectError):
            found = self._of(key, lambda container: container.get_blob_client(self._prefix + key).get_blob_properties())
            return ObjectInfo(key, found.size, found.last_modified.timestamp())
        return None

    def _of(self, key: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run some work on an object; raise NoSuchObjectError where the object does not exist."""

        async def checked(container: Any) -> Result:
            from azure.core.exceptions import ResourceNotFoundError

            try:
                return await work(container)
            except ResourceNotFoundError as error:
                if error.error_code in {"ContainerNotFound", "ContainerBeingDeleted"}:
                    raise
                raise NoSuchObjectError(key) from None

        return self._run(checked)

    def _run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run some work with the container's client, on fsspec's event loop."""
        from fsspec.asyn import sync

        with self._readable_errors():
            filesystem = self._filesystem()
            container = filesystem.service_client.get_container_client(self._container)
            return sync(filesystem.loop, work, container)  # type: ignore[no-any-return]

    def _filesystem(self) -> Any:
        from adlfs import AzureBlobFileSystem

        with self._lock:
            if self._opened is None:
                self._opened = AzureBlobFileSystem(account_name=self._account, skip_instance_cache=True)
            return self._opened


_LOGIN = "log in as Azure's own tools do it: az login, AZURE_STORAGE_ACCOUNT_NAME and _KEY, or _CONNECTION_STRING"


def _explain(error: Exception) -> Reason | None:
    """Return the reason for an error of Azure's libraries; None for any other error."""
    from azure.core import exceptions as a

    if isinstance(error, (a.ClientAuthenticationError,)):
        status = getattr(error, "status_code", None)
        return errors.DENIED if status == 403 else Reason("no credentials for Azure that it accepts are found", _LOGIN)
    if isinstance(error, ValueError) and "account" in str(error).lower():  # adlfs, without any account
        return Reason("no storage account is given, or its connection string is wrong", _LOGIN)
    if isinstance(error, a.HttpResponseError):
        status, code = error.status_code or 0, getattr(error, "error_code", None)
        if code in {"ContainerNotFound", "ContainerBeingDeleted"}:
            return errors.NO_BUCKET
        if status in {401, 403}:
            return errors.DENIED
        if status < 400:  # the body of a successful answer was cut off
            return errors.UNREACHABLE
        return errors.BUSY if status >= 500 or status == 429 else errors.unexpected(error)
    if isinstance(error, (a.ServiceResponseTimeoutError, a.ServiceRequestTimeoutError, TimeoutError)):
        return errors.TIMEOUT
    if isinstance(error, a.ServiceRequestError) and "name" in str(error).lower():
        return errors.UNKNOWN_HOST
    if isinstance(error, (a.ServiceRequestError, a.ServiceResponseError)):
        return errors.UNREACHABLE
    return errors.unexpected(error) if isinstance(error, a.AzureError) else None
