"""A bucket whose requests are traced, for ``-v``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from gitreg.blobs.buckets.bucket import Bucket
from gitreg.tracing import is_traced, timed

_REQUESTS = frozenset({"read", "write", "upload", "find", "list", "move", "delete", "unfinished", "discard"})


def traced(bucket: Bucket) -> Bucket:
    """Return the bucket itself, or where somebody reads the trace, one that logs each request with its time."""
    return cast("Bucket", _TracedBucket(bucket)) if is_traced() else bucket


class _TracedBucket:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._bucket, name)
        return self._logged(name, value) if name in _REQUESTS else value

    def _logged(self, name: str, request: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(request)
        def logged(*arguments: Any, **named: Any) -> Any:
            keys = [argument for argument in arguments if isinstance(argument, str)]
            with timed(" ".join(["store", self._bucket.url, name, *keys[:2]])):
                return request(*arguments, **named)

        return logged
