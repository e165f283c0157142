"""``gitreg.load`` and ``gitreg.load_object``: one call, nothing left open."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

import gitreg
from gitreg import InvalidInput, NotFound, Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def url(one: Registry, hub: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a registry with a version of files and one of an object; the current folder belongs to none."""
    one.save("iris", weights, stage="production")
    one.save("labels", ["setosa", {"code": 2}], stage="production")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return f"file://{hub}"


def test_a_url_and_a_reference_are_enough(url: str, weights: Path) -> None:
    folder = gitreg.load(url, "iris@production")
    assert (folder / weights.name).read_bytes() == weights.read_bytes()
    assert gitreg.load_object(url, "labels@production") == ["setosa", {"code": 2}]


def test_the_files_go_where_the_caller_says(url: str, weights: Path, tmp_path: Path) -> None:
    assert gitreg.load(url, "iris", dest=tmp_path / "mine", file="*.bin") == tmp_path / "mine"
    assert (tmp_path / "mine" / weights.name).read_bytes() == weights.read_bytes()


def test_each_call_sees_what_was_promoted_since(url: str, one: Registry, tmp_path: Path) -> None:
    before = gitreg.load(url, "iris@production")
    (tmp_path / "new.bin").write_text("new")
    one.promote(one.save("iris", tmp_path / "new.bin").reference, "production", force=True)
    assert [path.name for path in before.iterdir()] == ["model.bin"]
    assert [path.name for path in gitreg.load(url, "iris@production").iterdir()] == ["new.bin"]


def test_the_registry_may_be_that_of_the_folder_or_of_the_environment(
    url: str, one: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound, match="no Git repository"):
        gitreg.load("iris@production")
    monkeypatch.setenv("GITREG_REGISTRY", url)
    assert [path.name for path in gitreg.load("models:/iris@production").iterdir()] == ["model.bin"]
    monkeypatch.delenv("GITREG_REGISTRY")
    monkeypatch.chdir(one.folder)
    assert [path.name for path in gitreg.load("iris").iterdir()] == ["model.bin"]
    assert gitreg.load_object("labels")[0] == "setosa"


def test_a_url_alone_is_answered_with_what_is_missing(url: str) -> None:
    with pytest.raises(InvalidInput, match="names a registry and no version") as raised:
        gitreg.load(url)
    assert raised.value.hint == "name both: load(URL, 'iris@production')"


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc to count open files by")
def test_nothing_stays_open(url: str) -> None:
    gitreg.load(url, "iris@production")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        gitreg.load(url, "iris@production")
        with pytest.raises(NotFound):
            gitreg.load(url, "nobody@production")
    assert len(os.listdir("/proc/self/fd")) <= before
