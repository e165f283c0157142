"""The errors of S3: their reasons, and retries of interrupted reads with backoff."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable
from hashlib import md5
from typing import Any

from gitreg.blobs.buckets import errors
from gitreg.blobs.buckets.errors import Reason
from gitreg.errors import GitregError
from gitreg.tracing import trace

_LOGIN = "log in as Amazon's own tools do it: aws configure, aws sso login, AWS_PROFILE or AWS_ACCESS_KEY_ID"
_NO_CREDENTIALS = Reason("no credentials for S3 are found, or not all of them", _LOGIN)
_EXPIRED = Reason("the credentials for S3 have expired", _LOGIN)
_WRONG = Reason("the service does not accept these credentials", _LOGIN)
_REDIRECTED = Reason("the service redirects to another address", "correct the endpoint, such as http:// to https://")
# The answer to a HEAD request has no body that tells these three apart.
_DENIED = Reason(
    "permission is refused, or the credentials or this machine's clock are wrong", f"{errors.DENIED.hint}; or {_LOGIN}"
)

_BY_CODE = {
    "NoSuchBucket": errors.NO_BUCKET,
    "AccessDenied": errors.DENIED,
    "403": _DENIED,
    "Forbidden": _DENIED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidAccessKeyId": _WRONG,
    "InvalidToken": _WRONG,
    "SignatureDoesNotMatch": _WRONG,
    "RequestTimeTooSkewed": Reason("this machine's clock is wrong", "set the clock"),
    "QuotaExceeded": Reason("the bucket's quota is used up", "make room: gitreg gc, or ask for more"),
}
_MISSING = {"NoSuchKey", "404", "NotFound"}
_ATTEMPTS = 5


def code(error: Exception) -> str:
    """Return the service's error code; "" for an error that did not come from the service."""
    from botocore.exceptions import ClientError

    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_missing(error: Exception) -> bool:
    """Return whether the error means that the object does not exist."""
    return code(error) in _MISSING


def explain(error: Exception) -> Reason | None:
    """Return the reason for an error of boto3; None for any other error."""
    from botocore import exceptions as b
    from s3transfer import exceptions as transfer

    if isinstance(error, b.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if reason := _BY_CODE.get(code(error)):
            return reason
        return errors.BUSY if status >= 500 or status == 429 else errors.unexpected(error)
    if isinstance(error, RecursionError):  # botocore asks for the bucket's region, is redirected again, and so on
        return _REDIRECTED
    if isinstance(error, getattr(transfer, "S3CopyFailedError", ())):  # s3transfer has it since 0.15
        return errors.unexpected(error)
    if not isinstance(error, b.BotoCoreError):
        return None
    if isinstance(error, (b.NoCredentialsError, b.PartialCredentialsError, b.CredentialRetrievalError)):
        return _NO_CREDENTIALS
    if isinstance(error, (b.TokenRetrievalError, b.SSOError)):
        return _EXPIRED
    if isinstance(error, b.ProfileNotFound):
        return Reason(f"there is no such profile in ~/.aws: {error.kwargs.get('profile', '')}", _LOGIN)
    if isinstance(error, (b.ConnectTimeoutError, b.ReadTimeoutError)):
        return errors.TIMEOUT
    if isinstance(error, b.EndpointConnectionError) and _is_unknown_host(error):
        return errors.UNKNOWN_HOST
    if isinstance(error, b.SSLError):
        return Reason("the connection is not secure: its certificate is not trusted", "set AWS_CA_BUNDLE, or the URL")
    if isinstance(error, (b.HTTPClientError, b.IncompleteReadError)):
        return errors.UNREACHABLE
    return errors.unexpected(error)


def _is_unknown_host(error: Any) -> bool:
    cause = error.kwargs.get("error")
    return "resol" in str(cause).lower() or isinstance(getattr(cause, "__cause__", None), socket.gaierror)


def read_whole(ask: Callable[[], Any]) -> bytes:
    """Return the whole body of an answer.

    boto3 retries a request but not the reading of a body. So this asks again when the body was cut off: up to five
    attempts, with exponential backoff and jitter.
    """
    from botocore.exceptions import HTTPClientError, IncompleteReadError
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    def body() -> bytes:
        stream = ask()["Body"]
        try:
            return stream.read()  # type: ignore[no-any-return]
        except (HTTPClientError, IncompleteReadError) as error:
            raise _Cut(error) from error
        finally:
            stream.close()

    again = Retrying(
        retry=retry_if_exception_type(_Cut),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        reraise=True,
        before_sleep=lambda tried: trace(f"store: try {tried.attempt_number} failed, once more"),
    )
    try:
        data: bytes = again(body)
    except _Cut as cut:
        raise cut.error from None
    return data


class _Cut(Exception):
    """The error for a body that was cut off."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def check_deleted(answer: dict[str, Any]) -> None:
    """Raise the first error in the answer to a bulk deletion; such a request succeeds even if single keys fail."""
    for error in answer.get("Errors", ()):
        if error.get("Code") not in _MISSING:
            reason = _BY_CODE.get(error.get("Code"), Reason(f"the service says {error.get('Code')}", "run it again"))
            raise GitregError(f"cannot delete {error.get('Key')}: {reason.why}", hint=reason.hint)


def add_content_md5(request: Any, **_: Any) -> None:
    """Add the Content-MD5 header, which services other than Amazon's require for bulk deletions."""
    if "Content-MD5" not in request.headers:
        request.headers["Content-MD5"] = b64encode(md5(request.body, usedforsecurity=False).digest()).decode()
