"""Filters, order and pages, over rows and over a registry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.documents.layout import Key
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.operations.stages import promote, set_alias
from gitreg.registry.operations.versions import annotate
from gitreg.registry.query.filters import OPERATORS, VERSION_FIELDS, Page, make_filter, parse_filter, select
from gitreg.registry.query.listing import list_models, list_versions
from tests.registry.support import World, record

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
    "metadata": {"accuracy": 0.9, "a.b": {"c": 1}, "name": "svc", "flag": True, "none": None, "list": [1, 2], "n": "7"},
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
        ("number=oneof:6,7", True),
    ],
)
def test_a_filter_passes_what_it_means(text: str, passes: bool) -> None:
    assert parse_filter(text, VERSION_FIELDS).passes(ROW) == passes


@pytest.mark.parametrize("text", ["colour=blue", "tag.x=1", "metadata.=1", "=1", "Stage=x"])
def test_an_unknown_field_is_an_error_that_names_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_filter(text, VERSION_FIELDS)
    assert "stage" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["number=greater:7", "stage=is:x", "stage=like:prod"])
def test_an_unknown_operator_is_an_error_that_names_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput, match="no operator") as caught:
        parse_filter(text, VERSION_FIELDS)
    assert "startswith" in str(caught.value.hint)


@pytest.mark.parametrize("text", ["stage", ""])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no filter"):
        parse_filter(text, VERSION_FIELDS)


@pytest.mark.parametrize("text", ["number=gt:many", "created_at=gt:yesterday"])
def test_what_cannot_be_compared_is_an_error_not_an_empty_list(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(text, VERSION_FIELDS).passes(ROW)


@given(
    st.sampled_from(OPERATORS), st.text(max_size=8), st.none() | st.integers() | st.floats() | st.text() | st.booleans()
)
def test_any_operator_on_any_value_answers_or_says_why_not(op: str, value: str, actual: Any) -> None:
    try:
        one = make_filter("metadata.x", f"{op}:{value}", VERSION_FIELDS)
        assert one.passes({"metadata": {"x": actual}}) in (True, False)
    except InvalidInput as error:
        assert "no number" in str(error)  # noqa: PT017


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
    assert references(some, sort="desc:metadata.accuracy") == ["tulip@1", "iris@2", "iris@1"]
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
