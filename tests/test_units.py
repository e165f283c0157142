"""Sizes and durations as text."""

from __future__ import annotations

import pytest

from gitreg.errors import InvalidInput
from gitreg.units import parse_duration, parse_size, size_text


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
