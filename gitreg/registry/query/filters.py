"""Filters, sorting and pages of all listings.

A filter is ``FIELD=VALUE`` or ``FIELD=OPERATOR:VALUE``. A field with several values (tags, aliases) passes when one of
them does; dots lead to fields of a mapping (``metadata.accuracy``). The operators are ZenML's.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from gitreg.documents.types import CARD_FIELDS
from gitreg.errors import InvalidInput
from gitreg.names import nfc

OPERATORS = (
    "equals",
    "notequals",
    "contains",
    "startswith",
    "endswith",
    "oneof",
    "gt",
    "gte",
    "lt",
    "lte",
    "isnull",
    "isnotnull",
)

VERSION_FIELDS = (
    "model",
    "version",
    "number",
    "stage",
    "alias",
    "tag",
    "description",
    "created_at",
    "created_by",
    "size",
    "archived",
    "yanked",
    "input",
    "digest",
    "metadata",
    "source",
    "run",
)
MODEL_FIELDS = (
    "name",
    "versions",
    "latest",
    "stages",
    *CARD_FIELDS,
    "tag",
    "metadata",
    "created_at",
)

_NAMES = ("model", "version", "stage", "alias", "tag", "input", "run", "name", "latest", "stages")
"""The fields with names, which are stored in NFC."""
_PLURAL = {"tag": "tags", "alias": "aliases", "input": "inputs"}
_MAPPINGS = ("metadata", "source", "run", "stages")
_DATES = ("created_at",)
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
DEFAULT_PAGE_SIZE = 100

Item = TypeVar("Item")
_Row = TypeVar("_Row", bound=Mapping[str, Any])


@dataclass(frozen=True)
class Filter:
    """A condition on one field."""

    field: str
    operator: str
    value: str

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row meets the condition.

        Raises
        ------
        InvalidInput
            The value cannot be compared with the field's value: it is no number or no date.
        """
        actual = _value(row, self.field)
        if self.operator == "isnull":
            return actual in (None, [])
        if self.operator == "isnotnull":
            return actual not in (None, [])
        if self.operator == "notequals":
            return not self._any("equals", actual)
        return self._any(self.operator, actual)

    def _any(self, op: str, actual: Any) -> bool:
        if isinstance(actual, list):
            return any(self._compare(op, item) for item in actual) or (op == "equals" and _same(actual, self.value))
        return actual is not None and self._compare(op, actual)

    def _compare(self, op: str, actual: Any) -> bool:
        if op == "equals":
            return _same(actual, self.value) or (self.field in _DATES and _on_the_day(actual, self.value))
        if op == "oneof":
            return any(_same(actual, choice) for choice in _choices(self.value))
        if op in _ORDER:
            pair = _comparable(self.field, actual, self.value)
            return pair is not None and _ORDER[op](*pair)
        text = actual if isinstance(actual, str) else json.dumps(actual, ensure_ascii=False)
        return bool(
            {"contains": str.__contains__, "startswith": str.startswith, "endswith": str.endswith}[op](text, self.value)
        )


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list.

    Parameters
    ----------
    items:
        The items of this page.
    total:
        The number of items on all pages.
    page, size:
        The number of this page, from 1, and the number of items on a full page.
    """

    items: list[Item]
    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """The number of pages, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def index(self) -> int:
        """The number of this page, by the name that it has in ZenML."""
        return self.page

    @property
    def max_size(self) -> int:
        """The number of items on a full page, by the name that it has in ZenML."""
        return self.size

    @property
    def total_pages(self) -> int:
        """The number of pages, by the name that it has in ZenML."""
        return self.pages


def parse_filter(text: str, fields: Sequence[str]) -> Filter:
    """Return the filter parsed from ``FIELD=VALUE`` or ``FIELD=OPERATOR:VALUE``.

    Raises
    ------
    InvalidInput
        The text is no filter, or its field or operator is unknown; the hint lists the known ones.
    """
    field, equals, rest = text.partition("=")
    if not equals:
        raise InvalidInput(
            f"{text!r} is no filter", hint="write FIELD=VALUE or FIELD=OPERATOR:VALUE, as in metadata.accuracy=gte:0.9"
        )
    return make_filter(field.strip(), rest, fields)


def make_filter(field: str, condition: Any, fields: Sequence[str]) -> Filter:
    """Return a filter of a field and a condition: a value, or ``OPERATOR:VALUE``.

    Raises
    ------
    InvalidInput
        The field or the operator is unknown; the hint lists the known ones.
    """
    singular = {plural: name for name, plural in _PLURAL.items()}
    field = singular.get(field, field)
    top, dot, _ = field.partition(".")
    if top not in fields or (dot and top not in _MAPPINGS) or field.endswith("."):
        raise InvalidInput(f"there is no field {field!r} to filter by", hint=f"the fields are {', '.join(fields)}")
    text = condition if isinstance(condition, str) else json.dumps(condition)
    if top in _NAMES:
        text = nfc(text)
    name, colon, value = text.partition(":")
    if colon and name in OPERATORS:
        return Filter(field, name, value)
    if text in ("isnull", "isnotnull"):
        return Filter(field, text, "")
    if colon and re.fullmatch(r"[a-z_]+", name) and not value.startswith("//"):
        raise InvalidInput(
            f"there is no operator {name!r} (in {field}={text})",
            hint=f"the operators are {', '.join(OPERATORS)}; write equals:{text} for the text itself",
        )
    return Filter(field, "equals", text)


