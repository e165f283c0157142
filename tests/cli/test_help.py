from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from gitreg import guides
from gitreg.cli.commands.help import command, complete_topic
from gitreg.cli.main import cli, run
from tests.system.terminal import at_a_terminal, plain
from tests.system.world import Person


def test_a_guide_in_a_pipe_is_its_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "start"]) == 0
    assert capsys.readouterr().out == guides.source("start")


def test_a_command_and_a_subcommand_have_the_help_that_their_option_shows(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["promote"], ["store", "add"], ["model", "version", "delete"]):
        assert run(["help", *words]) == 0
        shown = capsys.readouterr().out
        assert run([*words, "--help"]) == 0
        assert capsys.readouterr().out == shown


def test_without_a_topic_all_commands_and_guides_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    out = capsys.readouterr().out
    assert "promote " in out
    assert all(guides.title(topic)[:20] in out for topic in guides.TOPICS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["strat"], "no guide and no command is called 'strat'\n hint: did you mean `gitreg help start`?"),
        (["store", "ad"], "gitreg store has no command 'ad'\n hint: did you mean `gitreg help store add`?"),
        (["promote", "staging"], "gitreg promote has no command 'staging'\n hint: see `gitreg promote --help`"),
    ],
)
def test_an_unknown_topic_is_answered_with_similar_ones(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["help", *words]) == 2
    assert message in capsys.readouterr().err


def test_topics_commands_and_subcommands_are_completed() -> None:
    ctx = click.Context(command, parent=click.Context(cli, info_name="gitreg"))
    parameter = command.params[0]
    assert [item.value for item in complete_topic(ctx, parameter, "sta")] == ["start"]
    assert "promote" in [item.value for item in complete_topic(ctx, parameter, "")]
    ctx.params["topic"] = ("store",)
    assert [item.value for item in complete_topic(ctx, parameter, "a")] == ["add"]


@pytest.mark.slow
def test_a_guide_on_a_terminal_is_rendered_and_paged_where_it_is_longer(reader: Person, tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    person = reader.with_env(PAGER=str(pager))
    for lines, paged in ((1000, False), (20, True)):
        shown = at_a_terminal(person, "help", "start", rows=lines)
        assert ("paged" in shown) is paged
        assert "\x1b[" in shown
        assert "$ gitreg save ranker" in plain(shown)
        assert "```" not in plain(shown)
    assert "paged" in at_a_terminal(person, "help", rows=20)
    assert "paged" not in at_a_terminal(person, "help", rows=200)


@pytest.mark.slow
def test_lines_of_code_in_a_guide_are_not_broken_on_a_narrow_terminal(reader: Person) -> None:
    person = reader.with_env(PAGER="cat")
    for topic in ("start", "policies"):
        shown = plain(at_a_terminal(person, "help", topic, columns=80)).splitlines()
        for block in re.findall(r"^```[^\n]*\n(.*?)^```$", guides.source(topic), re.DOTALL | re.MULTILINE):
            assert [line for line in block.splitlines() if f"  {line}".rstrip() not in shown] == []
        assert any(len(line) > 80 for line in shown)
