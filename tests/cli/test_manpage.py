from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from gitreg import guides
from gitreg.cli.main import cli
from gitreg.cli.manpage import command_page, pages, write
from gitreg.sdk.environment import VARIABLES


def test_there_is_a_page_for_the_commands_under_both_names_and_one_for_each_guide() -> None:
    of_guides = [f"man7/gitreg-{topic}.7" for topic in guides.TOPICS]
    assert sorted(pages()) == sorted(["man1/git-reg.1", "man1/gitreg.1", *of_guides])


def test_the_page_of_the_commands_has_each_command_but_hidden_ones() -> None:
    page = command_page()
    assert page.count("debug") == 1
    titles = {line.split()[1] for line in page.splitlines() if line.startswith(".SS ")}
    ctx = click.Context(cli)
    commands = {name: cli.get_command(ctx, name) for name in cli.list_commands(ctx)}
    assert titles == {name for name, command in commands.items() if command is not None and not command.hidden}
    assert "gitreg promote ranker@3 staging" in page, "examples"
    assert all(f".B {variable.name}\n" in page for variable in VARIABLES)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_shows_each_page_without_a_warning(tmp_path: Path) -> None:
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    for path in write(tmp_path):
        shown = subprocess.run(
            ["man", "--warnings=w", "-M", tmp_path, path.suffix[1:], path.stem],
            env=env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        warnings = [line for line in shown.stderr.splitlines() if "can't break line" not in line]  # a long URL
        assert warnings == [], path
        assert shown.stdout.startswith("GIT-REG(1)" if path.suffix == ".1" else path.stem.upper()), path
        assert [line for line in shown.stdout.splitlines() if line.strip()[:1] in "┌├│└" and len(line) > 80] == [], path
