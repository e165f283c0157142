"""The short way of completing against click's: where it answers at all it says the same."""

from __future__ import annotations

import sys
from itertools import product

import click
import pytest

from gitreg.cli import completion
from gitreg.cli.completion.fast import ARGUMENTS, after_the_program, answer
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


@pytest.mark.slow
@pytest.mark.parametrize("command", [*COMMANDS, "sho", "model show", "--repo"])
def test_what_is_answered_is_what_click_answers(command: str, reader: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reader.here)
    answered = 0
    for words in [(word,) for word in WORDS] + list(product(WORDS[2:5], WORDS)):
        line = f"gitreg {command} {' '.join(words)}"
        fast = answer(line)
        if fast is not None:
            answered += 1
            assert fast == completion.answer.answer(line), line
    assert bool(answered) == (command in ARGUMENTS)


def test_the_commands_that_are_answered_are_commands_with_such_arguments() -> None:
    for name, offers in ARGUMENTS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
        assert len(offers) <= len(arguments), name


@pytest.mark.parametrize(
    "line",
    [
        "gitreg prom",
        "gitreg show 'iris",
        "gitreg show --at 2026 ",
        "gitreg --repo elsewhere show ",
        "gitreg show iris --",
        "gitreg show iris@1 ",
        "gitreg",
        "",
        " ",
    ],
)
def test_every_other_line_is_left_to_click(line: str) -> None:
    assert answer(line) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gitreg show x", ["show", "x"]),
        ("/usr/bin/git-reg show", ["show"]),
        ("git reg show", ["show"]),
        ("/usr/bin/git -C x reg show reg", ["show", "reg"]),
        ("git reg", ["reg"]),
        ("", []),
    ],
)
def test_the_words_after_the_program_are_those_of_gitreg(line: str, words: list[str]) -> None:
    assert list(after_the_program(line.split())) == words


def test_completing_a_stage_does_not_import_click(reader: Person) -> None:
    code = (
        "import atexit, os, sys; from gitreg.cli import start\n"
        "def leave(code): sys.stdout.write(str('click' in sys.modules)); sys.stdout.flush(); os._exit(code)\n"
        "start.leave = leave; start.main()"
    )
    ended = reader.with_env(_GITREG_COMPLETE="gitreg promote iris@1 st").run(sys.executable, "-c", code)
    assert ended.out.split() == ["plain", "staging", "False"]
