"""Filters, sorting and pages of all listings.

A filter is ``FIELD=VALUE`` or ``FIELD=OPERATOR:VALUE``. A field with several values (tags, aliases) passes when one of
them does; dots lead to fields of a mapping (``metadata.accuracy``). The operators are ZenML's. Numbers are compared
exactly; versions that are numbers, as numbers; a day is the whole day, in UTC. What is no number is never greater or
less than one, and comes after the numbers in both orders; a text in plain digits in the metadata, as ``0.90``, is one.
"""

from __future__ import annotations

import json
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Generic, TypeVar

from gitreg.documents.types import CARD_FIELDS
from gitreg.errors import InvalidInput
from gitreg.names import as_number, nfc
from gitreg.registry import query
from gitreg.suggestions import listed, nearest
from gitreg.units import counted, is_decimal

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
_FLAGS = ("archived", "yanked")
_NUMBERS = ("number", "size", "versions")
_VERSIONS = ("version", "latest", "stages")
"""The fields with names of versions, which may be numbers."""
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_SIGNS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "!=": "notequals", "==": "equals"}
DEFAULT_PAGE_SIZE = 100

MetadataKeys = Callable[[], Iterable[str]]
"""Returns the keys of the metadata of all rows; it is called only for a field that is unknown."""

Item = TypeVar("Item")
_Row = TypeVar("_Row", bound=Mapping[str, Any])


