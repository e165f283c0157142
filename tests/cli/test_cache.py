"""``gitreg cache``, ``gitreg cat`` and ``gitreg load --link`` as their users meet them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, write


@pytest.mark.slow
def test_the_cache_is_listed_with_the_versions_that_it_holds(writer: Person) -> None:
    assert writer.gitreg("cache", "list").out == "0 artifacts, 0 B\n"
    folder = writer.gitreg("load", "iris@1.1").out.strip()
    [row] = writer.gitreg("cache", "list", "-o", "json").data
    assert row["digest"] == f"sha256:{Path(folder).name}"
    assert (row["size"], row["files"], row["versions"]) == (16, 2, ["iris@1.1"])
    assert "iris@1.1" in writer.gitreg("cache", "list").out


@pytest.mark.slow
def test_outside_of_a_registry_the_cache_is_listed_all_the_same(writer: Person, tmp_path: Path) -> None:
    writer.gitreg("load", "iris")
    (tmp_path / "elsewhere").mkdir()
    [row] = writer.at(tmp_path / "elsewhere").gitreg("cache", "list", "--json").data
    assert row["versions"] == []
    writer.gitreg("--repo", tmp_path / "elsewhere", "cache", "list", code=3)


def test_what_was_used_today_is_pruned_only_on_request(writer: Person) -> None:
    folder = Path(writer.gitreg("load", "iris").out.strip())
    said = writer.gitreg("cache", "prune", "--to", "0").out
    assert "Removed 0 artifacts" in said
    assert "16 B stay, handed out within a day" in said
    assert folder.is_dir()
    [row] = writer.gitreg("cache", "prune", "--all", "--json").data
    assert (row["files"], row["size"]) == (2, 16)
    assert not folder.exists()
    assert Path(writer.gitreg("load", "iris").out.strip()) == folder


def test_damage_in_the_cache_is_found_removed_and_mended(writer: Person) -> None:
    folder = Path(writer.gitreg("load", "iris").out.strip())
    assert writer.gitreg("cache", "verify", "--json").data[0]["ok"] is True
    (folder / "model.bin").chmod(0o644)
    (folder / "model.bin").write_text("bitter weights")
    answer = writer.gitreg("cache", "verify", "-o", "json", code=6)
    assert answer.data[0]["damaged"] == ["model.bin"]
    assert not folder.exists()
    writer.gitreg("load", "iris")
    assert (folder / "model.bin").read_text() == "better weights"


@pytest.mark.parametrize("size", ["much", "-1", "5 apples", "1e3"])
def test_a_size_that_is_none_is_refused_by_its_name(writer: Person, size: str) -> None:
    assert "--to" in writer.gitreg("cache", "prune", "--to", size, code=2).err
    limited = writer.with_env(GITREG_CACHE_SIZE=size)
    assert "GITREG_CACHE_SIZE" in limited.gitreg("load", "iris", code=2).err


def test_the_caches_size_is_told_by_the_environment(writer: Person) -> None:
    limited = writer.with_env(GITREG_CACHE_SIZE="20 B")
    first = Path(limited.gitreg("load", "iris@1").out.strip())
    for memo in (Path(writer.env["GITREG_CACHE"]) / "memos").iterdir():
        os.utime(memo, (0, 0))
    limited.gitreg("load", "iris@1.1")
    assert not first.exists()


def test_a_cache_whose_name_is_relative_lies_below_the_current_folder(writer: Person, other_disk: Path) -> None:
    near = writer.with_env(GITREG_CACHE="cache")
    near.gitreg("load", "iris", other_disk / "linked", "--link")
    assert (other_disk / "linked" / "model.bin").read_text() == "better weights"
    assert (writer.here / "cache" / "artifacts").is_dir()


def test_a_cache_that_is_not_there_is_empty(writer: Person, tmp_path: Path) -> None:
    without = writer.with_env(GITREG_CACHE=str(tmp_path / "none"))
    assert without.gitreg("cache", "list").out == "0 artifacts, 0 B\n"
    assert "Removed 0 artifacts" in without.gitreg("cache", "prune").out
    without.gitreg("cache", "verify")


@pytest.mark.slow
def test_cat_prints_a_file_byte_for_byte(writer: Person, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "bytes").write_bytes(data)
    writer.gitreg("save", "bytes", tmp_path / "bytes")
    command = [str(PROGRAMS / "gitreg"), "cat", "bytes@1:bytes"]
    assert subprocess.run(command, cwd=writer.here, env=writer.env, capture_output=True, check=True).stdout == data
    shell = f"{' '.join(command)} | head -c 1000"
    cut = subprocess.run(shell, shell=True, cwd=writer.here, env=writer.env, capture_output=True, check=True)
    assert (cut.stdout, cut.stderr) == (data[:1000], b"")


@pytest.mark.parametrize(("code", "file"), [(2, "iris"), (2, "iris@1:"), (3, "iris@9:x"), (3, "iris@1:nothing")])
def test_cat_says_what_is_wrong(reader: Person, code: int, file: str) -> None:
    assert reader.gitreg("cat", file, code=code).out == ""


@pytest.mark.slow
def test_cat_prints_nothing_of_a_damaged_file(writer: Person, tmp_path: Path) -> None:
    write(tmp_path, {"one": "a text" * 1000})
    writer.gitreg("save", "one", tmp_path / "one")
    [blob] = [
        path
        for path in (writer.here / ".git" / "gitreg" / "store" / "sha256").rglob("*")
        if path.is_file() and path.stat().st_size == 6000
    ]
    blob.chmod(0o644)
    blob.write_text("a text" * 999 + "a next")
    assert writer.gitreg("cat", "one@1:one", code=6).out == ""


def test_links_are_made_on_request(writer: Person, tmp_path: Path) -> None:
    writer.gitreg("load", "iris", tmp_path / "linked", "--link")
    cached = Path(writer.gitreg("load", "iris").out.strip())
    assert (tmp_path / "linked" / "model.bin").samefile(cached / "model.bin")
    writer.gitreg("load", "iris", "--link", code=2)
