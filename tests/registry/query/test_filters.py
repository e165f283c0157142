"""Filters, order and pages, over rows and over a registry."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.documents.layout import Key
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.operations.stages import promote, set_alias
from gitreg.registry.operations.versions import annotate
from gitreg.registry.query.filters import (
    MODEL_FIELDS,
    OPERATORS,
    VERSION_FIELDS,
    Filter,
    Page,
    make_filter,
    parse_filter,
    parse_sort,
    select,
)
from gitreg.registry.query.listing import list_models, list_versions
from tests.registry.support import World, record

ZONES = (UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-11)))
ROW: dict[str, Any] = {
    "model": "iris",
    "version": "alpha",
    "number": 7,
    "stage": "production",
    "aliases": ["best", "x"],
    "tags": ["a,b", "c"],
    "description": None,
    "created_at": "2026-11-22T10:00:00Z",
    "archived": False,
    "size": 10,
    "metadata": {
        "accuracy": 0.9,
        "a.b": {"c": 1},
        "name": "svc",
        "flag": True,
        "none": None,
        "list": [1, 2],
        "n": "7",
        "large": 2**53 + 1,
    },
}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("stage=production", True),
        ("stage=staging", False),
        ("stage=notequals:staging", True),
        ("number=7", True),
        ("number=7.0", True),
        ("number=gt:6", True),
        ("number=gt:7", False),
        ("number=lte:7", True),
        ("metadata.accuracy=gte:0.9", True),
        ("metadata.accuracy=0.90", True),
        ("metadata.accuracy=lt:0.9", False),
        ("metadata.a.b.c=1", True),
        ("metadata.a.c=1", False),
        ("metadata.name=contains:v", True),
        ("metadata.name=startswith:sv", True),
        ("metadata.name=endswith:sv", False),
        ("metadata.flag=true", True),
        ("metadata.flag=1", False),
        ("metadata.none=isnull", True),
        ("metadata.gone=isnull", True),
        ("metadata.gone=notequals:1", True),
        ("metadata.gone=gt:1", False),
        ("metadata.list=[1,2]", True),
        ("metadata.list=1", True),
        ("metadata.n=7", True),
        ("metadata.n=gt:8", False),
        ("metadata.n=gt:6", True),
        ("metadata.flag=gt:0", False),
        ("tag=c", True),
        ("tag=a,b", True),
        ("tags=c", True),
        ("tag=notequals:c", False),
        ("tag=oneof:x,c", True),
        ('tag=oneof:["a,b"]', True),
        ("tag=oneof:x,y", False),
        ("alias=best", True),
        ("alias=isnotnull", True),
        ("description=isnull:", True),
        ("description=isnotnull", False),
        ("description=contains:x", False),
        ("created_at=2026-11-22", True),
        ("created_at=gt:2026-11-21", True),
        ("created_at=lt:2026-11-22T11:00+02:00", False),
        ("created_at=gte:2026-11-22T12:00:00+02:00", True),
        ("version=equals:alpha", True),
        ("version=equals:equals:x", False),
        ("archived=false", True),
        ("archived=False", True),
        ("archived=no", True),
        ("archived=0", True),
        ("archived=notequals:YES", True),
        ("archived=oneof:on,true", False),
        ("metadata.flag=True", True),
        ("metadata.flag=yes", True),
        ("metadata.flag=no", False),
        ("stage=isnull:false", True),
        ("stage=isnull:true", False),
        ("description=isnotnull:False", True),
        ("description=isnotnull:1", False),
        ("created_at=lte:2026-11-22", True),
        ("created_at=gte:2026-11-22", True),
        ("created_at=gt:2026-11-22", False),
        ("created_at=lt:2026-11-22", False),
        ("created_at=lt:2026-11-23", True),
        ("created_at=notequals:2026-11-22", False),
        ("created_at=oneof:2026-11-21,2026-11-22", True),
        ("created_at=20261122", True),
        ("created_at=2026-11-22T12:00:00+02:00", True),
        ("created_at=2026-11-22T10:00:00+02:00", False),
        ("metadata.large=9007199254740993", True),
        ("metadata.large=gt:9007199254740992", True),
        ("metadata.large=gte:9007199254740994", False),
        ("metadata.large=lt: 9007199254740994 ", True),
        ("number=oneof:6,7", True),
    ],
)
def test_a_filter_passes_what_it_means(text: str, passes: bool) -> None:
    assert parse_filter(text, VERSION_FIELDS).passes(ROW) == passes


@pytest.mark.parametrize("text", ["colour=blue", "metadata.=1", "=1"])
def test_an_unknown_field_is_an_error_that_names_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, VERSION_FIELDS)
    assert "the fields are model, version, number, stage" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("Stage=x", "stage"), ("tag.x=1", "tag"), ("acuracy=1", "metadata.accuracy"), ("sise=1", "size")],
)
def test_a_field_that_is_spelled_wrong_is_an_error_that_names_the_nearest(text: str, meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, VERSION_FIELDS, lambda: ["accuracy"])
    assert caught.value.hint == f"did you mean {meant!r}?"
    assert caught.value.correction == (text.partition("=")[0], meant)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("accuracy=gte:0.9", Filter("metadata.accuracy", "gte", "0.9")),
        ("accuracy>=0.9", Filter("metadata.accuracy", "gte", "0.9")),
        ("metadata.accuracy > 0.9", Filter("metadata.accuracy", "gt", "0.9")),
        ("accuracy<0.9", Filter("metadata.accuracy", "lt", "0.9")),
        ("number<=3", Filter("number", "lte", "3")),
        ("stage!=production", Filter("stage", "notequals", "production")),
        ("stage==production", Filter("stage", "equals", "production")),
        ("stage:production", Filter("stage", "equals", "production")),
        ("accuracy:gte:0.9", Filter("metadata.accuracy", "gte", "0.9")),
        ("description=a>b", Filter("description", "equals", "a>b")),
    ],
)
def test_a_filter_is_understood_in_the_spelling_of_other_tools(text: str, meant: Filter) -> None:
    assert parse_filter(text, VERSION_FIELDS, lambda: ["accuracy"]) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("size", ("size", "asc")),
        ("desc:size", ("size", "desc")),
        ("-size", ("size", "desc")),
        ("size:desc", ("size", "desc")),
        ("size DESC", ("size", "desc")),
        ("asc:metadata.a-b", ("metadata.a-b", "asc")),
    ],
)
def test_an_order_is_understood_in_the_spelling_of_other_tools(text: str, meant: tuple[str, str]) -> None:
    assert parse_sort(text) == meant


@pytest.mark.parametrize("text", ["", "-", "up:size", "desc:", "size:up"])
def test_what_is_no_order_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no order"):
        parse_sort(text)


@pytest.mark.parametrize("text", ["number=greater:7", "stage=is:x", "stage=like:prod"])
def test_an_unknown_operator_is_an_error_that_names_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput, match="no operator") as caught:
        parse_filter(text, VERSION_FIELDS)
    assert "startswith" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["stage", ""])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no filter"):
        parse_filter(text, VERSION_FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "number=gt:many", "number=many", "number=oneof:1,many", "size=lt:nan", "size=lt:inf", "size=gt:1_000",
        "created_at=gt:yesterday", "created_at=yesterday", "created_at=oneof:2026-11-22,2026-11-99",
        "yanked=maybe", "archived=2", "archived=", "yanked=oneof:true,nein", "archived=gt:false", "stage=isnull:nein",
    ],
)  # fmt: skip
def test_what_the_field_cannot_be_is_an_error_that_names_it_and_not_an_empty_list(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, VERSION_FIELDS)  # also where no row is there to be compared
    assert text.partition("=")[0] in caught.value.message
    assert caught.value.hint


def test_a_decimal_that_is_kept_as_it_was_written_is_sorted_with_the_numbers() -> None:
    values = ["0.90", 0.85, "n/a", 1, "0012", "1234e56"]
    rows = [{"metadata": {"accuracy": value}} for value in values]
    best = select(rows, [], fields=VERSION_FIELDS, sort="desc:metadata.accuracy")[0]
    assert [row["metadata"]["accuracy"] for row in best] == [1, "0.90", 0.85, "n/a", "1234e56", "0012"]


def test_a_metric_is_compared_with_numbers_only() -> None:
    with pytest.raises(InvalidInput, match=r"'nan' is no number to compare metadata\.accuracy with"):
        parse_filter("metadata.accuracy=gt:nan", VERSION_FIELDS).passes(ROW)


@pytest.mark.parametrize(("condition", "found"), [("gt:9", ["10", "11"]), ("lte:9", ["1", "9"]), ("gte:b", ["beta"])])
def test_versions_that_are_numbers_compare_as_numbers_and_names_as_texts(condition: str, found: list[str]) -> None:
    rows = [
        {"version": version, "latest": version, "stages": {"x": version}}
        for version in (*"19", "10", "11", "alpha", "beta")
    ]
    for field in ("version", "latest", "stages.x"):
        wanted = make_filter(field, condition, (*VERSION_FIELDS, *MODEL_FIELDS))
        assert [row["version"] for row in rows if wanted.passes(row)] == found


@given(st.lists(st.integers(0, 10**15 - 1).map(str) | st.sampled_from(["alpha", "beta", "v2"]), max_size=12))
def test_versions_are_sorted_as_numbers_and_named_ones_come_last_both_ways(versions: list[str]) -> None:
    rows = [{"version": version} for version in versions]
    numbers = sorted((version for version in versions if version.isdigit()), key=int)
    names = sorted(version for version in versions if not version.isdigit())
    up, _ = select(rows, [], fields=VERSION_FIELDS, sort="version")
    down, _ = select(rows, [], fields=VERSION_FIELDS, sort="desc:version")
    assert [row["version"] for row in up] == numbers + names
    assert [row["version"] for row in down] == numbers[::-1] + names[::-1]


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_whole_numbers_compare_exactly(one: int, other: int) -> None:
    row = {"metadata": {"n": one}}
    for op, meant in {"gt": one > other, "gte": one >= other, "lt": one < other, "lte": one <= other}.items():
        assert make_filter("metadata.n", f"{op}:{other}", VERSION_FIELDS).passes(row) == meant
    assert make_filter("metadata.n", other, VERSION_FIELDS).passes(row) == (one == other)


TEXTS = st.text(st.characters(exclude_categories=["Nd"]), max_size=3)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(st.integers())


@given(st.lists(VALUES, max_size=12))
def test_what_is_no_number_is_sorted_last_both_ways(values: list[Any]) -> None:
    rows = [{"metadata": {"loss": value}} for value in values]
    for sort in ("metadata.loss", "desc:metadata.loss"):
        found = [row["metadata"]["loss"] for row in select(rows, [], fields=VERSION_FIELDS, sort=sort)[0]]
        finite = [isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in found]
        assert finite == sorted(finite, reverse=True)
        numbers = found[: sum(finite)]
        assert numbers == sorted(numbers, reverse=sort.startswith("desc"))
        given_ones = [v is not None and v != [] for v in found]
        assert given_ones == sorted(given_ones, reverse=True)


START = datetime(2026, 11, 20, tzinfo=UTC)
MOMENTS = st.builds(
    lambda minutes, zone: (START + timedelta(minutes=minutes)).astimezone(zone),
    st.integers(0, 15000),
    st.sampled_from(ZONES),
)


@given(MOMENTS, st.dates(date(2026, 11, 19), date(2026, 12, 1)))
def test_a_day_is_the_whole_day_in_every_operator(moment: datetime, day: date) -> None:
    row = {"created_at": moment.isoformat()}
    at = moment.astimezone(UTC).date()
    meant = {
        "equals": at == day, "notequals": at != day, "oneof": at == day,
        "gt": at > day, "gte": at >= day, "lt": at < day, "lte": at <= day,
    }  # fmt: skip
    for op, expected in meant.items():
        assert parse_filter(f"created_at={op}:{day}", VERSION_FIELDS).passes(row) == expected, op


def test_dates_are_sorted_by_the_moment_that_they_mean() -> None:
    rows = [{"created_at": text} for text in ("2026-11-22T10:00:00+02:00", "2026-11-22T09:00:00Z", "odd")]
    assert select(rows, [], fields=VERSION_FIELDS, sort="desc:created_at")[0] == [rows[1], rows[0], rows[2]]


@given(
    st.sampled_from(OPERATORS), st.text(max_size=8), st.none() | st.integers() | st.floats() | st.text() | st.booleans()
)
def test_any_operator_on_any_value_answers_or_says_why_not(op: str, value: str, actual: Any) -> None:
    try:
        one = make_filter("metadata.x", f"{op}:{value}", VERSION_FIELDS)
        assert one.passes({"metadata": {"x": actual}}) in (True, False)
    except InvalidInput as error:
        assert "no number" in str(error) or op in ("isnull", "isnotnull")  # noqa: PT017


ROWS = st.lists(st.fixed_dictionaries({"number": st.integers(0, 5) | st.none(), "tags": st.just(["x"])}), max_size=12)


@given(ROWS, st.integers(1, 5), st.sampled_from(["number", "asc:number", "desc:number", None]))
def test_the_pages_together_are_the_whole_list_in_order(
    rows: list[dict[str, Any]], size: int, sort: str | None
) -> None:
    whole, _ = select(rows, [], fields=VERSION_FIELDS, sort=sort, size=1000)
    first, total = select(rows, [], fields=VERSION_FIELDS, sort=sort, size=size)
    count = Page(first, total, 1, size).pages
    pages = [
        select(rows, [], fields=VERSION_FIELDS, sort=sort, size=size, page=page)[0] for page in range(1, count + 1)
    ]
    assert [row for page in pages for row in page] == whole
    assert total == len(rows)
    numbers = [row["number"] for row in whole]
    if sort:
        known = [number for number in numbers if number is not None]
        assert known == sorted(known, reverse=sort.startswith("desc"))
        assert None not in numbers[: len(known)]
    with pytest.raises(InvalidInput):
        select(rows, [], fields=VERSION_FIELDS, size=size, page=count + 1)


@pytest.mark.parametrize("sort", ["colour", "up:number", "desc:"])
def test_an_order_that_is_none_is_refused(sort: str) -> None:
    with pytest.raises(InvalidInput):
        select([ROW], [], fields=VERSION_FIELDS, sort=sort)


@pytest.fixture
def some(world: World) -> World:
    world.save(metadata={"accuracy": 0.8})
    world.save(metadata={"accuracy": 0.9}, tags=("good",))
    world.save("tulip", metadata={"accuracy": "n/a"})
    world.do(promote, "iris@2", "production")
    world.do(set_alias, "iris@1", "old")
    return world


def references(world: World, *filters: str, **how: Any) -> list[str]:
    page = list_versions(world.snapshot, None, filters, **how)
    return [f"{row['model']}@{row['version']}" for row in page.items]


def test_versions_of_all_models_are_listed_newest_first_and_filtered(some: World) -> None:
    assert references(some) == ["iris@2", "iris@1", "tulip@1"]
    assert references(some, "metadata.accuracy=gte:0.85", "stage=production") == ["iris@2"]
    assert references(some, "tag=good", "alias=old", match_any=True) == ["iris@2", "iris@1"]
    assert references(some, sort="desc:metadata.accuracy") == ["iris@2", "iris@1", "tulip@1"]
    some.do(annotate, "iris@1", metadata={"accuracy": 0.95})
    assert references(some, "metadata.accuracy=gt:0.9") == ["iris@1"]


def test_models_are_listed_and_filtered(some: World) -> None:
    rows = list_models(some.snapshot, {"stages.production": "2"}).items
    assert [(row["name"], row["versions"], row["latest"], row["stages"]) for row in rows] == [
        ("iris", 2, "2", {"production": "2"})
    ]
    with pytest.raises(NotFound):
        list_versions(some.snapshot, "rose")


def test_one_version_with_an_impossible_date_spoils_no_list(some: World) -> None:
    text = record("iris", "odd", 9).replace(b"2026-11-22T10", b"2026-99-99T10")
    some.put(Key("model_version", "iris", "odd"), text)
    assert references(some, "created_at=gte:2026-11-22", "model=iris") == ["iris@2", "iris@1"]
