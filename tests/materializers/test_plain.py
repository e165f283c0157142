"""Text, bytes and JSON values."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.materializers import read
from tests.materializers.helpers import again, damaged, digests, refused

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(TEXT)
def test_text_comes_back_with_its_line_ends(text: str) -> None:
    assert again(text, "text") == text


@given(st.binary())
def test_bytes_come_back(content: bytes) -> None:
    assert again(content, "bytes") == content


@given(st.lists(JSON) | st.dictionaries(TEXT, JSON) | NUMBERS | st.booleans() | st.none())
def test_json_comes_back_with_its_types_and_its_order(value: object) -> None:
    assert repr(again(value, "json")) == repr(value)  # tells True from 1, 1 from 1.0 and 0.0 from -0.0


class Color(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, (2, 3)]}, "$.a[1] is of tuple"),
        ({"a b": {"c": {1}}}, '$["a b"].c is of set'),
        ([float("nan")], "$[0] is nan"),
        ({"x": -math.inf}, "$.x is -inf"),
        (math.nan, "$ is nan"),
        ({"x": {1: "a"}}, "$.x has the key 1 of int"),
        ({True: "a"}, "$ has the key True of bool"),
        ({"x": [b"a"]}, "$.x[0] is of bytes"),
        ([[10**4001]], "$[0][0] has more than 4,000 digits"),
        (["\ud800"], "$[0] has half a character"),
        ([{"\udc00": 1}], "a key of $[0] has half a character"),
        ("a\ud800b", "the text has half a character (a lone surrogate) at position 1"),
        (OrderedDict(a=1), "$ is of collections.OrderedDict"),
        ([Color.RED], "Color, which JSON cannot say"),
        ([Path("x")], "$[0] is of pathlib"),
    ],
)
def test_what_json_would_change_is_refused_with_its_place(value: object, place: str) -> None:
    refused(value, place)


def test_an_integer_as_long_as_may_be_comes_back() -> None:
    assert again(10**3999, "json") == 10**3999


def test_what_holds_itself_is_refused() -> None:
    value: list[object] = [1]
    value.append({"again": value})
    refused(value, "$[1].again is inside itself")


def test_what_stands_in_two_places_is_no_circle() -> None:
    one = [1]
    assert again([one, one], "json") == [one, one]


def test_what_is_too_deep_is_refused_and_what_is_just_deep_comes_back() -> None:
    value: list[object] = []
    for _ in range(199):
        value = [value]
    assert again(value, "json") == value
    refused([value], "lies more than 200 levels deep")


class Label(str):
    __slots__ = ()


def test_a_subclass_of_str_is_refused() -> None:
    refused(Label("x"), "Label would come back as str")


def test_a_file_that_says_nan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[NaN]")
    with pytest.raises(InvalidInput, match="NaN is not JSON"):
        read(tmp_path, "json")


def test_a_file_of_endless_brackets_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[" * 1_000_000)
    with pytest.raises(InvalidInput):
        read(tmp_path, "json")


def test_damage_is_told_in_words(tmp_path: Path) -> None:
    damaged({"a": [1, 2, 3], "b": "some text"}, tmp_path / "files")


def test_the_same_value_is_the_same_bytes() -> None:
    assert digests({"a": 1.5, "b": None}) == digests({"a": 1.5, "b": None})
