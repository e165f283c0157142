"""The signing of S3 uploads with a sha256 that is already known, and a body that is sent in one piece.

boto3 hashes every body for its signature, which is half of its work, and passes it to the network 16 KiB at a time.
A chunk's key holds its sha256 already: signed with that, the body is not hashed again, and a service that checks the
signature refuses bytes that do not match their key.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from gitreg.blobs.buckets.bucket import Buffer

_SIGNER = "gitreg-s3v4"


class Body:
    """A request body, as a file for boto3; each read returns all remaining bytes, without a copy.

    Parameters
    ----------
    sha256:
        sha256 of the data; None lets boto3 compute it.
    """

    def __init__(self, data: Buffer, sha256: str | None = None) -> None:
        self.sha256 = sha256
        self._data = memoryview(data)
        self._at = 0

    def __len__(self) -> int:
        return len(self._data)

    def read(self, _: int = -1) -> memoryview:
        """Return all remaining bytes, whatever size is requested."""
        start, self._at = self._at, len(self._data)
        return self._data[start:]

    def seek(self, position: int) -> None:
        """Set the position; boto3 seeks to resend a failed request."""
        self._at = position

    def tell(self) -> int:
        """Return the position of the next read."""
        return self._at


def install(client: Any) -> None:
    """Install the signer in a client, for requests that use S3's default signature (AWS Signature 4) only."""
    from botocore.auth import AUTH_TYPE_MAPS  # boto3's table of signers

    AUTH_TYPE_MAPS[_SIGNER] = _signer()
    client.meta.events.register_first("choose-signer.s3.PutObject", _choose)


def _choose(signature_version: Any, signing_name: str, **_: Any) -> str | None:
    return _SIGNER if signature_version in ("v4", "s3v4") and signing_name == "s3" else None


@cache
def _signer() -> type:
    from botocore.auth import S3SigV4Auth

    class KnownDigest(S3SigV4Auth):  # type: ignore[misc]
        """The S3 signer that uses the sha256 that the body brings along."""

        def payload(self, request: Any) -> str:
            """Return the sha256 of a request's body."""
            return getattr(request.body, "sha256", None) or super().payload(request)  # type: ignore[no-any-return]

    return KnownDigest
