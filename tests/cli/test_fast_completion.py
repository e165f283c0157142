"""The short way of completing against click's: where it answers at all it says the same."""

from __future__ import annotations

import sys
from itertools import product

import click
import pytest
from click.shell_completion import get_completion_class

from gitreg.cli.fast_completion import ARGUMENTS, answer
from gitreg.cli.main import COMMANDS, cli
from tests.system.world import Person

WORDS = (
    "",
    "ir",
    "iris",
    "iris@",
    "iris@1",
    "iris@9",
    "nobody@",
    "team/other@",
    "st",
    "--",
    "-o",
    "--force",
    "it's",
    "7",
)


def asked(line: str, place: int, shell: str = "bash") -> dict[str, str]:
    return {"_GITREG_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(place)}


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("command", [*COMMANDS, "sho", "model show", "--repo"])
def test_what_is_answered_is_what_click_answers(
    command: str, shell: str, reader: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reader.here)
    kind = get_completion_class(shell)
    assert kind is not None
    by_click = kind(cli, {}, "gitreg", "_GITREG_COMPLETE")
    answered = 0
    for words in [(word,) for word in WORDS] + list(product(WORDS[2:5], WORDS)):
        line = ["gitreg", *command.split(), *words]
        env = asked(" ".join(line), len(line) - 1, shell)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        said = answer(env)
        if said is not None:
            answered += 1
            assert said.rstrip("\n") == by_click.complete().rstrip("\n"), line
    assert bool(answered) == (command in ARGUMENTS)


def test_the_commands_that_are_answered_are_commands_with_such_arguments() -> None:
    for name, offers in ARGUMENTS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
        assert len(offers) <= len(arguments), name


@pytest.mark.parametrize(
    ("line", "place", "shell"),
    [
        ("gitreg show ", 2, "fish"),
        ("gitreg prom", 1, "bash"),
        ("gitreg show 'iris", 2, "bash"),
        ("gitreg show --at 2026 ", 4, "bash"),
        ("gitreg --repo elsewhere show ", 4, "bash"),
        ("gitreg show iris --", 3, "bash"),
        ("gitreg show iris@1 ", 3, "bash"),
        ("gitreg", 0, "bash"),
        ("", 0, "bash"),
    ],
)
def test_every_other_line_is_left_to_click(line: str, place: int, shell: str) -> None:
    assert answer(asked(line, place, shell)) is None


def test_a_place_that_is_no_number_is_left_to_click() -> None:
    assert answer({"_GITREG_COMPLETE": "bash_complete", "COMP_WORDS": "gitreg show ", "COMP_CWORD": "two"}) is None
    assert answer({"_GITREG_COMPLETE": "bash_complete"}) is None


def test_completing_a_stage_does_not_import_click(reader: Person) -> None:
    code = (
        "import atexit, os, sys; from gitreg.cli import start\n"
        "def leave(code): sys.stdout.write(str('click' in sys.modules)); sys.stdout.flush(); os._exit(code)\n"
        "start.leave = leave; start.main()"
    )
    ended = reader.with_env(**asked("gitreg promote iris@1 st", 3)).run(sys.executable, "-c", code)
    assert ended.out.split() == ["plain,staging", "False"]
