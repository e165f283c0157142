"""The columns that ``--fields`` chooses, ``-o jsonl``, and ``-q``, which leaves the names alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gitreg.cli import main
from gitreg.cli.fields import choose
from gitreg.errors import InvalidInput
from tests.cli.test_json_errors import WITH_JSON
from tests.system.world import Person

ROWS = [{"a": 1, "m": {"x": 1, "y.z": 2, "y": {"z": 3, "w": 4}}}, {"a": 2, "m": {}}]


def run(person: Person, capsys: pytest.CaptureFixture[str], line: str, code: int = 0) -> str:
    assert main.run(["--repo", str(person.here), *line.split()]) == code, line
    return capsys.readouterr()[bool(code)]


@pytest.mark.parametrize(
    ("field", "values"),
    [("a", [1, 2]), ("m.x", [1, None]), ("m.y.z", [2, None]), ("m.y.w", [4, None]), ("m", [ROWS[0]["m"], {}])],
)
def test_a_field_is_a_key_or_a_path_of_keys_and_an_absent_one_is_none(field: str, values: list[object]) -> None:
    assert [row[field] for row in choose(ROWS, [field])] == values


@pytest.mark.parametrize(
    ("field", "hint"), [("b", "the fields are a, m"), ("m.yz", "did you mean 'm.y.z'"), ("A", "'a'")]
)
def test_a_field_that_no_row_has_is_an_error_that_names_near_ones(field: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(ROWS, ["a", field])
    assert hint in str(caught.value.hint)


def test_a_key_that_another_page_may_have_is_no_error() -> None:
    assert choose(ROWS, ["m.q"], complete=False) == [{"m.q": None}, {"m.q": None}]
    with pytest.raises(InvalidInput):
        choose(ROWS, ["q"], complete=False)
    assert choose([], ["q"]) == []


def test_the_fields_are_chosen_and_ordered_in_every_format(reader: Person, capsys: pytest.CaptureFixture[str]) -> None:
    line = "list iris --fields metadata.accuracy,version,tags"
    rows = [
        {"metadata.accuracy": 0.95, "version": "1.1", "tags": []},
        {"metadata.accuracy": 0.9, "version": "1", "tags": ["a"]},
    ]
    shown = json.loads(run(reader, capsys, f"{line} --json"))
    assert [list(row.items()) for row in shown["items"]] == [list(row.items()) for row in rows]
    assert (shown["total"], shown["pages"]) == (2, 1)
    assert [json.loads(each) for each in run(reader, capsys, f"{line} -o jsonl").splitlines()] == rows
    assert list(csv.reader(io.StringIO(run(reader, capsys, f"{line} -o csv")))) == [
        ["metadata.accuracy", "version", "tags"], ["0.95", "1.1", ""], ["0.9", "1", "a"],
    ]  # fmt: skip
    assert [each.split() for each in run(reader, capsys, line).splitlines() if "─" not in each] == [
        ["metadata.accuracy", "version", "tags"], ["0.95", "1.1"], ["0.9", "1", "a"],
    ]  # fmt: skip
    assert json.loads(run(reader, capsys, "show iris --fields size,model --json")) == {"size": 16, "model": "iris"}
    assert run(reader, capsys, "show iris@1 --fields version,model").split() == ["version", "1", "model", "iris"]


def test_quiet_fields_are_values_alone_between_tabs(reader: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(reader, capsys, "list iris --fields version -q") == "1.1\n1\n"
    assert run(reader, capsys, "list iris --fields version,tags,stage -q") == "1.1\t\tproduction\n1\ta\tarchived\n"
    assert run(reader, capsys, "show iris@1 --fields version -q") == "1\n"
    assert run(reader, capsys, "show iris@1.1 --fields metadata.accuracy,yanked -q") == "0.95\tfalse\n"
    assert run(reader, capsys, "log --fields subject -q -n 1").count("\n") == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("list iris --fields version,metadata.acuracy", "did you mean 'metadata.accuracy'"),
        ("list --fields nmae", "did you mean 'name'?"),
        ("show iris --fields weight --json", "the fields are model, version, number"),
        ("list iris --fields version,", "write names between commas"),
        ("list iris --fields=", "write names between commas"),
    ],
)
def test_a_wrong_field_is_a_usage_error(
    reader: Person, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    assert message in run(reader, capsys, line, 2)


@pytest.mark.parametrize("name", sorted(WITH_JSON))
def test_every_command_that_prints_json_prints_it_by_the_line_too(name: str) -> None:
    (output,) = (parameter for parameter in WITH_JSON[name].params if parameter.name == "output")
    assert "jsonl" in output.type.choices  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "number"), [("list", 2), ("list iris", 2), ("log", 7), ("verify", 4), ("show iris", 1), ("gc", 0)]
)
def test_a_line_of_jsonl_is_an_object(
    reader: Person, capsys: pytest.CaptureFixture[str], line: str, number: int
) -> None:
    rows = [json.loads(each) for each in run(reader, capsys, f"{line} -o jsonl").splitlines()]
    assert len(rows) == number
    assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize(
    ("line", "ids"),
    [
        ("list", "iris\nteam/other\n"),
        ("list iris", "iris@1.1\niris@1\n"),
        ("list stage=production", "iris@1.1\n"),
        ("model list tag=x", "team/other\n"),
        ("model version list iris --size 1", "iris@1.1\n"),
        ("show iris@champion", "iris@1.1\n"),
        ("model show iris", "iris\n"),
        ("store status iris@1", "iris@1\n"),
        ("gc", ""),
        ("remote list", ""),
        ("remote", ""),
        ("config", "description\nremote\nstore\nstages\n"),
        ("lineage iris@1 --up --depth 1", "iris@1\n"),
    ],
)
def test_a_quiet_listing_prints_the_names_alone(
    reader: Person, capsys: pytest.CaptureFixture[str], line: str, ids: str
) -> None:
    assert run(reader, capsys, f"{line} -q") == ids


def test_a_quiet_listing_that_was_asked_for_a_format_prints_that(
    reader: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(run(reader, capsys, "show iris --json -q"))["model"] == "iris"


def test_an_error_of_a_command_that_was_asked_for_lines_is_json(
    reader: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert json.loads(run(reader, capsys, "show nobody -o jsonl", 3))["error"]["kind"] == "not_found"


@pytest.mark.slow
def test_the_ids_of_a_listing_are_references_for_other_commands(reader: Person, tmp_path: Path) -> None:
    ended = reader.run("sh", "-c", "gitreg list iris -q | xargs -n 1 gitreg show --fields version -o jsonl")
    assert [json.loads(line)["version"] for line in ended.out.splitlines()] == ["1.1", "1"]
