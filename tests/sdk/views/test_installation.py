from __future__ import annotations

import re
from pathlib import Path

import pytest

import gitreg
from gitreg import guides
from gitreg.sdk.environment import VARIABLES, Environment
from gitreg.sdk.registry import Registry
from gitreg.sdk.views.installation import describe

PACKAGE = Path(gitreg.__file__).parent
NAMED = re.compile(r"(?<![A-Z_])GITREG_[A-Z_]+")
KIND_BY_CODE = {"GITREG_"}
"""Written as f"GITREG_{kind}" in the code: GITREG_STAGE or GITREG_ALIAS."""


def test_each_variable_that_the_code_names_is_in_the_table() -> None:
    files = [
        *PACKAGE.rglob("*.py"),
        *PACKAGE.rglob("*.yml"),
        *PACKAGE.rglob("*.yaml"),
        *(PACKAGE / "hooks").glob("pre-*"),
    ]
    named = {name for path in files for name in NAMED.findall(path.read_text())}
    assert named - KIND_BY_CODE == {variable.name for variable in VARIABLES}


def test_the_guide_has_each_variable_with_its_meaning_and_default() -> None:
    page = guides.source("environment")
    for variable in VARIABLES:
        row = f"| `{variable.name}` | {variable.meaning} |" + (f" {variable.default} |" if variable.default else "")
        assert row in page.splitlines()


def test_the_registry_is_described_with_why_it_is_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "ada@example.com")
    Registry.init(tmp_path / "shop")[0].close()
    place = {"folder": str(tmp_path / "shop"), "branch": "main", "remote": None, "error": None}
    place["store"] = str(tmp_path / "shop" / ".git" / "gitreg" / "store")
    monkeypatch.chdir(tmp_path / "shop")
    assert _registry() == {**place, "why": "the current folder, upwards"}
    monkeypatch.chdir(tmp_path)
    assert _registry("shop") == {**place, "why": "--repo"}
    assert "no Git repository" in _registry()["error"]
    monkeypatch.setenv("GITREG_REGISTRY", "shop")
    assert _registry() == {**place, "why": "GITREG_REGISTRY"}


def test_logins_and_tokens_are_left_out_and_no_remote_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITREG_REGISTRY", "https://ada:secret@host.invalid/shop.git")
    monkeypatch.setenv("GITREG_PUSH_TOKEN", "secret")
    facts = describe(Environment.of_this_process(), None)
    assert "secret" not in str(facts)
    assert facts["registry"]["folder"] == "https://host.invalid/shop.git"
    assert facts["variables"]["GITREG_PUSH_TOKEN"] == "***"


def test_a_wrong_size_of_the_cache_is_reported_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITREG_CACHE_SIZE", "big")
    facts = describe(Environment.of_this_process(), None)
    assert "big" in facts["cache"]["error"]
    assert facts["gitreg"] == gitreg.__version__


def _registry(repo: str | None = None) -> dict[str, str]:
    registry: dict[str, str] = describe(Environment.of_this_process(), repo)["registry"]
    return registry
