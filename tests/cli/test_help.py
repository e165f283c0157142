from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import click
import pytest

from gitreg import guides
from gitreg.cli.commands.help import command, complete_topic
from gitreg.cli.main import cli, run


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


def on_a_terminal(arguments: list[str], *, lines: int, env: dict[str, str]) -> str:
    """Return what gitreg writes to a terminal of 80 columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        ioctl(0, TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
        os.environ.update(env)
        os.execv(sys.executable, [sys.executable, "-m", "gitreg", *arguments])
    written = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            written += os.read(terminal, 65536)
        except OSError:  # it has ended
            break
    else:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return written.decode()


@pytest.mark.slow
def test_a_guide_on_a_terminal_is_rendered_and_paged_where_it_is_longer(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    env = {"PAGER": str(pager), "TERM": "xterm"}
    for lines, paged in ((1000, False), (20, True)):
        shown = on_a_terminal(["help", "start"], lines=lines, env=env)
        assert ("paged" in shown) is paged
        assert "\x1b[" in shown
        plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
        assert "$ gitreg save ranker" in plain
        assert "```" not in plain
    assert "paged" in on_a_terminal(["help"], lines=20, env=env)
    assert "paged" not in on_a_terminal(["help"], lines=200, env=env)