def select(
    rows: Iterable[_Row],
    filters: Sequence[Filter],
    *,
    fields: Sequence[str],
    match_any: bool = False,
    sort: str | None = None,
    page: int = 1,
    size: int = DEFAULT_PAGE_SIZE,
) -> tuple[list[_Row], int]:
    """Return one page of the rows that pass the filters.

    Parameters
    ----------
    fields:
        The fields that `sort` may name.
    match_any:
        True if one filter is enough; else all have to pass.
    sort:
        A field, or ``asc:FIELD`` or ``desc:FIELD``. Rows without the field come last.
    page, size:
        The number of the page, from 1, and the number of rows on a page.

    Returns
    -------
    tuple:
        The rows of the page, and the number of passing rows on all pages.

    Raises
    ------
    InvalidInput
        The field to sort by is unknown, there is no such page, or a filter's value is no number or date.
    """
    if page < 1 or size < 1:
        raise InvalidInput(f"there is no page {page} of {size} rows", hint="pages and sizes begin at 1")
    quantify = any if match_any and filters else all
    found = [row for row in rows if quantify(each.passes(row) for each in filters)]
    if sort is not None:
        found = _sorted(found, sort, fields)
    total = len(found)
    if page > 1 and (page - 1) * size >= total:
        raise InvalidInput(f"there is no page {page}", hint=f"{total} rows fill {max(1, -(-total // size))} pages")
    return found[(page - 1) * size : page * size], total


def _sorted(rows: list[_Row], sort: str, fields: Sequence[str]) -> list[_Row]:
    direction, colon, field = sort.partition(":")
    if not colon:
        direction, field = "asc", sort
    if direction not in ("asc", "desc"):
        raise InvalidInput(f"{sort!r} is no order", hint="write FIELD, asc:FIELD or desc:FIELD")
    field = make_filter(field, "isnull", fields).field
    known = [(row, _value(row, field)) for row in rows]
    present = [(row, value) for row, value in known if value is not None]
    present.sort(key=lambda pair: _sort_key(pair[1]), reverse=direction == "desc")
    return [row for row, _ in present] + [row for row, value in known if value is None]


def _sort_key(value: Any) -> tuple[int, Any]:
    """Return a sort key for values of mixed types: numbers, then strings, then the rest."""
    if isinstance(value, bool | int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    return 2, json.dumps(value, ensure_ascii=False)


def _value(row: Mapping[str, Any], field: str) -> Any:
    top, _, path = field.partition(".")
    value: Any = row.get(_PLURAL.get(top, top))
    if path and isinstance(value, Mapping) and path in value:  # the usual case
        return value[path]
    # A key may contain dots: the longest existing key wins.
    parts = path.split(".") if path else []
    while parts:
        if not isinstance(value, Mapping):
            return None
        for length in range(len(parts), 0, -1):
            key = ".".join(parts[:length])
            if key in value:
                value, parts = value[key], parts[length:]
                break
        else:
            return None
    return value


def _same(actual: Any, text: str) -> bool:
    if isinstance(actual, str):
        return actual == text
    try:
        wanted = json.loads(text)
    except ValueError:
        return False
    return bool(actual == wanted) and isinstance(actual, bool) == isinstance(wanted, bool)


def _choices(text: str) -> list[str]:
    """Return the values in ``a,b`` or in a JSON list."""
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if isinstance(listed, list):
        return [item if isinstance(item, str) else json.dumps(item) for item in listed]
    return [choice.strip() for choice in text.split(",")]


def _comparable(field: str, actual: Any, text: str) -> tuple[Any, Any] | None:
    if isinstance(actual, bool):
        return None
    if isinstance(actual, int | float):
        try:
            return actual, float(text)
        except ValueError:
            raise InvalidInput(f"{text!r} is no number to compare {field} with") from None
    if not isinstance(actual, str):
        return None
    if field in _DATES:
        wanted = _date(text, field)
        try:
            return _date(actual, field), wanted
        except InvalidInput:  # a bad date in one file must not fail the listing
            return None
    if field.partition(".")[0] in _MAPPINGS and _is_number(text):
        return None  # "n/a" is not greater than 0.9
    return actual, text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _date(text: str, field: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no date to compare {field} with", hint="write 2026-11-22 or RFC 3339"
        ) from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _on_the_day(actual: Any, text: str) -> bool:
    return isinstance(actual, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None and actual.startswith(text)