def _no_keys() -> Iterable[str]:
    return ()


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
        actual = value_of(row, self.field)
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
            return self._equals(actual, self.value)
        if op == "oneof":
            return any(self._equals(actual, choice) for choice in _choices(self.value))
        if op in _ORDER:
            pair = self._pair(op, actual)
            return pair is not None and _ORDER[op](*pair)
        text = actual if isinstance(actual, str) else json.dumps(actual, ensure_ascii=False)
        return bool(
            {"contains": str.__contains__, "startswith": str.startswith, "endswith": str.endswith}[op](text, self.value)
        )

    def _equals(self, actual: Any, text: str) -> bool:
        if self.field in _DATES:
            when, span = _when(actual), _span(text)
            return when is not None and span is not None and span[0] <= when <= span[1]
        if isinstance(actual, bool):
            return _boolean(text, digits=self.field in _FLAGS) is actual
        return _same(actual, text)

    def _pair(self, op: str, actual: Any) -> tuple[Any, Any] | None:
        """Return two values that the operator compares; None where they are of different kinds."""
        if self.field in _DATES:
            when, span = _when(actual), _span(self.value)
            if when is None or span is None:  # a bad date in one file must not fail the listing
                return None
            return when, span[op in ("gt", "lte")]
        if isinstance(actual, bool):
            return None
        number = _number(self.value)
        if isinstance(actual, int | float):
            if number is None:
                raise _no_number(self.field, self.value)
            return actual, number
        if not isinstance(actual, str):
            return None
        if _top(self.field) in _VERSIONS:
            one, other = as_number(actual), as_number(self.value)
            if one is not None and other is not None:
                return one, other
            return (actual, self.value) if one is other else None
        if _top(self.field) in _MAPPINGS and number is not None:
            return (_number(actual), number) if is_decimal(actual) else None  # "n/a" is not greater than 0.9
        return actual, self.value


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list: iterate over its items, or make a table of them.

        for row in registry.list_versions("iris", sort="desc:metadata.accuracy"):
            print(row["version"], row["metadata"])

    Parameters
    ----------
    items:
        The items of this page.
    total:
        The number of items on all pages.
    page, size:
        The number of this page, from 1, and the number of items on a full page.
    columns:
        The columns of a table of the items that come first.
    """

    items: list[Item]
    total: int
    page: int
    size: int
    columns: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Page({len(self)} of {counted(self.total, 'item')}, page {self.page} of {self.pages})"

    def _repr_html_(self) -> str:
        return query.page_table.page_html(self)

    def __iter__(self) -> Iterator[Item]:
        """Yield the items of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of items on this page."""
        return len(self.items)

    def __getitem__(self, position: int) -> Item:
        """Return an item of this page by its position, from 0."""
        return self.items[position]

    def to_pandas(self) -> Any:
        """Return the items of this page as a DataFrame.

            registry.list_versions("iris").to_pandas().sort_values("metadata.accuracy")

        Returns
        -------
        pandas.DataFrame:
            A row for each item. The columns are the fields, with dots for keys of mappings (``metadata.accuracy``,
            ``source.commit``); dates are aware datetimes in UTC, numbers are numbers, values that lack are missing.

        Warns
        -----
        UserWarning
            There are more rows, on other pages.

        Raises
        ------
        InvalidInput
            pandas is not installed.

        Examples
        --------
        >>> registry.list_versions("iris").to_pandas()["version"].tolist()
        ['3', '2', '1']
        """
        if len(self) < self.total:
            warnings.warn(f"{len(self)} of {self.total} rows; size={self.total} gives all", stacklevel=2)
        return query.frames.to_pandas(self.items, self.columns)

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


def is_filter(word: str) -> bool:
    """Return whether a word of a command line is a filter, not the name of a model."""
    return re.search("[=<>:]", word) is not None


def parse_filter(text: str, fields: Sequence[str], keys: MetadataKeys = _no_keys) -> Filter:
    """Return the filter parsed from ``FIELD=VALUE`` or ``FIELD=OPERATOR:VALUE``.

    ``FIELD>VALUE`` (and ``>=``, ``<``, ``<=``, ``!=``, ``==``) and ``FIELD:VALUE`` are understood, too.

    Raises
    ------
    InvalidInput
        The text is no filter, or its field or operator is unknown; the hint lists the known ones.
    """
    compared = re.fullmatch(r"(?s)\s*([^=<>!]+?)\s*(>=|<=|!=|==|>|<)\s*(.*)", text)
    if compared and compared[3]:
        field, sign, value = compared.groups()
        return make_filter(field, f"{_SIGNS[sign]}:{value}", fields, keys)
    field, equals, rest = text.partition("=")
    if not equals:
        field, equals, rest = text.partition(":")
    if not equals:
        known = nearest(text, [*fields, *keys()], most=1)
        example = f"{known[0]}=VALUE" if known else "metadata.accuracy=gte:0.9"
        raise InvalidInput(
            f"{text!r} is no filter",
            hint=f"write FIELD=VALUE or FIELD=OPERATOR:VALUE, as in {example}; in a shell, quote what has < or >",
        )
    return make_filter(field.strip(), rest, fields, keys)


def make_filter(field: str, condition: Any, fields: Sequence[str], keys: MetadataKeys = _no_keys) -> Filter:
    """Return a filter of a field and a condition: a value, or ``OPERATOR:VALUE``.

    Parameters
    ----------
    keys:
        Returns the keys of the metadata: a key that is no field needs no ``metadata.`` before it.

    Raises
    ------
    InvalidInput
        The field or the operator is unknown; the hint lists the known ones.
    """
    field = _known_field(field, fields, keys, "filter by")
    top = _top(field)
    text = condition if isinstance(condition, str) else json.dumps(condition)
    if top in _NAMES:
        text = nfc(text)
    name, colon, value = text.partition(":")
    if not colon and name in ("isnull", "isnotnull"):
        return Filter(field, name, "")
    if colon and name in OPERATORS:
        return _checked(Filter(field, name, value))
    if colon and re.fullmatch(r"[a-z_]+", name) and not value.startswith("//"):
        near = nearest(name, OPERATORS, most=1)
        raise InvalidInput(
            f"there is no operator {name!r} (in {field}={text})",
            hint=f"the operators are {', '.join(OPERATORS)}; write {field}=equals:{text} for the text itself",
            correction=(f"{name}:{value}", f"{near[0]}:{value}") if near else None,
        )
    return _checked(Filter(field, "equals", text))


def _known_field(field: str, fields: Sequence[str], keys: MetadataKeys, use: str) -> str:
    """Return the name of a field, in the singular, and with ``metadata.`` before a key.

    Raises
    ------
    InvalidInput
        There is neither a field nor a key of that name.
    """
    singular = {plural: name for name, plural in _PLURAL.items()}
    name = singular.get(field, field)
    top, dot, _ = name.partition(".")
    if top in fields and not (dot and top not in _MAPPINGS) and not name.endswith("."):
        return name
    known = list(keys()) if "metadata" in fields else []
    if field in known:
        return f"metadata.{field}"
    near = nearest(field, [*fields, *(f"metadata.{key}" for key in known), *known], most=1)
    if field.endswith("."):
        near = []
    elif near and near[0] in known:
        near = [f"metadata.{near[0]}"]
    measured = f", and metadata.KEY with the keys {listed(known)}" if known else ""
    raise InvalidInput(
        f"there is no field {field!r} to {use}",
        hint=None if near else f"the fields are {', '.join(fields)}{measured}",
        correction=(field, near[0]) if near else None,
    )


def _checked(wanted: Filter) -> Filter:
    """Return a filter whose value is one that its field and operator can have.

    Raises
    ------
    InvalidInput
        It is no boolean, number or date.
    """
    field, op, value = wanted.field, wanted.operator, wanted.value
    if op in ("isnull", "isnotnull"):
        answer = _boolean(value, digits=True) if value else True
        if answer is None:
            raise InvalidInput(f"{field}={op}:{value} is neither true nor false", hint=f"write {field}={op}")
        return wanted if answer else Filter(field, "isnotnull" if op == "isnull" else "isnull", "")
    if op not in ("equals", "notequals", "oneof", *_ORDER):
        return wanted
    for each in _choices(value) if op == "oneof" else [value]:
        if field in _FLAGS and (op in _ORDER or _boolean(each, digits=True) is None):
            raise InvalidInput(
                f"{field} is true or false, and {op}:{value} is neither", hint=f"write {field}=true or {field}=false"
            )
        if field in _NUMBERS and _number(each) is None:
            raise _no_number(field, each)
        if field in _DATES and _span(each) is None:
            raise InvalidInput(
                f"{each!r} is no date to compare {field} with",
                hint="write a day, as 2026-11-22, or a time, as 2026-11-22T10:00:00Z",
            )
    return wanted


def _no_number(field: str, text: str) -> InvalidInput:
    return InvalidInput(f"{text!r} is no number to compare {field} with", hint="write it in digits, as in 0.95 or 1e-4")


def select(
    rows: Iterable[_Row],
    filters: Sequence[Filter],
    *,
    fields: Sequence[str],
    keys: MetadataKeys = _no_keys,
    match_any: bool = False,
    sort: str | None = None,
    page: int = 1,
    size: int = DEFAULT_PAGE_SIZE,
) -> tuple[list[_Row], int]:
    """Return one page of the rows that pass the filters.

    Parameters
    ----------
    fields, keys:
        The fields, and the keys of the metadata, that `sort` may name.
    match_any:
        True if one filter is enough; else all have to pass.
    sort:
        A field, or ``asc:FIELD`` or ``desc:FIELD`` (``-FIELD``, ``FIELD:desc``). In both orders numbers come first, and
        rows without the field last.
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
    for name, number in (("page", page), ("size", size)):
        if not hasattr(number, "__index__"):
            raise InvalidInput(f"{name} is a whole number, not {number!r}", hint=f"write {name}=100")
    if page < 1 or size < 1:
        raise InvalidInput(f"there is no page {page} of {size} rows", hint="pages and sizes begin at 1")
    quantify = any if match_any and filters else all
    found = [row for row in rows if quantify(each.passes(row) for each in filters)]
    if sort is not None:
        found = _sorted(found, sort, fields, keys)
    total = len(found)
    if page > 1 and (page - 1) * size >= total:
        raise InvalidInput(f"there is no page {page}", hint=f"{total} rows fill {max(1, -(-total // size))} pages")
    return found[(page - 1) * size : page * size], total


