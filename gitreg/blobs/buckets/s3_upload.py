"""The resumable multipart upload of a big file to S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import md5
from typing import Any

from gitreg.blobs.buckets import s3_signing
from gitreg.blobs.buckets.s3_errors import code
from gitreg.blobs.buckets.upload import PIECE, Upload
from gitreg.blobs.parallel import ahead, threads
from gitreg.errors import GitregError

_MOST_PARTS = 10_000
_MIB = 1 << 20

At = dict[str, str]  # Bucket, Key and, for an upload, UploadId, as boto3 names them


def send(client: Any, at: At, file: Upload) -> None:
    """Upload a file, in parts if it is big; it becomes visible once it is complete.

    An interrupted upload of the same key is resumed: a part is reused if its ETag is the MD5 of our bytes. If that
    upload cannot be completed, because another process completed it or left foreign parts, a new one is begun.
    """
    if file.size <= PIECE:
        client.put_object(**at, Body=s3_signing.Body(file.whole(), file.sha256))
        file.progress.advance(file.size)
        return
    begun = _resumable(client, at)
    try:
        _send_parts(client, at, file, begun)
    except Exception as error:
        if code(error) not in {"NoSuchUpload", "InvalidPart"}:
            raise
        if begun:
            abort(client, begun)
        _send_parts(client, at, file, {})


def _send_parts(client: Any, at: At, file: Upload, upload: At) -> None:
    # the same part length at every attempt, so that parts of an earlier attempt can be reused
    length = max(PIECE, -(-file.size // _MOST_PARTS // _MIB) * _MIB)
    uploaded = {part["PartNumber"]: (part["ETag"], part["Size"]) for part in parts(client, upload)} if upload else {}
    if not upload:
        upload = {**at, "UploadId": client.create_multipart_upload(**at)["UploadId"]}

    def put(piece: tuple[int, bytes]) -> dict[str, Any]:
        number, data = piece[0] + 1, piece[1]
        if number in uploaded:
            tag = f'"{md5(data, usedforsecurity=False).hexdigest()}"'
            if uploaded[number] == (tag, len(data)):
                file.progress.advance(len(data))
                return {"PartNumber": number, "ETag": tag}
        answer = client.upload_part(**upload, PartNumber=number, Body=s3_signing.Body(data))
        file.progress.advance(len(data))
        return {"PartNumber": number, "ETag": answer["ETag"]}

    try:
        with threads() as pool:
            sent = list(ahead(pool, put, file.pieces(length)))
    except GitregError:  # the file changed: none of its parts can be reused
        abort(client, upload)
        raise
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": sent})


def _resumable(client: Any, at: At) -> At:
    """Return the upload of this key that was begun last; an empty dict if there is none."""
    found = [each for each in dangling(client, at["Bucket"], at["Key"]) if each[0]["Key"] == at["Key"]]
    return max(found, key=lambda each: each[1])[0] if found else {}


def dangling(client: Any, bucket: str, prefix: str) -> Iterator[tuple[At, datetime]]:
    """Yield the incomplete uploads below a prefix, each with the time of its beginning."""
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Uploads", ()):
            yield {"Bucket": bucket, "Key": each["Key"], "UploadId": each["UploadId"]}, each["Initiated"]


def parts(client: Any, upload: At) -> list[dict[str, Any]]:
    """Return the parts of an upload that the service has."""
    found: list[dict[str, Any]] = []
    for page in client.get_paginator("list_parts").paginate(**upload):
        found += page.get("Parts", ())
    return found


def abort(client: Any, upload: At) -> None:
    """Abort an upload; an upload that has already ended is no error."""
    with suppress(client.exceptions.NoSuchUpload):
        client.abort_multipart_upload(**upload)
