"""What the Git layer hands out and takes in: plain frozen values that know nothing of repositories."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from gitreg.errors import InvalidInput

ANY = "any"
"""The ``old`` of a `RefUpdate` that moves a ref whatever it points to now."""

# What git strips from both ends of a name or an address (ident.c, strbuf_addstr_without_crud).
_CRUD = "".join(chr(c) for c in range(33)) + ".,:;<>\"\\'"
_BAD_IN_REF = r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[./]|[./]$"  # compiled when first used


class Signature(NamedTuple):
    """Who did something in Git, and when.

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
        """The moment, in the person's own time zone."""
        return datetime.fromtimestamp(self.time, timezone(timedelta(minutes=self.offset)))

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Commit(NamedTuple):
    """A commit; ``parents`` are what the object says, also where a shallow clone has cut them off."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


class Tag(NamedTuple):
    """An annotated tag; ``message`` is without the signature, ``tagger`` None where an old tag names nobody."""

    oid: str
    target: str
    target_type: str
    name: str
    tagger: Signature | None
    message: str
    signed: bool


class PathChange(NamedTuple):
    """A file that differs: the object ids of its old and new content, None where there is no such file."""

    path: str
    old: str | None
    new: str | None


class Oversized(NamedTuple):
    """Stands for the content of a file that is larger than was asked for.

    Parameters
    ----------
    oid:
        Its object id.
    size:
        In bytes; of what has to be read for it, where that is more.
    """

    oid: str
    size: int


class RefUpdate(NamedTuple):
    """One move of one ref.

    Parameters
    ----------
    name:
        The full name, as ``refs/heads/main``.
    new:
        The object id that it shall have; None deletes it.
    old:
        The object id that it must have now; None: it must not exist; `ANY`: whatever it is.
    """

    name: str
    new: str | None
    old: str | None = ANY


def without_crud(text: str) -> str:
    """Clean a name or an address as git does before it writes one: no angle brackets, line ends or crud around it."""
    return re.sub(r"[\n\x00<>]", "", text).strip(_CRUD)


def is_ref_name(name: str) -> bool:
    """Whether git would accept the full name of a ref (git-check-ref-format(1)): ``refs/...``, or ``HEAD``."""
    return not re.search(_BAD_IN_REF, name) and (name.startswith("refs/") or bool(re.fullmatch(r"[A-Z_]+", name)))


def check_ref_name(name: str) -> str:
    """Return the name.

    Raises
    ------
    InvalidInput
        It is not the full name of a ref.
    """
    if not is_ref_name(name):
        raise InvalidInput(f"{name!r} is not the full name of a ref", hint="write it as refs/<kind>/<name>")
    return name
