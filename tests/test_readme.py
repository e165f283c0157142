"""The README's session runs as it is printed there, and its other promises hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitreg

README = Path(__file__).parents[1] / "README.md"
_MASKS = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"\b[0-9a-f]{10}\b"), "COMMIT"),
    (re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}"), "WHEN"),
)


def _session() -> Iterator[tuple[str, str]]:
    """Give each command of the console session with what the README says it prints."""
    block = re.search(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    for part in block[1].split("$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.slow
def test_the_session_prints_what_the_readme_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "model.bst").write_bytes(b"not really a model\n")
    (home / "vocabulary.txt").write_bytes(b"first second")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GIT", "XDG"))}
    env |= {
        "HOME": str(home),
        "GITREG_CACHE": str(tmp_path / "cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_AUTHOR_NAME": "Ada Lovelace",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada Lovelace",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "LC_ALL": "C.UTF-8",
    }
    folder = home
    for command, expected in _session():
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
            continue
        done = subprocess.run(command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), command
        assert _masked(done.stdout.replace(str(home), "/home/ada")) == _masked(expected), command


def test_the_commands_of_a_fresh_machine_are_the_ones_that_ci_runs() -> None:
    commands = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv .venv")]
    assert len(commands) == 2
    assert commands[0].endswith("gitreg demo")
    assert commands[1].endswith("pytest")


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


ROOT = README.parent


def test_the_floors_that_the_architecture_shows_are_those_that_lint_imports_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = [
        layer.replace("gitreg.", "")
        for contract in contracts
        if contract["type"] == "layers"
        for layer in contract["layers"]
    ]
    blocks = re.findall(r"```\n(.*?)```", (ROOT / "schemas" / "ARCHITECTURE.md").read_text(), re.DOTALL)
    shown = [re.split(" {2,}", line)[0] for block in blocks for line in block.splitlines() if line]
    assert shown == held


def test_the_modules_that_contributors_read_of_are_there() -> None:
    pages = [ROOT / "schemas" / "ARCHITECTURE.md", *(ROOT / "schemas" / "decisions").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"`([a-z_]+/[a-z_/.]+)`", page.read_text())}
    assert len(named) > 10
    package = Path(gitreg.__file__).parent
    folders = (ROOT, package.parent, package)
    lost = [
        name
        for name in named
        if not any((folder / each).exists() for folder in folders for each in (name, f"{name}.py"))
    ]
    assert lost == ["gitreg/lock"]  # a file in the Git folder
