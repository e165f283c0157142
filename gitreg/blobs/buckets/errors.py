"""The errors of services and networks: the reasons that all protocols share, and text without secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from gitreg.errors import GitregError


class Reason(NamedTuple):
    """The cause of a failure, and a hint for the user."""

    why: str
    hint: str


NO_BUCKET = Reason("there is no such bucket", "make it, or correct the store's URL")
DENIED = Reason("permission is refused", "ask the bucket's owner for the right to read, write, list and delete in it")
BUSY = Reason("the service fails or is overloaded, tried several times", "wait a while and run it again")
TIMEOUT = Reason("no answer in time, tried several times", "check the network and run it again")
UNREACHABLE = Reason(
    "the connection failed, tried several times", "check the network and the address, and run it again"
)
UNKNOWN_HOST = Reason("there is no machine of that name", "check the address and the network")

_SECRET = re.compile(
    r"""(?ix)
    (\b(?:[\w-]*(?:secret|password|passwd|signature|credential|token|authorization)[\w-]*
        |sig|account_?key|access_?key(?:_?id)?|aws_?access_?key_?id|sharedkey)
     ["']?\s*[=:]\s*["']?)(?:(?:bearer|basic|sharedkey(?:lite)?)\s+)?[^\s&"',;<>]+"""
)
_USERINFO = re.compile(r"(://)[^@\s]*:[^\s'\"]*@")
_LONG = 300


def scrub(text: str) -> str:
    """Return a library's message without passwords, keys and tokens, on one line of at most 300 characters."""
    return _USERINFO.sub(r"\1***@", _SECRET.sub(r"\1***", " ".join(text.split())))[:_LONG]


def unexpected(error: BaseException) -> Reason:
    """Return a reason made of the library's own message, for errors without a text of ours."""
    return Reason(scrub(f"{type(error).__name__}: {error}"), "check the store's URL and its service, and run it again")


@contextmanager
def readable_errors(url: str, explain: Callable[[Exception], Reason | None]) -> Iterator[None]:
    """Raise GitregError for an error of a protocol's library in the body of the ``with`` statement.

    The library's error is not chained: its text, or a URL in it, can contain credentials.

    Parameters
    ----------
    url:
        The bucket's URL, for the message.
    explain:
        Returns the reason for an error of the library; None for any other error, which is raised unchanged.
    """
    try:
        yield
    except Exception as error:
        reason = explain(error)
        if reason is None:
            raise
        raise GitregError(f"{url}: {reason.why}", hint=reason.hint) from None
