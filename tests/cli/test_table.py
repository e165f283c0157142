from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.cli.table import Cell, cells, fitting, lay_out, shortened

TEXTS = st.text(st.sampled_from("ab \u00e9\u6a21\u578be\u0301\n"), max_size=30)
TABLES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(st.lists(TEXTS.map(Cell), min_size=columns, max_size=columns), min_size=1, max_size=4)
)


def rows(*texts: tuple[str, ...]) -> list[list[Cell]]:
    return [[Cell(text) for text in row] for row in texts]


def test_columns_are_as_wide_as_what_they_hold() -> None:
    assert lay_out(rows(("a", "size"), ("longer", "1 B")), width=None, right=[1]) == ["a        size", "longer    1 B"]


def test_a_wide_character_takes_two_columns() -> None:
    assert lay_out(rows(("模型", "x"), ("abcd", "y")), width=None) == ["模型   x", "abcd   y"]


def test_what_does_not_fit_is_folded_at_blanks() -> None:
    assert lay_out(rows(("name", "one two three four")), width=20) == ["name   one two three", "       four"]


def test_a_word_that_does_not_fit_is_folded_anywhere() -> None:
    assert lay_out(rows(("n", "0123456789abcdef")), width=14) == ["n   0123456789", "    abcdef"]


def test_colours_do_not_count() -> None:
    [line] = lay_out([[Cell("production", "green"), Cell("x")]], width=None)
    assert line != "production   x"
    assert click.unstyle(line) == "production   x"


@given(TABLES, st.integers(60, 80))
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(table: list[list[Cell]], width: int) -> None:
    lines = lay_out(table, width=width)
    assert all(cells(line) <= width for line in lines)
    assert all(line == line.rstrip() for line in lines)
    shown = sorted("".join("".join(lines).split()))
    assert shown == sorted("".join("".join(cell.text for row in table for cell in row).split()))


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("e\u0301", 1), ("模型", 4)])
def test_text_is_measured_in_columns(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("width", "kept"), [(None, [0, 1, 2]), (26, [0, 1, 2]), (25, [0, 2]), (13, [0, 2]), (12, [0]), (1, [0])]
)
def test_columns_that_can_be_spared_go_in_their_order_where_the_rest_could_not_be_read(
    width: int | None, kept: list[int]
) -> None:
    table = rows(("n", "text", "title"), ("1", "a text of many words", "x"), ("23456", "b", "y"))
    assert fitting(table, width=width, spare=[1, 2]) == kept


@pytest.mark.parametrize(
    ("text", "room", "part", "short"),
    [
        ("team/classifier-large@12", 30, "middle", "team/classifier-large@12"),
        ("team/classifier-large@12", 13, "middle", "team/c…rge@12"),
        ("nightly, bigger", 9, "end", "nightly,…"),
        ("two\nlines", 20, "end", "two lines"),
        ("模型模型模型", 8, "middle", "模型…型"),
    ],
)
def test_a_long_text_loses_its_middle_or_its_end(text: str, room: int, part: str, short: str) -> None:
    assert shortened(text, room, part) == short


@given(TEXTS, st.integers(4, 20), st.sampled_from(["middle", "end"]))
def test_a_shortened_text_fits(text: str, room: int, part: str) -> None:
    assert cells(shortened(text, room, part)) <= room


def test_columns_that_give_way_do_so_before_any_row_is_folded() -> None:
    table = rows(("model", "created"), ("a-model-of-a-long-name@12", "2026-11-22 13:39"))
    assert fitting(table, width=35, spare=[1], shorten={0: "middle"}) == [0, 1]
    assert fitting(table, width=34, spare=[1], shorten={0: "middle"}) == [0]
    assert lay_out(table, width=35, shorten={0: "middle"})[1] == "a-model-…name@12   2026-11-22 13:39"
