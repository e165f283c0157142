"""What may be saved and loaded, and that it comes back as it was; what may not is refused with its path named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.system.world import Person, commit_by_hand, contents, record_path, store_of, write


@pytest.mark.slow
def test_dotfiles_empty_files_and_the_executable_bit_come_back(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "weights", {".hidden": "h", "a/.b/c": "c", "empty": "", "run.sh": "#!/bin/sh\n"})
    (weights / "run.sh").chmod(0o755)
    registry.gitreg("save", "iris", weights)
    registry.gitreg("load", "iris", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(weights)
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    cached = Path(registry.gitreg("load", "iris").out.strip())
    assert {name: data for name, (data, _) in contents(cached).items()} == {
        name: data for name, (data, _) in contents(weights).items()
    }
    assert not any(mode & 0o222 for _, mode in contents(cached).values()), "the cache's files are read-only"


@pytest.mark.slow
def test_what_is_done_to_a_loaded_folder_reaches_neither_cache_nor_store(
    registry: Person, tmp_path: Path, weights: Path
) -> None:
    registry.gitreg("save", "iris", weights)
    registry.gitreg("load", "iris", tmp_path / "out")
    write(tmp_path / "out", {"model.bin": b"mine now", "more": "x"})
    registry.gitreg("verify", "--deep")
    registry.gitreg("load", "iris", tmp_path / "again")
    assert contents(tmp_path / "again") == contents(weights)
    ended = registry.gitreg("load", "iris", tmp_path / "out", code=4)
    assert "model.bin" in ended.err
    assert (tmp_path / "out" / "model.bin").read_bytes() == b"mine now"


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["link out", "link to a folder", "link to nothing", "pipe", "CON.txt", "a:b"])
def test_what_cannot_travel_is_refused_on_save_with_its_path(registry: Person, weights: Path, wrong: str) -> None:
    if wrong.startswith("link"):
        targets = {"link out": "/etc/passwd", "link to a folder": "..", "link to nothing": "nowhere"}
        (weights / "odd").symlink_to(targets[wrong])
    elif wrong == "pipe":
        os.mkfifo(weights / "odd")
    else:
        write(weights, {wrong: "x"})
    ended = registry.gitreg("save", "iris", weights, code=2)
    assert (wrong if wrong in ("CON.txt", "a:b") else "odd") in ended.err
    assert registry.gitreg("list", "--json", code=3).data["total"] == 0


def test_names_that_differ_only_in_case_are_refused_on_save(registry: Person, weights: Path) -> None:
    write(weights, {"MODEL.bin": b"another"})
    ended = registry.gitreg("save", "iris", weights, code=2)
    assert "'MODEL.bin'" in ended.err
    assert "'model.bin'" in ended.err


@pytest.mark.slow
def test_a_path_that_is_not_there_is_an_error_and_saves_nothing(registry: Person, tmp_path: Path) -> None:
    assert "nowhere" in registry.gitreg("save", "iris", tmp_path / "nowhere", code=3).err
    assert registry.gitreg("list", "--json", code=3).data["total"] == 0


HOSTILE = {
    "climbing": "../../escaped",
    "absolute": "{tmp}/escaped",
    "climbing inside": "a/../../escaped",
    "backslash": "..\\escaped",
    "device": "aux.txt",
    "drive": "C:escaped",
    "dot": "./escaped",
    "control": "esc\\u001b[31maped",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_path_in_a_record_written_by_hand_is_refused_on_load_and_nothing_is_written(
    registry: Person, tmp_path: Path, weights: Path, kind: str
) -> None:
    registry.gitreg("save", "iris", weights)
    file = record_path("iris", "1")
    path = HOSTILE[kind].format(tmp=tmp_path)
    record = (registry.here / file).read_text()
    assert "model.bin:" in record
    quoted = f'"{path}":' if kind == "control" else f"'{path}':"
    commit_by_hand(registry, "main", {file: record.replace("model.bin:", quoted)})
    before = {entry for entry in tmp_path.rglob("*") if ".git" not in entry.parts and "cache" not in entry.parts}
    for dest in ([], [str(tmp_path / "deep" / "er" / "out")]):
        ended = registry.run("gitreg", "load", "iris@1", *dest)
        assert ended.code in (1, 2, 3, 4, 6)
        assert "Traceback" not in ended.err
        assert len(ended.err.splitlines()) <= 3
        assert "\x1b" not in ended.err
    after = {entry for entry in tmp_path.rglob("*") if ".git" not in entry.parts and "cache" not in entry.parts}
    assert {entry for entry in after - before if entry.is_file()} == set()
    problems = registry.doctor_says()
    assert any(problem["where"] == file for problem in problems), problems


@pytest.mark.slow
def test_a_folder_of_more_than_a_thousand_files_goes_through_everything(registry: Person, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {f"part/{n // 100}/{n}.bin": f"{n}" for n in range(1500)}
    weights = write(tmp_path / "weights", files)
    registry.gitreg("save", "big", weights)
    record = (registry.here / record_path("big", "1")).read_text()
    assert len(record) < 2_000, "the record holds the manifest's digest, not 1,500 lines"
    write(weights, {"part/0/0.bin": "changed", "new.bin": "new"})
    (weights / "part/14/1499.bin").unlink()
    registry.gitreg("save", "big", weights)
    diff = registry.gitreg("diff", "big@1", "big@2", "--json").data
    assert {(row["path"], row["change"]) for row in diff["files"]} == {
        ("part/0/0.bin", "changed"),
        ("new.bin", "added"),
        ("part/14/1499.bin", "removed"),
    }
    registry.gitreg("load", "big@2", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(weights)
    assert len(registry.gitreg("verify", "--deep", "--json").data["files"]) == 3000
    assert registry.gitreg("gc", "--apply", "--grace", "0", "--json").data == []
    assert registry.doctor_says() == []
    registry.gitreg("model", "version", "delete", "big", "1")
    gone = registry.gitreg("gc", "--apply", "--grace", "0", "--json").data
    assert sorted(item["key"].partition("/")[0] for item in gone) == ["packs", "sha256"], "its pack and its manifest"
    registry.gitreg("load", "big@2")
    assert registry.gitreg("verify", "--deep", "--json").data["files"]


@pytest.mark.slow
def test_the_same_content_is_stored_once_and_the_same_version_again_is_a_success(
    registry: Person, weights: Path
) -> None:
    registry.gitreg("save", "iris@a", weights)
    head, blobs = registry.git("rev-parse", "HEAD"), sorted(store_of(registry.here).rglob("*"))
    again = registry.gitreg("save", "iris@a", weights, "--json").data
    assert again["changed"] is False
    assert registry.git("rev-parse", "HEAD") == head
    registry.gitreg("save", "iris@b", weights)
    registry.gitreg("save", "other", weights)
    assert sorted(store_of(registry.here).rglob("*")) == blobs
