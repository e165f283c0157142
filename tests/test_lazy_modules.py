"""Lazy packages: a module is imported when it is first used, and not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.lazy_modules import import_on_use
from gitreg.registry import weights

LAZY = """from typing import TYPE_CHECKING
from gitreg.lazy_modules import import_on_use
if not TYPE_CHECKING:
    __getattr__ = import_on_use(__name__)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a lazy package with a sound module, and one that imports something missing."""
    name = "lazy_package_of_a_test"
    (tmp_path / name).mkdir()
    for stem, text in (("__init__", LAZY), ("sound", "VALUE = 1\n"), ("broken", "import nothing_of_this_name\n")):
        (tmp_path / name / f"{stem}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_a_module_is_imported_at_its_first_use_only() -> None:
    code = """import sys
from gitreg.registry import weights
assert "gitreg.registry.weights.claims" not in sys.modules
assert weights.claims.Claims is sys.modules["gitreg.registry.weights.claims"].Claims
assert "gitreg.registry.weights.garbage" not in sys.modules"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_module_that_the_package_has_not_is_no_attribute_of_it() -> None:
    assert not hasattr(weights, "no_such_module")
    with pytest.raises(ImportError, match="cannot import name 'no_such_module'"):
        exec("from gitreg.registry.weights import no_such_module")


def test_an_error_inside_of_a_module_is_not_hidden(package: str) -> None:
    get_module = import_on_use(package)
    assert get_module("sound").VALUE == 1
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        get_module("broken")
