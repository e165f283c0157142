"""The fields of ``gitreg.yaml`` that stay once there are versions: what they were then is what they are.

Tags, mirrors and every clone are found by them, and the guards of a server too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gitreg.registry.index import Entry

FIXED = ("branch", "prefix", "id")


class Shift(NamedTuple):
    """A fixed field that was changed all the same.

    Parameters
    ----------
    was, now:
        Its value, and what the file says; None where that is nothing.
    since:
        The place of the commit that changed it.
    """

    field: str
    was: str | None
    now: str | None
    since: int


def shifts(said: Sequence[Entry], first_record: Callable[[], int | None]) -> list[Shift]:
    """Return the fixed fields that are not what they have to be.

    Parameters
    ----------
    said:
        All that ``gitreg.yaml`` ever said, newest first.
    first_record:
        Asked, where a field was ever changed, for the place of the commit that brought the first record.
    """
    readable = [(entry.since, entry.data) for entry in reversed(said) if entry.data is not None]
    if len({_fields(data) for _, data in readable}) < 2:
        return []
    first = first_record()
    if first is None:
        return []
    standing = [data for since, data in readable if since <= first] or [readable[0][1]]
    fixed = dict(zip(FIXED, _fields(standing[-1]), strict=True))
    # An old registry is given its id later: from then on that stays.
    fixed["id"] = fixed["id"] or next((data["id"] for since, data in readable if since > first and "id" in data), None)
    now = dict(zip(FIXED, _fields(readable[-1][1]), strict=True))
    return [
        Shift(field, fixed[field], now[field], _since(readable, field)) for field in FIXED if fixed[field] != now[field]
    ]


def _fields(data: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(data.get(field) for field in FIXED)


def _since(readable: Sequence[tuple[int, Mapping[str, Any]]], field: str) -> int:
    """Return the place from which on the file says of a field what it says now."""
    now = readable[-1][1].get(field)
    place = readable[-1][0]
    for since, data in reversed(readable):
        if data.get(field) != now:
            break
        place = since
    return place
