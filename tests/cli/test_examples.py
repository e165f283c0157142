"""The examples in the help of the commands: each is run, in one registry that is prepared for them."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator

import click
import pytest

from gitreg.cli.command import Command
from gitreg.cli.main import cli
from tests.system.world import PROGRAMS, Person, make_person, write

NOT_RUN: dict[str, str] = {}
"""Examples that no test can run, each with the reason."""


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield each command and subcommand that help shows, with its name."""
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if not command.hidden:
            yield " ".join((*path, name)), command
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))


DESCRIBED = {name: command for name, command in commands() if isinstance(command, Command) and command.examples}
EXAMPLES = [example for command in DESCRIBED.values() for example in command.examples]


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A registry on a Git host, cloned to ``models``, with a model, stages, a run and files to save beside it."""
    top = tmp_path_factory.mktemp("examples")
    work = top / "work"
    work.mkdir()
    ada = make_person(top)
    ada.git("config", "--global", f"url.file://{work}/host/.insteadOf", "https://github.com/acme/")
    ada.git("init", "--quiet", "--bare", "--initial-branch=main", work / "host" / "models.git")
    ada.gitreg("init", work / "models", "--store", work / "store")
    there = ada.at(work / "models")
    there.git("remote", "add", "origin", "https://github.com/acme/models.git")
    for number, ndcg in enumerate((0.39, 0.41, 0.43), 1):
        write(there.here / "build", {"model.bin": f"weights {number}", "vocab.json": "{}"})
        there.gitreg("save", "ranker", "build", "--metadata", f"ndcg={ndcg}", "--tag", "nightly")
    there.gitreg("promote", "ranker@1", "production")
    there.gitreg("promote", "ranker@2", "production", "--force", "--reason", "better")
    there.gitreg("promote", "ranker@3", "staging")
    there.gitreg("alias", "set", "ranker@2", "champion")
    write(there.here, {"build/model.bin": "worse weights", "data/clicks.csv": "query,click"})
    there.gitreg("save", "ranker", "build")
    there.gitreg("delete", "ranker@4")
    there.gitreg("artifact", "save", "clicks", "data")
    there.gitreg("run", "--pipeline", "train", "--name", "monday", "--", "true")
    failing = "gitreg artifact save clicks data && false"
    there.run(
        "gitreg", "run", "--pipeline", "train", "--name", "tuesday", "--model", "ranker", "--", "sh", "-c", failing
    )
    there.gitreg("remote", "set", "origin")
    write(
        there.here,
        {
            "build/model.bin": "weights 4",
            "metrics.json": '{"ndcg": 0.45}',
            "tokenizer/vocab.txt": "a b c",
            "versions.yaml": "- {model: ranker, paths: [build]}\n- {model: reader, paths: [tokenizer]}\n",
        },
    )
    shutil.copytree(work, top / "kept", symlinks=True)
    return there


@pytest.fixture
def ada(_prepared: Person) -> Person:
    """The person of that registry, as it was made: at the same place, which its addresses name."""
    work = _prepared.here.parent
    shutil.rmtree(work)
    shutil.copytree(work.parent / "kept", work, symlinks=True)
    return _prepared


@pytest.mark.slow
@pytest.mark.parametrize("example", [each for each in EXAMPLES if each not in NOT_RUN])
def test_an_example_runs(example: str, ada: Person) -> None:
    if set(example) & set("|<>$;&"):
        ended = ada.run("bash", "-o", "pipefail", "-c", example)
    else:
        program, *arguments = shlex.split(example)
        ended = ada.run(PROGRAMS / program if program == "gitreg" else program, *arguments)
    assert ended.code == 0, f"{example}\n{ended.out}\n{ended.err}"


def test_an_example_is_of_its_command_and_fits_a_line() -> None:
    for name, command in DESCRIBED.items():
        for example in command.examples:
            assert f"gitreg {name}" in example or f"git reg {name}" in example, example
            assert len(example) <= 78, example


def test_examples_that_are_not_run_are_examples() -> None:
    assert set(NOT_RUN) <= set(EXAMPLES)


def test_exit_codes_of_a_command_are_those_beyond_done_failed_and_wrong_usage() -> None:
    for name, command in commands():
        if isinstance(command, Command):
            assert set(command.exit_codes) <= {3, 4, 5, 6}, name
