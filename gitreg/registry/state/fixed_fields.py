"""The fixed fields of ``gitreg.yaml``: their values must not change once there are versions.

Tags, mirrors, clones and the push rules of a server are found by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gitreg.registry.state.index import IndexEntry

FIXED = ("branch", "prefix", "id")


class FixedFieldChange(NamedTuple):
    """A fixed field that was changed nevertheless.

    Parameters
    ----------
    was, now:
        The fixed value and the present value; None where the field is missing.
    since:
        The sequence number of the commit that brought the present value.
    """

    field: str
    was: str | None
    now: str | None
    since: int


def fixed_field_changes(
    contents: Sequence[IndexEntry], first_record: Callable[[], int | None]
) -> list[FixedFieldChange]:
    """Return the fixed fields that do not have their fixed value.

    Parameters
    ----------
    contents:
        All contents that ``gitreg.yaml`` ever had, newest first.
    first_record:
        Returns the sequence number of the commit with the first record; called only if a field ever changed.
    """
    readable = [(entry.since, entry.data) for entry in reversed(contents) if entry.data is not None]
    if len({_fields(data) for _, data in readable}) < 2:
        return []
    first = first_record()
    if first is None:
        return []
    standing = [data for since, data in readable if since <= first] or [readable[0][1]]
    fixed = dict(zip(FIXED, _fields(standing[-1]), strict=True))
    # An old registry gets its id later; the id is fixed from then on.
    fixed["id"] = fixed["id"] or next((data["id"] for since, data in readable if since > first and "id" in data), None)
    now = dict(zip(FIXED, _fields(readable[-1][1]), strict=True))
    return [
        FixedFieldChange(field, fixed[field], now[field], _since(readable, field))
        for field in FIXED
        if fixed[field] != now[field]
    ]


def _fields(data: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(data.get(field) for field in FIXED)


def _since(readable: Sequence[tuple[int, Mapping[str, Any]]], field: str) -> int:
    """Return the sequence number of the commit that brought a field's present value."""
    now = readable[-1][1].get(field)
    place = readable[-1][0]
    for since, data in reversed(readable):
        if data.get(field) != now:
            break
        place = since
    return place
