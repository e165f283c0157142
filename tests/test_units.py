"""Sizes and durations as text."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import InvalidInput
from gitreg.units import age_text, counted, is_decimal, listed, number_as_written, parse_duration, parse_size, size_text


def test_sizes_are_shown_in_powers_of_a_thousand() -> None:
    sizes = (None, 0, 999, -999, 1000, -1500, 91_627_053, 10**16, 10**19)
    shown = ["", "0 B", "999 B", "-999 B", "1.0 kB", "-1.5 kB", "91.6 MB", "10.0 PB", "10000.0 PB"]
    assert [size_text(size) for size in sizes] == shown


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("12 b", 12),
        ("50GB", 50 * 10**9),
        ("1.5 TB", 1_500_000_000_000),
        (" 512MiB ", 512 << 20),
        ("2k", 2000),
    ],
)
def test_a_size_is_read_in_decimal_and_binary_units(text: str, size: int) -> None:
    assert parse_size(text, "--to") == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 XB", "1..5GB"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(InvalidInput, match="--to is "):
        parse_size(text, "--to")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("1.5m", 90), ("12h", 43_200), ("14d", 1_209_600), ("2w", 1_209_600)]
)
def test_a_duration_is_read_in_seconds_to_weeks(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1 d", "1y"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("-3", -3), ("10", 10), ("9007199254740993", 9007199254740993), ("0.95", 0.95), ("10.0", 10.0),
        ("-0.5", -0.5), ("0.00001", 1e-5), ("0.30000000000000004", 0.1 + 0.2), ("1e-4", 1e-4), ("2.5E+3", 2500.0),
        ("0012", None), ("-0", None), ("3.10", None), ("1234e56", None), ("1e999", None), ("1e-999", None),
        ("1e12345", None), ("0.1234567890123456789", None), ("1_000", None), ("0x1f", None), (".5", None), ("5.", None),
        ("+5", None), ("", None), (" 5", None), ("5\n", None), ("٣", None), ("nan", None),
    ],
)  # fmt: skip
def test_a_number_is_one_where_it_comes_back_as_it_was_written(text: str, number: float | None) -> None:
    found = number_as_written(text)
    assert (found, type(found)) == (number, type(number))


@given(st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,4})?", fullmatch=True))
def test_what_is_read_as_a_number_has_the_value_that_was_written(text: str) -> None:
    number = number_as_written(text)
    if number is not None:
        assert json.loads(text) == number
        if is_decimal(text):
            assert format(Decimal(repr(number)), "f") in (text, text + ".0", text.removesuffix(".0"))


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_what_python_and_json_write_is_read_as_that_number(number: float) -> None:
    assert number_as_written(json.dumps(number)) == number


def test_an_age_is_told_in_its_largest_unit() -> None:
    ages = (0, 59, 60, 3599, 7200, 86_400 * 3, 86_400 * 59, 86_400 * 61, 86_400 * 800, -86_400 * 3)
    shown = ["0 s", "59 s", "1 min", "59 min", "2 h", "3 d", "59 d", "2 mo", "2 y"]
    assert [age_text(age) for age in ages] == [*(f"{each} ago" for each in shown), "in 3 d"]


def test_a_noun_follows_its_number() -> None:
    assert [counted(number, "file") for number in (0, 1, 1234)] == ["0 files", "1 file", "1,234 files"]


def test_few_names_are_listed_and_of_many_the_first() -> None:
    assert [listed("abcd"[:n], n, "version") for n in (1, 2, 3, 4)] == [
        "a", "a and b", "a, b and c", "a, b, c and 1 more version"
    ]  # fmt: skip
    assert listed("abcdef", 6, "version") == "a, b, c and 3 more versions"
