"""The promises of README.md hold, and of what it sends contributors to; its blocks run in ``test_guides``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import gitreg
from gitreg import guides

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def test_it_fits_in_160_lines_and_names_every_guide() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 160
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert {f"gitreg/guides/{topic}.md" for topic in guides.TOPICS} <= set(links)
    if (ROOT / "gitreg").is_dir():  # not where the wheel is tested, beside the tests alone
        assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_commands_of_a_fresh_machine_are_the_ones_that_ci_runs() -> None:
    commands = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv .venv")]
    assert len(commands) == 2
    assert commands[0].endswith("gitreg demo")
    assert commands[1].endswith("pytest")


def test_the_layers_that_the_architecture_shows_are_those_that_lint_imports_holds() -> None:
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
