"""A bucket over S3 (Amazon, Ceph, Swift, MinIO, ...), through boto3.

boto3 rather than s3fs: it reads twice as fast (128 objects of 4 MiB: 0.9 s against 1.9; obstore 0.8), finds all
credentials and settings that Amazon's own tools find (profiles, SSO, `AWS_ENDPOINT_URL`, roles), and finds the
parts of an interrupted upload. obstore would save 0.2 s of CPU per 128 objects in each direction, once nothing is
hashed for the signature: hashing and the service's own work take most of a save and a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from gitreg.blobs.buckets import s3_errors, s3_signing, s3_upload
from gitreg.blobs.buckets import upload as sending
from gitreg.blobs.buckets.bucket import Buffer, NoSuchObjectError, ObjectInfo
from gitreg.blobs.buckets.errors import readable_errors
from gitreg.blobs.buckets.listing import find
from gitreg.progress import Progress

_UPLOAD = "?uploadId="
_BATCH = 1000  # keys that one request may delete
_CONNECT, _READ = 10, 30  # timeouts in seconds
_CONNECTIONS = 16
_COPIED_AT_ONCE = 1 << 30  # bytes; Swift cannot copy an object that was copied in parts


class S3Bucket:
    """Objects in a bucket, or below a prefix of it.

    Parameters
    ----------
    url:
        The bucket's URL, for messages.
    bucket:
        The bucket's name.
    prefix:
        The prefix of all keys, ``a/b/``; "" for none.
    """

    local = False

    def __init__(self, url: str, bucket: str, prefix: str) -> None:
        self.url = url
        self._bucket = bucket
        self._prefix = prefix
        self._lock = Lock()
        self._opened: Any = None
        self._readable_errors = partial(readable_errors, url, s3_errors.explain)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """See Bucket."""
        if stop is not None and stop <= start:
            return b""
        span = {} if start == 0 and stop is None else {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
        with self._readable_errors():
            try:
                return s3_errors.read_whole(lambda: self._client().get_object(**self._at(key), **span))
            except Exception as error:
                if s3_errors.code(error) == "InvalidRange":  # the range begins after the object's end
                    return b""
                if s3_errors.is_missing(error):
                    raise NoSuchObjectError(key) from None
                raise

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        """See Bucket."""
        return find(keys, self._head, self.list)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See Bucket."""
        with self._readable_errors():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._prefix)
                    yield ObjectInfo(key, entry["Size"], entry["LastModified"].timestamp())

    def local_path(self, key: str) -> Path | None:
        """See Bucket."""
        return None

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        """See Bucket. The request is signed with the sha256 of the data, which the service checks."""
        with self._readable_errors():
            self._client().put_object(**self._at(key), Body=s3_signing.Body(data, sha256))

    def upload(self, source: int, name: Callable[[str], str], progress: Progress) -> tuple[str, int]:
        """See Bucket."""

        def send(file: sending.Upload) -> None:
            s3_upload.send(self._client(), self._at(file.key), file)

        with self._readable_errors():
            return sending.upload(self, source, name, progress, send)

    def move(self, key: str, to: str) -> None:
        """See Bucket."""
        with self._readable_errors():
            try:
                _copy(self._client(), self._at(key), self._at(to))
            except Exception as error:
                if s3_errors.is_missing(error):
                    raise NoSuchObjectError(key) from None
                raise
            self._client().delete_object(**self._at(key))

    def delete(self, keys: Iterable[str]) -> None:
        """See Bucket."""
        names = [{"Key": self._prefix + key} for key in keys]
        with self._readable_errors():
            for at in range(0, len(names), _BATCH):
                request = {"Objects": names[at : at + _BATCH], "Quiet": True}
                answer = self._client().delete_objects(Bucket=self._bucket, Delete=request)
                s3_errors.check_deleted(answer)

    def sync(self, keys: Iterable[str]) -> None:
        """See Bucket. Nothing to do: an object that the service confirmed is durable."""

    # -- leftovers ---------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """See Bucket."""
        with self._readable_errors():
            answer = self._client().head_bucket(Bucket=self._bucket)
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()

    def unfinished(self) -> Iterator[ObjectInfo]:
        """See Bucket: multipart uploads that were neither completed nor aborted."""
        with self._readable_errors():
            for at, begun in s3_upload.dangling(self._client(), self._bucket, self._prefix):
                parts = s3_upload.parts(self._client(), at)
                times = [begun, *(part["LastModified"] for part in parts)]
                key = at["Key"].removeprefix(self._prefix) + _UPLOAD + at["UploadId"]
                yield ObjectInfo(key, sum(part["Size"] for part in parts), max(times).timestamp())

    def discard(self, left: ObjectInfo) -> None:
        """See Bucket."""
        key, _, upload = left.key.rpartition(_UPLOAD)
        with self._readable_errors():
            s3_upload.abort(self._client(), {**self._at(key), "UploadId": upload})

    # -- the service -------------------------------------------------------------------------------------------------

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def _head(self, key: str) -> ObjectInfo | None:
        with self._readable_errors():
            try:
                answer = self._client().head_object(**self._at(key))
            except Exception as error:
                if s3_errors.is_missing(error):
                    return None
                raise
            return ObjectInfo(key, answer["ContentLength"], answer["LastModified"].timestamp())

    def _client(self) -> Any:
        """Return the client, which threads share; boto3 finds endpoint and credentials in the environment or ~/.aws."""
        with self._lock:
            if self._opened is None:
                self._opened = _connect()
            return self._opened


def _copy(client: Any, source: dict[str, str], target: dict[str, str]) -> None:
    from s3transfer.manager import TransferConfig, TransferManager  # slow to import; objects are seldom moved

    settings = TransferConfig(multipart_threshold=_COPIED_AT_ONCE, multipart_chunksize=_COPIED_AT_ONCE // 4)
    with TransferManager(client, settings) as manager:
        manager.copy(source, target["Bucket"], target["Key"]).result()


def _connect() -> Any:
    import botocore.session  # finds the same settings as boto3, without its slow imports
    from botocore.config import Config

    settings = Config(
        connect_timeout=_CONNECT,
        read_timeout=_READ,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 5},
        # Other services do not support Amazon's newer checksums; the signature covers the data already.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = botocore.session.Session().create_client("s3", config=settings)
    client.meta.events.register("before-sign.s3.DeleteObjects", s3_errors.add_content_md5)
    s3_signing.install(client)
    return client
