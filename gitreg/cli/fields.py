"""The fields that ``--fields`` chooses: keys of rows, with dots into mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitreg.errors import InvalidInput
from gitreg.suggestions import did_you_mean

_ABSENT = object()


def choose(
    rows: Sequence[Mapping[str, Any]], fields: Sequence[str], known: Sequence[str] = (), *, complete: bool = True
) -> list[dict[str, Any]]:
    """Return the rows with only these fields, in this order; a field that a row does not have is None.

    Parameters
    ----------
    known:
        Fields that a row may have, whatever these rows have.
    complete:
        False where there are more rows than these: a key of a mapping may be in one of those.

    Raises
    ------
    InvalidInput
        No row has the field.
    """
    chosen = [{field: _find(row, field) for field in fields} for row in rows]
    for field in fields:
        if rows and field not in known and all(row[field] is _ABSENT for row in chosen):
            top, dot, _ = field.partition(".")
            if complete or not dot or not any(isinstance(row.get(top), Mapping) for row in rows):
                raise _unknown(field, rows, known)
    return [{field: None if value is _ABSENT else value for field, value in row.items()} for row in chosen]


def _find(value: Any, path: str) -> Any:
    """Return the value at a dotted path; a key that has dots itself is found, too."""
    if not isinstance(value, Mapping):
        return _ABSENT
    if path in value:
        return value[path]
    end = path.rfind(".")
    while end > 0:
        if path[:end] in value:
            found = _find(value[path[:end]], path[end + 1 :])
            if found is not _ABSENT:
                return found
        end = path.rfind(".", 0, end)
    return _ABSENT


def _unknown(field: str, rows: Sequence[Mapping[str, Any]], known: Sequence[str]) -> InvalidInput:
    tops = list(dict.fromkeys([*known, *(key for row in rows for key in row)]))
    paths = list(dict.fromkeys([*tops, *(path for row in rows for path in _paths(row))]))
    return InvalidInput(
        f"there is no field {field!r}", hint=did_you_mean(field, paths, f"the fields are {', '.join(tops)}")
    )


def _paths(mapping: Mapping[str, Any]) -> Iterator[str]:
    """Yield the dotted path of each value in a mapping and in the mappings inside of it."""
    for key, value in mapping.items():
        yield key
        if isinstance(value, Mapping):
            yield from (f"{key}.{path}" for path in _paths(value))
