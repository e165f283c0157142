"""Errors as JSON: one object on standard error for each command that was asked for JSON, however it failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gitreg.cli import main
from gitreg.cli.failure import Failure
from gitreg.cli.mistakes.line import Line
from tests.system.world import Person

ARGUMENTS = {
    "annotate": "iris --tag a", "approve": "iris production", "save": "iris .", "ci": "github",
    "delete": "iris@1", "promote": "iris production", "alias set": "iris champion",
}  # fmt: skip
"""The arguments of the commands that need more than those that click requires."""

NEEDS_NO_REGISTRY = {"init", "cache list", "cache prune", "cache verify", "clone", "store create", "version", "env"}


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


WITH_JSON = {
    name: command
    for name, command in commands(main.cli)
    if any("--json" in parameter.opts for parameter in command.params)
}


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Return the error that a call prints as JSON, its exit code checked."""
    code = main.run(list(arguments))
    out, err = capsys.readouterr()
    assert out == ""
    error: dict[str, object] = json.loads(err.splitlines()[-1])["error"]
    assert list(error) == ["kind", "message", "hint", "exit_code"]
    assert error["exit_code"] == code
    return error


def test_every_listing_and_every_command_that_writes_can_print_json() -> None:
    assert {"list", "show", "save", "promote", "lineage", "gc", "store status", "model version list"} <= set(WITH_JSON)


@pytest.mark.parametrize("name", WITH_JSON)
def test_an_option_that_a_command_does_not_have_is_an_error_in_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked in (["--json"], ["-o", "json"], ["-ojson"], ["--output=json"]):
        error = failure(capsys, *name.split(), "--frobnicate", *asked)
        assert (error["kind"], error["exit_code"]) == ("usage", 2)


@pytest.mark.parametrize("name", sorted(set(WITH_JSON) - NEEDS_NO_REGISTRY))
def test_a_command_that_finds_no_registry_fails_in_json(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    required = [parameter for parameter in WITH_JSON[name].params if parameter.required]
    words = [word for each in required for word in ([each.opts[0], "1"] if isinstance(each, click.Option) else ["1"])]
    arguments = ARGUMENTS[name].split() if name in ARGUMENTS else words
    error = failure(capsys, "--repo", str(tmp_path), *name.split(), *arguments, "--json")
    assert (error["kind"], error["exit_code"]) == ("not_found", 3)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("usage", "frobnicate --json"),
        ("usage", "--frobnicate list --output=json"),
        ("usage", "model frobnicate -o json"),
        ("usage", "model --json"),
        ("usage", "show --json"),
        ("usage", "list --page x --json"),
        ("usage", "list -o xml --json"),
        ("usage", "list --json -o"),
        ("usage", "list -o --json"),
        ("usage", "list --json=1"),
        ("usage", "--json=1 list"),
        ("usage", "save iris . --json --metadata"),
        ("invalid_input", "show @ --json"),
        ("invalid_input", "list iris colour=red -o json"),
        ("not_found", "show nobody --json"),
        ("not_found", "lineage nobody -o json"),
        ("refused", "promote iris@1 production --json"),
        ("already_exists", "model register iris --json"),
    ],
)
def test_the_kind_names_the_class_of_the_error(
    reader: Person, capsys: pytest.CaptureFixture[str], kind: str, arguments: str
) -> None:
    assert failure(capsys, "--repo", str(reader.here), *arguments.split())["kind"] == kind


@pytest.mark.parametrize(
    "arguments",
    [
        "show -- --json",
        "show nobody -- --json=1",
        "show nobody -- -o json",
        "run -- nobody --json",
        "list -o yaml --frobnicate",
    ],
)
def test_where_json_was_not_asked_for_an_error_is_text(
    reader: Person, capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    assert main.run(["--repo", str(reader.here), *arguments.split()]) > 0
    assert capsys.readouterr().err.startswith("error: ")


def test_a_traceback_stands_before_the_error(reader: Person, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--repo", str(reader.here), "show", "nobody", "--json", "--debug"]) == 3
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.startswith("Traceback")
    assert json.loads(last)["error"]["kind"] == "not_found"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (click.Abort(), "interrupted", 130),
        (FileNotFoundError(2, "No such file", "x"), "os_error", 1),
        (ZeroDivisionError("division by zero"), "internal", 1),
    ],
)
def test_an_error_that_is_none_of_gitregs_has_a_kind_too(error: BaseException, kind: str, code: int) -> None:
    failed = Failure.of(error, Line("gitreg", ["list"]))
    assert (failed.kind, failed.exit_code) == (kind, code)
