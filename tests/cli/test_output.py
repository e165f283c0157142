"""What each command prints for programs: shapes that scripts rely on, in process for speed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gitreg.cli.main import COMMANDS, cli
from gitreg.documents.yaml import loads
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
LOG = ["commit", "when", "who", "email", "subject", "reason", "events", "cut"]
STAGE_LOG = ["version", "from", "commit", "when", "who", "email", "subject", "reason"]


@pytest.fixture
def here(reader: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    enter(reader, monkeypatch)
    return reader


def enter(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(person.here)
    for name, value in person.env.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code in (0, 6), result.output
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
    "diff iris@1 iris@1.1": ["from", "to", "fields", "metadata", "files", "unchanged", "size"],
    "verify": ["reference", "artifact", "path", "size", "ok", "problem"],
    "load iris": ["reference", "path"],
    "doctor": ["mended", "problems"],
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
    assert list(swept[0]) == ["sha256", "size", "mtime", "kind", "removed"]
    assert list(json.loads(run("init", "--json"))) == ["made", "folder", "branch", "root", "store"]


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
    assert not [line for line in text.splitlines() if len(line) > 100]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_the_table_speaks_of_what_the_commands_own_help_speaks_of(name: str) -> None:
    """The table's is shorter where the command's own names its arguments; both are there, and both are sentences."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    line = COMMANDS[name][1]
    assert line.endswith(".")
    assert len(line) < 70
    assert command.help.split()[0].strip(",").lower() == line.split()[0].strip(",").lower(), "the same verb"
