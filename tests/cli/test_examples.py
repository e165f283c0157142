"""The examples in the help of the commands: each is run, in one registry that is prepared for them."""

from __future__ import annotations

import re
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

ENDS_WITH = dict.fromkeys(("gitreg doctor", "gitreg doctor --repair", "gitreg doctor --json"), 6)
"""Exit codes that are not 0: doctor names the draft that a failed run has left."""


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
    """A registry on a Git host, cloned to ``models``, with all that the examples name, and files to save beside it.

    Bob made its versions, so that Ada may approve them.
    """
    top = tmp_path_factory.mktemp("examples")
    work = top / "work"
    work.mkdir()
    ada = make_person(top).with_env(GIT_EDITOR="true")
    ada.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", top / "key")
    key = " ".join((top / "key.pub").read_text().split()[:2])
    for name, value in {
        f"url.file://{work}/host/.insteadOf": "https://github.com/acme/",
        "gpg.format": "ssh",
        "user.signingKey": str(top / "key"),
    }.items():
        ada.git("config", "--global", name, value)
    ada.git("init", "--quiet", "--bare", "--initial-branch=main", work / "host" / "shop.git")
    for store in ("store", "copies", "old-copies", "bigger"):
        ada.gitreg("store", "create", work / store)
    bob = ada.with_env(GIT_AUTHOR_EMAIL="bob@example.com", GIT_COMMITTER_EMAIL="bob@example.com")
    bob.gitreg("init", work / "models", "--store", work / "store")
    bob = bob.at(work / "models")
    with (bob.here / "gitreg.yaml").open("a") as file:
        file.write(f"people:\n  ada@example.com: [{key}]\n")
    bob.git("commit", "--quiet", "--all", "--message", "People")
    bob.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    for number, ndcg in enumerate((0.39, 0.41, 0.43), 1):
        write(bob.here, {"build/model.bin": f"weights {number}", "build/vocab.json": "{}", "data/clicks.csv": "a,b"})
        bob.gitreg("save", "ranker", "build", "--metadata", f"ndcg={ndcg}", "--tag", "nightly")
    bob.gitreg("promote", "ranker@1", "production")
    bob.gitreg("promote", "ranker@2", "production", "--force", "--reason", "better")
    bob.gitreg("promote", "ranker@3", "staging")
    bob.gitreg("alias", "set", "ranker@2", "champion")
    write(bob.here, {"build/model.bin": "worse weights"})
    bob.gitreg("save", "ranker", "build")
    bob.gitreg("delete", "ranker@4")
    bob.gitreg("artifact", "save", "clicks", "data")
    bob.gitreg("run", "--pipeline", "train", "--name", "monday", "--", "true")
    named = ("--pipeline", "train", "--name", "tuesday", "--model", "ranker")
    bob.run("gitreg", "run", *named, "--", "sh", "-c", "gitreg artifact save clicks data && false")
    bob.gitreg("store", "add", work / "old-copies")
    bob.gitreg("remote", "set", "origin")
    bob.git("checkout", "--quiet", "-b", "proposal")
    (bob.here / "gitreg.yaml").write_text((bob.here / "gitreg.yaml").read_text() + "description: Models of the shop\n")
    bob.git("commit", "--quiet", "--all", "--message", "Describe it")
    bob.git("checkout", "--quiet", "main")
    write(
        bob.here,
        {
            "build/model.bin": "weights 4",
            "metrics.json": '{"ndcg": 0.45}',
            "tokenizer/vocab.txt": "a b c",
            "train.py": "print('trained')",
            "versions.yaml": "- {model: ranker, paths: [build]}\n- {model: reader, paths: [tokenizer]}\n",
        },
    )
    shutil.copytree(work, top / "kept", symlinks=True)
    return ada.at(bob.here)


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
    assert ended.code == ENDS_WITH.get(example, 0), f"{example}\n{ended.out}\n{ended.err}"


def test_an_example_is_of_its_command_and_fits_a_line() -> None:
    for name, command in DESCRIBED.items():
        for example in command.examples:
            group, _, last = name.rpartition(" ")
            named = f"{group} {last}|{group}" if group else name  # a group alone calls its default
            assert re.search(rf"\bgitreg( --repo \S+)? ({named})\b", example), example
            assert len(example) <= 78, example


def test_examples_that_are_not_run_are_examples() -> None:
    assert set(NOT_RUN) <= set(EXAMPLES)


def test_exit_codes_of_a_command_are_those_beyond_done_failed_and_wrong_usage() -> None:
    for name, command in commands():
        if isinstance(command, Command):
            assert set(command.exit_codes) <= {3, 4, 5, 6}, name