def _sorted(rows: list[_Row], sort: str, fields: Sequence[str], keys: MetadataKeys) -> list[_Row]:
    field, direction = parse_sort(sort)
    field = _known_field(field, fields, keys, "sort by")
    values = [value_of(row, field) for row in rows]
    if rows and field.startswith("metadata.") and all(value is None for value in values):
        near = nearest(field.removeprefix("metadata."), keys(), most=1)
        if near:
            raise InvalidInput(f"none has the {field} to sort by", correction=(field, f"metadata.{near[0]}"))
    groups: dict[int, list[tuple[Any, _Row]]] = {}
    for row, value in zip(rows, values, strict=True):
        group, key = _sort_key(field, value)
        groups.setdefault(group, []).append((key, row))
    for pairs in groups.values():
        pairs.sort(key=operator.itemgetter(0), reverse=direction == "desc")
    return [row for group in sorted(groups) for _, row in groups[group]]


def parse_sort(sort: str) -> tuple[str, str]:
    """Return the field of a sort order, and ``asc`` or ``desc``.

    Raises
    ------
    InvalidInput
        The text names no field, or a direction that is neither.
    """
    order = re.fullmatch(r"(?i)(?:(asc|desc):|(-))?([^:]*?)(?:[: ](asc|desc))?", sort.strip())
    if order is None or not order[3]:
        raise InvalidInput(f"{sort!r} is no order", hint="write FIELD, asc:FIELD or desc:FIELD")
    return order[3], "desc" if order[2] else (order[1] or order[4] or "asc").lower()


def _sort_key(field: str, value: Any) -> tuple[int, Any]:
    """Return the place of a kind of values among the others, which no order changes, and a key among its own."""
    if value in (None, []):
        return 4, 0
    if field in _DATES:
        when = _when(value)
        return (0, when) if when is not None else (2, str(value))
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return 0, value
    if isinstance(value, str):
        if _top(field) in _VERSIONS:
            number: int | float | None = as_number(value)
        else:
            number = _number(value) if _top(field) in _MAPPINGS and is_decimal(value) else None
        return (0, number) if number is not None else (2, value)
    return 3, json.dumps(value, ensure_ascii=False)


def _top(field: str) -> str:
    return field.partition(".")[0]


def value_of(row: Mapping[str, Any], field: str) -> Any:
    """Return the value of a field of a row; of a field with dots, what the mapping has there, or None."""
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


def _boolean(text: str, *, digits: bool) -> bool | None:
    """Return the boolean that a text names, 1 and 0 only where no number can be meant; None if it names none."""
    if digits and text in ("0", "1"):
        return text == "1"
    return _BOOLEANS.get(text.strip().lower())


def _number(text: str) -> int | float | None:
    """Return the finite number that a text writes, exactly where it is whole; None if it is none."""
    text = text.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,400}", text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _span(text: str) -> tuple[datetime, datetime] | None:
    """Return the first and the last moment of a date: of a day in UTC, or of a moment; None if it is no date."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        when = _when(text)
        return (when, when) if when else None
    return datetime.combine(day, time.min, UTC), datetime.combine(day, time.max, UTC)


def _when(text: Any) -> datetime | None:
    """Return the moment that a text in RFC 3339 names, in UTC where it names no zone; None if it is no date."""
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
