"""The lines that people type wrong, each with its answer: those of ``mistakes.txt``, and those of a first week."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from gitreg import guides
from gitreg.cli import main
from gitreg.cli.mistakes import other_tools
from gitreg.sdk.registry import Registry
from tests.system.world import Person, make_person, write

FREE = ("archive ranker@2", "archive ranker@3", "alias delete ranker champion")
BEFORE = [
    (
        "promote |save .*--stage|model version update |delete |model delete |model version delete |config set stages ",
        FREE,
    ),
    ("rollback ", ["promote ranker@1 production --force"]),
    ("list .*stage=archived", ["archive ranker@1"]),
    ("remote set ", ["store set STORE --copy"]),
    ("runs list", ["run -- true"]),
]
"""The commands by which the registry is as somebody has it who means such a line: no rule refuses it there."""
REFUSED = {
    "annotate": "needs REF",  # the name of the command
    "delete ranker": "is a model, not one version of it",
    "approve ranker@2 production": "none of `people`",
    "protect github": "is not on a Git host",
    "store remove /tmp/x": "is no replica",
}
"""The lines that are understood and then refused, for what this registry lacks."""
PATTERN = re.compile(r"(?<![\w-])[A-Z]{2,}(?![\w.-])|@N\b")
"""A word that stands for what the user has to name: a hint with one is no line to copy."""


class Mistake(NamedTuple):
    line: str
    code: int
    message: str
    hint: str


def mistakes() -> Iterator[Mistake]:
    text = Path(__file__).with_name("mistakes.txt").read_text()
    for entry in re.finditer(r"^\$ gitreg (.*)\n(\d): (.*)\n(?:   (.*)\n)?", text, re.MULTILINE):
        yield Mistake(entry[1], int(entry[2]), entry[3], entry[4] or "")


MISTAKES = list(mistakes())


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry of two models, a stage that is held twice, an alias and an artifact, which no mistake changes."""
    folder = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITREG_CACHE", str(folder / "cache"))
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        opened, _ = Registry.init(folder / "registry")
        patch.chdir(folder / "registry")
        patch.setattr("sys.argv", ["gitreg"])
        with opened:
            weights = folder / "registry" / "model.bst"
            for number, ndcg in enumerate((0.41, 0.42, 0.43), 1):
                weights.write_text(f"weights {number}")
                metadata = {"ndcg": ndcg, "accuracy": ndcg + 0.5}
                opened.save("ranker", weights, metadata=metadata, tags=["nightly"] if number == 3 else [])
            opened.save("iris", weights)
            opened.save("team/other", weights)
            opened.promote("ranker@2", "production")
            opened.promote("ranker@3", "staging")
            opened.set_alias("ranker@3", "champion")
        assert main.run(["-q", "artifact", "save", "train_data", "model.bst"]) == 0
        before = opened.session.snapshot().commit
        yield folder / "registry"
        with Registry.open(folder / "registry") as again:
            assert again.session.snapshot().commit == before


def printed(capsys: pytest.CaptureFixture[str], line: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main.run(shlex.split(line))
    return code, *capsys.readouterr()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.line)
