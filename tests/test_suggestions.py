from __future__ import annotations

import pytest

from gitreg.errors import NotFound
from gitreg.suggestions import alternatives, did_you_mean, listed, nearest

COMMANDS = ("save", "show", "list", "load", "log", "promote", "protect", "install", "uninstall")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("shwo", ["show"]),
        ("promtoe", ["promote"]),
        ("pro", ["promote", "protect"]),
        ("SHOW", ["show"]),
        (" show ", ["show"]),
        ("instal", ["install"]),
        ("frobnicate", []),
        ("", []),
        ("x", []),
    ],
)
def test_the_words_that_are_as_near_as_the_nearest_one_are_suggested(word: str, near: list[str]) -> None:
    assert nearest(word, COMMANDS) == near


def test_at_most_three_words_are_suggested_and_each_as_it_is_written() -> None:
    assert nearest("iris", ["Iris_1", "Iris_2", "Iris_3", "Iris_4"]) == ["Iris_1", "Iris_2", "Iris_3"]


def test_a_hint_names_the_near_words_else_says_something_else() -> None:
    assert did_you_mean("shwo", COMMANDS) == "did you mean 'show'?"
    assert did_you_mean("pro", COMMANDS) == "did you mean 'promote' or 'protect'?"
    assert did_you_mean("frobnicate", COMMANDS, "see the list") == "see the list"
    assert alternatives(["a", "b", "c"]) == "'a', 'b' or 'c'"


def test_a_long_list_ends_with_how_many_more_there_are() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


def test_an_error_asks_first_whether_the_correction_was_meant() -> None:
    error = NotFound("there is no model 'irs'", hint="see the list", correction=("irs", "iris"))
    assert error.hint == "did you mean 'iris'? see the list"
    assert NotFound("gone", hint="look").correction is None
