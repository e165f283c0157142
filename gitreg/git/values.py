"""The values of the Git layer: immutable, and independent of any repository."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from gitreg.errors import InvalidInput

ANY = "any"
"""The ``old`` of a `RefUpdate` that moves a ref from any place."""

# The characters that git strips from both ends of a name or an address (ident.c, strbuf_addstr_without_crud).
_CRUD = "".join(chr(c) for c in range(33)) + ".,:;<>\"\\'"
_BAD_IN_REF = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[./]|[./]$"  # compiled when first used


class Identity(NamedTuple):
    """A person (name and address) with a time, as author, committer or tagger.

    Parameters
    ----------
    time:
        Seconds since the epoch.
    offset:
        The person's time zone in minutes east of UTC.
    """

    name: str
    email: str
    time: int
    offset: int

    @property
    def when(self) -> datetime:
        """The time as a datetime in the person's own time zone."""
        return datetime.fromtimestamp(self.time, timezone(timedelta(minutes=self.offset)))

    def __str__(self) -> str:
        """Return name and address as they are read from a commit: what is not UTF-8 is replaced."""
        text = f"{self.name} <{self.email}>"
        return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Commit(NamedTuple):
    """A commit; ``parents`` are those in the object, also where a shallow clone does not have them."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Identity
    committer: Identity
    message: str


class Tag(NamedTuple):
    """An annotated tag; ``message`` is without the signature, ``tagger`` is None where an old tag names nobody."""

    oid: str
    target: str
    target_type: str
    name: str
    tagger: Identity | None
    message: str
    signed: bool


class PathChange(NamedTuple):
    """A file that differs: the object ids of the old and the new content, None where there is no such file."""

    path: str
    old: str | None
    new: str | None


class Oversized(NamedTuple):
    """A placeholder for the content of a file that is larger than the limit.

    Parameters
    ----------
    oid:
        The object id of the file.
    size:
        The size in bytes; where more has to be read for it, that size.
    """

    oid: str
    size: int


class RefUpdate(NamedTuple):
    """A move of a ref by compare-and-swap.

    Parameters
    ----------
    name:
        The full name, such as ``refs/heads/main``.
    new:
        The new object id; None deletes the ref.
    old:
        The expected object id; None: the ref must not exist; `ANY`: no condition.
    """

    name: str
    new: str | None
    old: str | None = ANY


def without_crud(text: str) -> str:
    """Return a name or an address cleaned as git does: no angle brackets, line ends or surrounding punctuation."""
    return re.sub(r"[\n\x00<>]", "", text).strip(_CRUD)


def is_ref_name(name: str) -> bool:
    """Return whether git accepts the full name of a ref (git-check-ref-format(1)): ``refs/...``, or ``HEAD``."""
    return not re.search(_BAD_IN_REF, name) and (name.startswith("refs/") or bool(re.fullmatch(r"[A-Z_]+", name)))


def check_ref_name(name: str) -> str:
    """Return the name unchanged if it is valid.

    Raises
    ------
    InvalidInput
        It is not the full name of a ref.
    """
    if not is_ref_name(name):
        raise InvalidInput(f"{name!r} is not the full name of a ref", hint="write it as refs/<kind>/<name>")
    return name