def test_a_mistake_is_answered_with_the_problem_and_the_remedy(
    mistake: Mistake, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = printed(capsys, mistake.line)
    hint = f" hint: {mistake.hint}\n" if mistake.hint else ""
    assert (out, err, code) == ("", f"error: {mistake.message}\n{hint}", mistake.code)


LINES = sorted({line for each in MISTAKES for line in re.findall(r"`gitreg (.*?)`", each.hint)})


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in LINES if not PATTERN.search(line)])
def test_a_line_that_is_proposed_can_be_copied(
    line: str, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "registry"
    shutil.copytree(registry, copy)
    shutil.copy(registry / "model.bst", tmp_path)
    subprocess.run(["git", "init", "-q", "-b", "main", "--bare", tmp_path / "origin.git"], check=True)
    subprocess.run(["git", "-C", copy, "remote", "add", "origin", tmp_path / "origin.git"], check=True)
    monkeypatch.chdir(copy)
    for name, value in {"GITREG_CACHE": str(tmp_path / "cache"), "EDITOR": "true", "VISUAL": "true"}.items():
        monkeypatch.setenv(name, value)
    for _, commands in filter(lambda each: re.match(each[0], line), BEFORE):
        for command in commands:
            assert printed(capsys, command.replace("STORE", str(tmp_path / "store")))[0] == 0
    code, _, err = printed(capsys, line)
    assert (code == 0 and line not in REFUSED) or (line in REFUSED and REFUSED[line] in err), err


def test_there_are_mistakes_of_all_kinds() -> None:
    assert len(MISTAKES) >= 90
    assert len({each.line for each in MISTAKES}) == len(MISTAKES)
    assert {each.code for each in MISTAKES} == {2, 3, 4}


@pytest.mark.parametrize("command", ["shwo ranker", "show ranker --outptu json", "promote production ranker@2"])
def test_the_password_of_an_address_is_not_repeated(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = printed(capsys, f"--repo https://ada:secret@host.example/models.git {command}")
    assert code == 2
    assert "did you mean" in err
    assert "secret" not in err


# -- what is understood ----------------------------------------------------------------------------------------------


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """Return the command of a line and its parameters."""
    ctx: click.Context = click.Context(main.cli, info_name="gitreg")
    words = shlex.split(line)
    while isinstance(ctx.command, click.Group):
        name, command, words = ctx.command.resolve_command(ctx, words)
        assert command is not None
        if isinstance(command, click.Group):
            ctx = click.Context(command, info_name=name, parent=ctx)
        else:
            ctx = command.make_context(name, words, parent=ctx)
    return ctx.command_path, ctx.params


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("show ranker 9", "show ranker@9"),
        ("show ranker production", "show ranker@production"),
        ("show team/ranker 9 --json", "show team/ranker@9 --json"),
        ("promote ranker 9 production", "promote ranker@9 production"),
        ("promote ranker 9 production --reason better", "promote ranker@9 production --reason better"),
        ("promote ranker staging production", "promote ranker@staging production"),
        ("why ranker 9", "why ranker@9"),
        ("why ranker 9 production", "why ranker@9 production"),
        ("approve ranker 9 production", "approve ranker@9 production"),
        ("alias set ranker 9 champion", "alias set ranker@9 champion"),
        ("archive ranker 9", "archive ranker@9"),
        ("yank ranker 9 --reason wrong", "yank ranker@9 --reason wrong"),
        ("unyank ranker 9", "unyank ranker@9"),
        ("delete ranker 9", "delete ranker@9"),
        ("undelete ranker 9", "undelete ranker@9"),
        ("annotate ranker 9 --tag a", "annotate ranker@9 --tag a"),
        ("log ranker production", "log ranker@production"),
        ("verify ranker 9", "verify ranker@9"),
        ("lineage ranker 9", "lineage ranker@9"),
        ("card ranker 9", "card ranker@9"),
        ("store status ranker 9", "store status ranker@9"),
        ("load ranker 9 folder", "load ranker@9 folder"),
        ("diff ranker 1 2", "diff ranker@1 ranker@2"),
        ("diff ranker production staging", "diff ranker@production ranker@staging"),
        ("diff ranker 1 iris 2", "diff ranker@1 iris@2"),
        ("rollback iris@production", "rollback iris production"),
        ("rollback team/iris@production --reason x", "rollback team/iris production --reason x"),
        ("rollback iris@production production", "rollback iris production"),
        ("alias delete iris@champion", "alias delete iris champion"),
        ("model version show iris@2", "model version show iris 2"),
        ("model version update iris@2 --stage staging", "model version update iris 2 --stage staging"),
        ("model version delete iris@2", "model version delete iris 2"),
        ("model version undelete iris@2", "model version undelete iris 2"),
    ],
)
def test_a_model_and_its_version_are_one_word_or_two(line: str, meant: str) -> None:
    assert parsed(line) == parsed(meant)


