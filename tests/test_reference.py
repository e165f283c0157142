"""The API reference: every public name is on its page, and no docstring shows as raw text."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

import gitreg
from tests.test_public_names import PUBLIC, own_functions

pytest.importorskip("pdoc")
from tests.reference import CONSTRUCTED, FIRST, build

INSIDE = [f"gitreg.{package}." for package in ("blobs", "git", "policy", "registry", "sdk")]
"""Packages that are not for users: what their docstrings say of a public name has to stand in that name's own."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page's HTML."""
    folder = tmp_path_factory.mktemp("reference")
    build(folder)
    return (folder / "gitreg.html").read_text("utf-8")


@pytest.fixture(scope="module")
def text(page: str) -> str:
    """Return the page as a reader sees it, without its code blocks."""
    seen = re.sub(r"<(style|script|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", seen))


@pytest.mark.slow
def test_every_public_name_and_method_is_on_the_page(page: str) -> None:
    shown = set(re.findall(r'id="([\w.]+)"', page))
    assert set(gitreg.__all__) <= shown
    for name, value in PUBLIC.items():
        if isinstance(value, type):
            own = {each.__name__ for each in own_functions(value) if each.__qualname__.startswith(f"{name}.")}
            assert {f"{name}.{each}" for each in own if not each.startswith("_")} <= shown
    assert {f"{name}.__init__" for name in CONSTRUCTED} <= shown


@pytest.mark.slow
def test_nothing_private_is_on_the_page(page: str) -> None:
    shown = set(re.findall(r'id="([\w.]+)"', page))
    assert {each for each in shown if re.search(r"(^|\.)_", each)} == {f"{name}.__init__" for name in CONSTRUCTED}


@pytest.mark.slow
@pytest.mark.parametrize(
    "raw", ["::", "----", "`", ":func:", ":class:", ":meth:", ":mod:", ":attr:", "Alias for field"]
)
def test_no_docstring_shows_as_raw_text(raw: str, text: str) -> None:
    assert [text[max(0, at.start() - 80) : at.end() + 80] for at in re.finditer(re.escape(raw), text)] == []


def test_the_names_that_come_first_are_public() -> None:
    assert set(FIRST) <= set(gitreg.__all__)
    assert set(gitreg.__all__) >= CONSTRUCTED


@pytest.mark.slow
def test_one_command_writes_it(tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "tests.reference", str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path / 'gitreg.html'}\n"
    assert done.stderr == ""
