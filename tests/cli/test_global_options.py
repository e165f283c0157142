"""The flags that stand before a command's name or after it."""

from __future__ import annotations

import click
import pytest

import gitreg
from gitreg.cli.main import cli
from tests.cli.test_output import every_command
from tests.system.world import Person, write

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "command", ["version", "-V", "--version", "list -V", "model --version", "model show --version"]
)
def test_the_version_is_told_before_a_command_and_after_it(reader: Person, command: str) -> None:
    assert reader.gitreg(*command.split()).out == f"gitreg {gitreg.__version__}\n"


@pytest.mark.parametrize(
    "command", ["-v alias set iris@1 old", "alias --verbose set iris@1 old", "alias set iris@1 old -v"]
)
def test_verbose_shows_the_git_commands_on_standard_error_alone(writer: Person, command: str) -> None:
    ended = writer.gitreg(*command.split(), "--json")
    assert ended.data["changed"]
    assert "gitreg: git " in ended.err


def test_verbose_shows_the_requests_to_stores_with_their_time(writer: Person) -> None:
    shown = writer.gitreg("load", "iris@1", "-v").err.splitlines()
    assert [line for line in shown if line.startswith("gitreg: store file://") and line.endswith(" s)")]
    assert writer.gitreg("load", "iris@1").err == ""


def test_verbose_hides_the_login_of_a_remote(writer: Person) -> None:
    ended = writer.run("gitreg", "-v", "clone", "https://ada:secret@localhost:1/other.git")
    assert "gitreg: git clone" in ended.err
    assert "secret" not in ended.err


def test_quiet_prints_no_notes_but_what_the_user_has_to_know(writer: Person) -> None:
    script = write(writer.here.parent / "script", {"model.py": "import os"})
    for command in (("-q", "save", "iris", script), ("save", "iris", script, "--quiet")):
        assert "model.py" in writer.gitreg(*command).err
    assert "it still holds production" in writer.gitreg("yank", "iris@production", "--reason", "wrong").err
    writer.gitreg("unyank", "iris@1.1")
    assert writer.gitreg("yank", "-q", "iris@production", "--reason", "wrong").err == ""


def test_every_command_takes_the_global_flags_and_hides_them() -> None:
    for path in every_command(cli):
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            found = command.get_command(click.Context(command), name)
            assert found is not None
            command = found
        flags = {name: each.hidden for each in command.params if isinstance(each, click.Option) for name in each.opts}
        assert all(flags[name] for name in ("--debug", "-q", "--quiet", "-v", "--verbose", "-V", "--version")), path