@pytest.mark.parametrize("line", ["load ranker 9", "diff ranker 9", "why ranker production", "store copy ranker 9"])
def test_two_words_that_can_mean_something_else_stay_two(line: str) -> None:
    assert "@" not in str(parsed(line))


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("list ranker --sort ndcg", "list ranker --sort metadata.ndcg"),
        ("list ranker --sort -ndcg", "list ranker --sort desc:metadata.ndcg"),
        ("list ranker 'ndcg>0.41'", "list ranker metadata.ndcg=gt:0.41"),
        ("list ranker 'ndcg >= 0.42'", "list ranker metadata.ndcg=gte:0.42"),
        ("list ranker ndcg=0.42", "list ranker metadata.ndcg=0.42"),
        ("list stage:production", "list stage=production"),
        ("list ranker 'stage!=production'", "list ranker stage=notequals:production"),
    ],
)
def test_a_filter_or_an_order_in_the_spelling_of_other_tools_lists_the_same(
    line: str, meant: str, registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    understood = printed(capsys, line)
    assert understood == printed(capsys, meant)
    assert understood[0] == 0


# -- words of other tools --------------------------------------------------------------------------------------------


def command_exists(words: list[str]) -> bool:
    """Return whether the first words of a line lead to a command."""
    ctx = click.Context(main.cli)
    for word in words:
        found = ctx.command.get_command(ctx, word) if isinstance(ctx.command, click.Group) else None
        if found is None:
            return not isinstance(ctx.command, click.Group)
        ctx = click.Context(found, parent=ctx)
    return not isinstance(ctx.command, click.Group)


@pytest.mark.parametrize("word", other_tools.COMMANDS)
def test_a_word_of_another_tool_names_commands_that_exist(word: str) -> None:
    assert word not in main.COMMANDS, "it is a command now: take it out of the table"
    lines = re.findall(r"`gitreg (.*?)`", other_tools.COMMANDS[word])
    assert all(command_exists(re.sub(r"[{\[].*", "", line).split()) for line in lines), lines


def test_an_option_of_another_tool_names_options_that_exist() -> None:
    known = {name for _, command in all_commands(main.cli) for parameter in command.params for name in parameter.opts}
    named = {name for meant in other_tools.OPTIONS.values() if not isinstance(meant, str) for name in meant}
    assert named - known == set()


def all_commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from all_commands(command)


def test_a_guide_that_is_spelled_wrong_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    topic = guides.TOPICS[0]
    code, _, err = printed(capsys, f"help {topic[:-1]}{topic[-1] * 2}")
    assert (code, f"did you mean `gitreg help {topic}`?" in err) == (2, True)


# -- a first week, by the program itself -----------------------------------------------------------------------------


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    return make_person(tmp_path)


def answer(person: Person, *words: str | Path, code: int) -> tuple[str, str]:
    """Return the problem and the remedy that a call prints, of its two lines."""
    message, *hint = person.gitreg(*words, code=code).err.splitlines()
    return message.removeprefix("error: "), "".join(hint).removeprefix(" hint: ")


@pytest.mark.slow
def test_a_newcomer_outside_of_any_registry_reads_how_to_make_or_name_one(ada: Person, tmp_path: Path) -> None:
    message, hint = answer(ada, "list", code=3)
    assert message == f"no Git repository at {ada.here} or above it"
    assert "name one by --repo or GITREG_REGISTRY; `gitreg init` makes a registry" in hint
    ada.git("init", "--quiet", tmp_path / "code")
    message, hint = answer(ada.at(tmp_path / "code"), "save", "iris", ".", code=3)
    assert message == f"there is no registry in {tmp_path / 'code'}"
    assert hint == "name one by --repo or GITREG_REGISTRY; `gitreg init` makes one here"


@pytest.mark.slow
def test_a_newcomer_without_name_remote_or_extra_reads_what_to_set_up(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    write(there.here, {"model.bst": "weights"})
    nobody = replace(there, env={name: value for name, value in there.env.items() if "GIT_" not in name})
    message, hint = answer(nobody, "save", "iris", "model.bst", code=2)
    assert message == "git does not know who you are"
    assert "git config --global user.name" in hint
    assert answer(there, "push", code=4)[0] == "this registry has no remote"
    message, hint = answer(there, "init", tmp_path / "other", "--store", "ftp://host/x", code=2)
    assert message.startswith("gitreg does not open ftp:// stores; known: file, s3, gs,")
    assert hint == "give an absolute path, or a URL like s3://bucket/folder"


@pytest.mark.slow
def test_a_store_that_this_user_does_not_trust_is_named_with_the_command_that_trusts_it(
    ada: Person, tmp_path: Path
) -> None:
    ada.gitreg("init", tmp_path / "registry", "--store", tmp_path / "store")
    there = ada.at(tmp_path / "registry")
    write(there.here, {"model.bst": "weights"})
    there.gitreg("save", "iris", "model.bst")
    home = str(write(tmp_path / "bob", {".keep": ""}))
    bob = ada.with_env(HOME=home, XDG_CONFIG_HOME=home)
    bob.git("clone", "--quiet", there.here, tmp_path / "clone")
    message, hint = answer(bob.at(tmp_path / "clone"), "load", "iris", code=4)
    assert "not trusted" in message
    assert "`gitreg trust" in hint


@pytest.mark.slow
def test_an_answer_is_copied_into_a_shell_as_it_stands(ada: Person, tmp_path: Path) -> None:
    ada.gitreg("init", tmp_path / "registry")
    there = ada.at(tmp_path / "registry")
    write(there.here, {"model.bst": "weights"})
    there.gitreg("save", "my $ranker's", "model.bst")
    wrong = there.run("sh", "-c", """git reg show "my \\$rankr's@1" """)
    line = re.search(r"did you mean `(.*)`\?", wrong.err)
    assert line is not None
    assert line[1].startswith("git reg show ")
    assert "my $ranker's@1" in there.run("sh", "-c", line[1]).out
    assert "the reference is empty" in there.run("sh", "-c", 'gitreg show "$UNSET"').err
