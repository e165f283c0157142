from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.cli.card_options import _HELP
from gitreg.cli.options import read_metadata
from gitreg.documents.types import CARD_FIELDS, ModelDocument
from gitreg.errors import InvalidDocument, InvalidInput


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


def test_what_would_not_come_back_as_it_was_written_stays_a_text() -> None:
    given = ["commit=1234e56", "id=0012", "python=3.10", "lr=1e-4", "loss=0.25", "n=9007199254740993", "s=1e56789"]
    assert read_metadata(given) == {
        "commit": "1234e56", "id": "0012", "python": "3.10", "lr": 1e-4, "loss": 0.25, "n": 2**53 + 1, "s": "1e56789",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["nan", "NaN", "-inf", "Infinity", "+INF"])
def test_what_is_no_number_is_refused_unless_it_is_quoted(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"--metadata loss is .*, which is no number in JSON") as caught:
        read_metadata([f"loss={text}"])
    assert f"""loss='"{text}"'""" in str(caught.value.hint)
    assert read_metadata([f'loss="{text}"']) == {"loss": text}


def test_a_key_that_is_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--metadata k is named twice") as caught:
        read_metadata(["k=1", "a=3", "k=2"])
    assert "k='[1, 2]'" in str(caught.value.hint)
    with pytest.raises(InvalidInput, match="--metadata k has 'a' twice"):
        read_metadata(['k={"a": 1, "a": 2}'])


def test_a_value_replaces_that_of_a_file_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"a": 1, "b": 1}')
    (tmp_path / "two.json").write_text('{"b": 2, "c": 2}')
    files = [f"@{tmp_path / 'one.json'}", f"@{tmp_path / 'two.json'}"]
    for given in (["c=3", *files], [*files, "c=3"]):
        assert read_metadata(given) == {"a": 1, "b": 2, "c": 3}


def test_the_values_of_a_file_come_back_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "metadata.yaml"
    file.write_text("id: 0012\ncommit: 1234e56\npython: 3.10\nmode: 0x1f\nloss: 0.25\nquoted: '1'\nflag: true\n")
    assert read_metadata([f"@{file}"]) == {
        "id": "0012", "commit": "1234e56", "python": "3.10", "mode": "0x1f", "loss": 0.25, "quoted": "1", "flag": True,
    }  # fmt: skip


@pytest.mark.parametrize("text", ['{"loss": NaN}', '{"loss": -Infinity}', "loss: nan", "loss: .nan", "loss: .inf"])
def test_a_file_with_what_is_no_number_is_refused_by_its_key(text: str, tmp_path: Path) -> None:
    file = tmp_path / "metadata.yaml"
    file.write_text(text)
    with pytest.raises(InvalidDocument, match=r"/loss: is .*, which is no JSON number"):
        read_metadata([f"@{file}"])
