from __future__ import annotations

import pytest

from gitreg.cli.card_options import _HELP
from gitreg.cli.options import read_metadata
from gitreg.documents.types import CARD_FIELDS, ModelDocument
from gitreg.errors import InvalidInput


def test_a_value_is_json_where_it_reads_as_json_else_text() -> None:
    given = ["a=0.5", "b=[1]", "c=one", "d=", 'e="1"', "f={", "g=true", "h=x=y", "i=1e", f"j={'7' * 4299}x"]
    assert read_metadata(given) == {
        "a": 0.5, "b": [1], "c": "one", "d": "", "e": "1", "f": "{", "g": True, "h": "x=y", "i": "1e",
        "j": "7" * 4299 + "x",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000])
def test_brackets_nested_beyond_all_reason_are_refused_in_words(value: str) -> None:
    with pytest.raises(InvalidInput, match="nested too deep"):
        read_metadata([f"deep={value}"])


def test_a_number_of_more_digits_than_python_reads_does_not_become_a_text() -> None:
    with pytest.raises(InvalidInput, match="--metadata big is a number of 5,000 digits"):
        read_metadata([f"big={'9' * 5000}"])


def test_a_card_has_one_list_of_fields() -> None:
    assert set(_HELP) == set(CARD_FIELDS)
    assert [name for name in ModelDocument._names if name in CARD_FIELDS] == list(CARD_FIELDS)
