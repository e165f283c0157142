"""Signing what is sent to S3 with a sha256 that is known already, and sending it in one piece.

boto3 hashes every body for the signature, which is half of its work, and hands it to the network 16 KiB at a time. A
chunk's name is its sha256: signed with that, it is not hashed again, and a service that checks the signature refuses
bytes that are not what their name says.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from gitreg.blobs.buckets.bucket import Buffer

_SIGNER = "gitreg-s3v4"


class Body:
    """Bytes to send, as boto3 takes them: a file, but one whose every read gives all the rest, so nothing is copied.

    Parameters
    ----------
    sha256:
        Of the bytes; None leaves it to boto3.
    """

    def __init__(self, data: Buffer, sha256: str | None = None) -> None:
        self.sha256 = sha256
        self._data = memoryview(data)
        self._at = 0

    def __len__(self) -> int:
        return len(self._data)

    def read(self, _: int = -1) -> memoryview:
        """Give all that is left, whatever is asked for."""
        start, self._at = self._at, len(self._data)
        return self._data[start:]

    def seek(self, position: int) -> None:
        """Go on from another place: a request that failed is sent again."""
        self._at = position

    def tell(self) -> int:
        """Give the place of what is read next."""
        return self._at


def install(client: Any) -> None:
    """Let a client sign so where it would sign as S3 does by default (AWS Signature 4); other ways stay as they are."""
    from botocore.auth import AUTH_TYPE_MAPS  # where boto3 looks signers up by name

    AUTH_TYPE_MAPS[_SIGNER] = _signer()
    client.meta.events.register_first("choose-signer.s3.PutObject", _choose)


def _choose(signature_version: Any, signing_name: str, **_: Any) -> str | None:
    return _SIGNER if signature_version in ("v4", "s3v4") and signing_name == "s3" else None


@cache
def _signer() -> type:
    from botocore.auth import S3SigV4Auth

    class KnownDigest(S3SigV4Auth):  # type: ignore[misc]
        """Takes the body's own word for its sha256."""

        def payload(self, request: Any) -> str:
            """Give the sha256 of a request's body."""
            return getattr(request.body, "sha256", None) or super().payload(request)  # type: ignore[no-any-return]

    return KnownDigest
