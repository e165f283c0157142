"""What each command prints for programs: shapes that scripts rely on, in process for speed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gitreg.cli.group import Group
from gitreg.cli.main import COMMANDS, GROUPS, cli
from gitreg.cli.output import (
    emit,
    note,
    print_fields,
    print_heading,
    print_line,
    print_table,
    print_text,
    when_text,
)
from gitreg.documents.yaml import loads
from gitreg.errors import GitregError, NotFound
from gitreg.registry.query.rows import MODEL_COLUMNS, VERSION_COLUMNS
from tests.system.world import Person, write

VERSION = [
    "model", "version", "number", "stage", "aliases", "tags", "description", "created_at", "created_by", "size",
    "archived", "yanked", "yank_reason", "metadata", "inputs", "source", "run", "digest", "artifacts",
]  # fmt: skip
MODEL = [
    "name", "versions", "latest", "stages", "description", "license", "audience", "use_cases", "limitations",
    "trade_offs", "ethics", "tags", "metadata", "created_at",
]  # fmt: skip
WRITE = ["changed", "commit", "subject", "version"]
LOG = ["commit", "when", "who", "email", "subject", "reason", "overridden", "events", "cut"]
STAGE_LOG = ["version", "from", "commit", "when", "who", "email", "subject", "reason", "overridden"]


@pytest.fixture
def here(reader: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    enter(reader, monkeypatch)
    return reader


def enter(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(person.here)
    for name, value in person.env.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str, also: int = 0) -> str:
    """Give what a command prints; it may end with ``also``, too."""
    result = CliRunner().invoke(cli, arguments)
    if isinstance(result.exception, GitregError) and result.exception.exit_code == also:
        return result.stdout
    assert result.exit_code in (0, 6), (result.output, result.exception)
    return result.stdout


def keys(text: str) -> list[str]:
    data: Any = json.loads(text)
    if isinstance(data, dict) and "items" in data:
        assert list(data) == ["items", "total", "page", "pages", "size"]
        data = data["items"]
    if isinstance(data, list):
        assert data
        assert {tuple(row) for row in data} == {tuple(data[0])}
        data = data[0]
    return list(data)


READING = {
    "list": MODEL,
    "list iris": VERSION,
    "list stage=production": VERSION,
    "model list": MODEL,
    "model version list iris": VERSION,
    "model version show iris 1": VERSION,
    "show iris@1": VERSION,
    "log": LOG,
    "log iris": LOG,
    "log iris@production": STAGE_LOG,
    "log iris@1": LOG,
    "list --at 2999-01-01": MODEL,
    "list iris --at HEAD": VERSION,
    "diff iris@1 iris@1.1": ["from", "to", "fields", "metadata", "files", "unchanged", "size"],
    "verify": ["files", "gates", "signed"],
    "load iris": ["reference", "path"],
    "doctor": ["mended", "problems"],
    "why iris@1.1 production": ["reference", "stage", "allowed", "protected", "overridden", "results"],
}


@pytest.mark.parametrize("command", READING)
def test_the_keys_of_what_is_read_are_these_in_every_format(here: Person, command: str) -> None:
    as_json = run(*command.split(), "--json")
    assert keys(as_json) == READING[command]
    assert loads(run(*command.split(), "-o", "yaml").encode(), "yaml") == json.loads(as_json)
    rows = list(csv.reader(io.StringIO(run(*command.split(), "-o", "csv"))))
    assert len({len(row) for row in rows}) <= 1


def test_a_model_is_shown_with_its_versions_and_card(here: Person) -> None:
    shown = json.loads(run("model", "show", "iris", "--json"))
    assert list(shown)[: len(MODEL)] == MODEL


def test_csv_has_a_column_for_each_metadata_and_a_line_for_each_version(here: Person) -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "iris", "-o", "csv"))))
    assert [(row["version"], row["metadata.accuracy"], row["yanked"]) for row in rows] == [
        ("1.1", "0.95", "false"),
        ("1", "0.9", "false"),
    ]


@pytest.mark.slow
def test_every_writing_command_prints_what_it_did(writer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(writer, monkeypatch)
    write(writer.here.parent / "more", {"m": "more"})
    for command, subject in {
        "save iris ../more": "Save iris@3",
        "promote iris@3 staging": "Promote iris@3 to staging",
        "rollback iris production": "Roll production of iris back to 1",
        "archive iris@1.1": None,
        "alias set iris@3 next": "Alias iris@next: 3",
        "annotate iris@3 --metadata loss=0.1 --tag t": "Annotate iris@3",
        "model version update iris 3 --description new": "Annotate iris@3",
        "yank iris@3 --reason bad": "Yank iris@3",
        "unyank iris@3": "Unyank iris@3",
        "model version delete iris 3 --force": "Delete iris@3",
        "model version undelete iris 3": "Undelete iris@3",
    }.items():
        data = json.loads(run(*command.split(), "--json"))
        assert list(data) == WRITE, command
        assert data["subject"] == subject or subject is None, command
        assert list(data["version"]) == VERSION
    for command in ("alias delete iris champion", "model register new", "model update new --license mit",
                    "model delete new"):  # fmt: skip
        data = json.loads(run(*command.split(), "--json"))
        assert list(data)[:3] == WRITE[:3], command
        assert data["changed"] is True
    assert json.loads(run("alias", "delete", "iris", "champion", "--json"))["changed"] is False
    dry = json.loads(run("save", "iris", "../more", "--dry-run", "--json"))
    assert list(dry) == ["changed", "commit", "subject", "files"]
    assert (dry["commit"], list(dry["files"])) == (None, ["models/iris/versions/4.yaml"])
    run("model", "version", "delete", "iris", "1.1", "--force")
    swept = json.loads(run("gc", "--grace", "0", "--json"))
    assert list(swept[0]) == ["key", "size", "since", "reason", "model", "version", "registry", "done"]
    assert list(json.loads(run("init", "--json"))) == ["made", "folder", "branch", "root", "store", "remote"]


def test_the_columns_of_a_listing_are_the_fields_that_are_no_mappings_in_order() -> None:
    assert [*VERSION_COLUMNS] == [field for field in VERSION if field not in ("metadata", "source", "run", "artifacts")]
    assert [*MODEL_COLUMNS] == [field for field in MODEL if field not in ("stages", "metadata")]


@pytest.mark.parametrize(
    ("command", "columns", "further"),
    [
        ("list", MODEL_COLUMNS, "stages."),
        ("model list", MODEL_COLUMNS, "stages."),
        ("list iris", VERSION_COLUMNS, "metadata."),
        ("list stage=production", VERSION_COLUMNS, "metadata."),
        ("list team/other", VERSION_COLUMNS, ""),
        ("model version list team/other", VERSION_COLUMNS, ""),
        ("list stage=staging", VERSION_COLUMNS, ""),
        ("model list tag=nothing", MODEL_COLUMNS, ""),
        ("show iris", VERSION_COLUMNS, "metadata."),
        ("verify", ("reference", "artifact", "path", "size", "ok", "problem", "store", "read", "contents"), ""),
        ("gc", ("key", "size", "since", "reason", "model", "version", "registry", "done"), ""),
        ("doctor", ("where", "what", "remedy", "repairable"), ""),
        ("log", tuple(LOG), ""),
        ("log iris@production", tuple(STAGE_LOG), ""),
        ("diff iris@1 iris@1.1", ("part", "name", "from", "to", "delta", "change"), ""),
    ],
)
def test_the_first_columns_of_csv_do_not_depend_on_what_is_found(
    here: Person, command: str, columns: tuple[str, ...], further: str
) -> None:
    header = next(csv.reader(io.StringIO(run(*command.split(), "-o", "csv", also=3))))
    assert tuple(header[: len(columns)]) == columns
    rest = header[len(columns) :]
    assert all("." in name for name in rest), rest
    assert rest[0].startswith(further) if further else not rest


def test_csv_keeps_the_dotted_columns_of_a_field_together(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, Any]] = [
        {"a": 1, "m": {}, "s": {"x": 1}, "l": [1, True]},
        {"a": {"k": "v"}, "m": {"y": None}, "s": None, "l": []},
        {"a": None, "m": {"z": {"deep": False}}, "s": {"x": 2}, "l": [{"k": 1}]},
    ]
    emit(rows, "csv", rows=rows, columns=("a", "l"))
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["a", "l", "m.y", "m.z.deep", "s.x"],
        ["1", "1;true", "", "", "1"],
        ['{"k": "v"}', "", "", "", ""],
        ["", '[{"k": 1}]', "", "false", "2"],
    ]


@pytest.mark.parametrize(
    "command", ["list tag=nothing", "list iris tag=nothing", "list team/other", "model list tag=nothing",
                "model version list team/other", "model version list iris stage=staging"],
)  # fmt: skip
def test_a_listing_that_finds_nothing_says_so_and_has_its_shape_all_the_same(here: Person, command: str) -> None:
    for output in ("table", "json", "yaml", "csv"):
        result = CliRunner().invoke(cli, [*command.split(), "-o", output])
        assert isinstance(result.exception, NotFound), output
        if output == "table":
            assert result.stdout == ""
        elif output == "csv":
            assert len(result.stdout.splitlines()) == 1
        else:
            shape = {"items": [], "total": 0, "page": 1, "pages": 1, "size": 100}
            assert loads(result.stdout.encode(), output) == shape


def test_a_new_registry_says_how_to_begin(reader: Person, tmp_path: Path) -> None:
    there = reader.at(tmp_path)
    there.gitreg("init")
    assert "gitreg save" in there.gitreg("list", code=3).err
    assert there.gitreg("list", "--json", code=3).data["items"] == []


NASTY = "".join(map(chr, range(32))) + "\x7f\x85\x9b31m\u2028\u202e\u2066\ud800\U000e0041"
HARMLESS = "\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH JOINER}é模型"


def unsafe(text: str) -> str:
    return "".join(c for c in text if c in NASTY and c not in "\n31m")


def test_what_is_printed_for_people_has_nothing_that_acts_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = NASTY + HARMLESS
    printers: tuple[Callable[[], object], ...] = (
        lambda: print_heading(text),
        lambda: print_line(text),
        lambda: print_text(text),
        lambda: print_fields([(text, text), ("mapping", {text: text}), ("list", [text, {text: [text]}])]),
        lambda: print_table([text, "b"], [(text, {text: text}), ([text], 1.5)], right=[text], spare=[text]),
        lambda: note(text),
        lambda: emit([{text: text}], "csv", rows=[{text: text, "m": {text: [text]}}]),
    )
    for printing in printers:
        printing()
        printed = "".join(capsys.readouterr())
        assert unsafe(click.unstyle(printed)).strip("\t") == ""
        assert HARMLESS in printed


def test_json_writes_what_acts_on_a_terminal_as_escapes_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    data = {NASTY: [NASTY, HARMLESS]}
    emit(data, "json")
    printed = capsys.readouterr().out
    assert json.loads(printed) == data
    assert unsafe(printed) == ""
    assert HARMLESS in printed


@pytest.mark.parametrize(
    "when", ["soon", "2026-13-45T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"]
)
def test_a_time_that_is_no_date_is_shown_as_it_is(when: str) -> None:
    assert when_text(when) == when


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


@pytest.mark.parametrize("path", list(every_command(cli)), ids=" ".join)
def test_every_help_text_renders_and_says_what_the_command_does(path: tuple[str, ...]) -> None:
    text = run(*path, "--help")
    assert text.startswith("Usage: ")
    assert len(text.splitlines()[2].strip()) > 10
    assert "--debug" not in text
    assert not [line for line in text.splitlines() if len(line) > 100]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_the_table_speaks_of_what_the_commands_own_help_speaks_of(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    alone = [names for rows in GROUPS.values() for names in rows if names == name]
    assert not alone or command.help.split()[0].strip(",") == COMMANDS[name][1].split()[0].strip(",")


def test_help_shows_every_command_in_a_group_on_one_screen_and_folds_no_line() -> None:
    lines = run("--help").splitlines()
    assert 24 <= len(lines) <= 50
    assert max(map(len, lines)) <= 80
    text = " ".join(lines).replace(",", " ")
    assert [name for name in COMMANDS if f" {name} " not in text] == ["hook"]


def test_csv_of_very_many_keys_has_each_once_in_the_order_of_their_first_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Looking for each key among all others took 95 s for 49,000."""
    names = [f"k{number}" for number in range(49_000)]
    rows = [{"model": "iris", "metadata": dict.fromkeys(names[1:], 1)}, {"model": "iris", "metadata": {names[0]: 2}}]
    emit(rows, "csv", rows=rows, columns=["model"])
    header, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header == ["model", *(f"metadata.{name}" for name in (*names[1:], names[0]))]
    assert first == ["iris", *["1"] * 48_999, ""]
    assert second == ["iris", *[""] * 48_999, "2"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("@SUM(1)", "'@SUM(1)"), ("+1+1", "'+1+1"), ("-1+1", "'-1+1"),
        ("\t=1", "'\t=1"), ("-", "'-"), (["=1", "b"], "'=1;b"), ("-0.90", "-0.90"), (-0.5, "-0.5"), ("a=b", "a=b"),
        ("", ""),
    ],
)  # fmt: skip
def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers(
    value: Any, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    emit({"=name": value}, "csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [["'=name"], [cell]]


@pytest.mark.parametrize("group", ["store", "alias", "runs", "artifact", "config", "cache", "remote", "hooks"])
def test_a_group_alone_lists_and_its_options_are_those_of_the_list(group: str) -> None:
    command = cli.get_command(click.Context(cli), group)
    assert isinstance(command, Group)
    assert command.default in command.list_commands(click.Context(command))
    for words, rest in (([], []), (["--json"], ["--json"])):
        ctx = click.Context(command, info_name=group)
        command.parse_args(ctx, [*words])
        assert [*ctx._protected_args, *ctx.args] == [command.default, *rest]
    assert f"Without a command: cli {group} {command.default}." in run(group, "--help")
