"""What gc takes and what it leaves: by age, by branch, beside a save, and not at all where it cannot tell."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.system.world import Person, assert_sound, blob, commit_by_hand, record_path, store_of, write

pytestmark = pytest.mark.slow


def digests(person: Person, reference: str) -> set[str]:
    files = person.gitreg("show", reference, "--json").data["artifacts"]["model"]["files"]
    return {entry["sha256"] for entry in files.values()}


@pytest.fixture
def two(registry: Person, tmp_path: Path) -> Person:
    """Two versions that share one file."""
    for version in ("1", "2"):
        weights = write(tmp_path / version, {"own.bin": f"own {version}", "shared.bin": "shared"})
        registry.gitreg("save", "iris", weights)
    return registry


def test_a_deleted_versions_own_files_go_after_the_grace_and_the_shared_ones_stay(two: Person) -> None:
    own = digests(two, "iris@1") - digests(two, "iris@2")
    assert two.gitreg("gc", "--apply", "--grace", "0", "--json").data == []
    two.gitreg("model", "version", "delete", "iris", "1")
    assert two.gitreg("gc", "--apply", "--json").data == [], "they were saved a moment ago"
    shown = two.gitreg("gc", "--grace", "0", "--json").data
    assert {(row["sha256"], row["removed"]) for row in shown} == {(digest, False) for digest in own}
    store = store_of(two.here)
    assert all(blob(store, digest).exists() for digest in own)
    two.gitreg("gc", "--apply", "--grace", "0")
    assert not any(blob(store, digest).exists() for digest in own)
    two.gitreg("verify", "--deep")
    assert_sound(two)


@pytest.mark.parametrize("where", ["branch", "tag", "remote branch"])
def test_weights_of_a_record_on_another_branch_or_tag_stay(two: Person, where: str) -> None:
    kept = digests(two, "iris@2")
    proposal = two.git("rev-parse", "main")
    refs = {"branch": "refs/heads/proposal", "tag": "refs/tags/keep", "remote branch": "refs/remotes/origin/main"}
    two.git("update-ref", refs[where], proposal)
    two.git("reset", "-q", "--hard", "HEAD~1")
    two.git("tag", "-d", "models/iris@2")
    assert two.gitreg("show", "iris", "--json").data["version"] == "1"
    assert two.gitreg("gc", "--apply", "--grace", "0", "--json").data == []
    assert all(blob(store_of(two.here), digest).exists() for digest in kept)
    two.git("update-ref", "-d", refs[where])
    assert len(two.gitreg("gc", "--apply", "--grace", "0", "--json").data) == 1


def test_a_record_that_cannot_be_read_stops_gc_in_words_and_nothing_is_removed(two: Person) -> None:
    two.gitreg("model", "version", "delete", "iris", "1")
    commit_by_hand(two, "main", {record_path("iris", "2"): "artifacts: ["})
    before = sorted(store_of(two.here).rglob("*"))
    ended = two.gitreg("gc", "--apply", "--grace", "0", code=1)
    assert record_path("iris", "2") in ended.err
    assert sorted(store_of(two.here).rglob("*")) == before


def test_a_missing_manifest_stops_gc_in_words_and_nothing_is_removed(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "many", {f"{n}": f"{n}" for n in range(1001)})
    registry.gitreg("save", "big", weights)
    manifest = registry.gitreg("show", "big", "--json").data["artifacts"]["model"]["digest"].removeprefix("sha256:")
    blob(store_of(registry.here), manifest).unlink()
    before = sorted(store_of(registry.here).rglob("*"))
    assert "big@1" in registry.gitreg("gc", "--apply", "--grace", "0", code=6).err
    assert sorted(store_of(registry.here).rglob("*")) == before
    registry.gitreg("save", "big", weights)
    registry.gitreg("verify", "--deep", "big@1")


def test_what_a_killed_save_left_behind_goes(two: Person) -> None:
    left = store_of(two.here) / "tmp" / "0123456789abcdef" / "0"
    write(left.parent, {"0": "half"})
    assert [row["kind"] for row in two.gitreg("gc", "--apply", "--grace", "0", "--json").data] == ["temporary"]
    assert not left.exists()


def test_a_save_whose_weights_were_collected_before_its_commit_notices_and_stores_them_again(
    registry: Person, tmp_path: Path, weights: Path
) -> None:
    lock = registry.here / ".git" / "gitreg" / "lock"
    with FileLock(lock):  # as another writer would hold it
        saver = registry.start("gitreg", "save", "iris", weights)
        wait_for(lambda: len(blobs(registry)) == 2)
        time.sleep(1.1)
        gone = registry.gitreg("gc", "--apply", "--grace", "1", "--json").data
        assert len(gone) == 2, "no record means them yet"
        assert saver.poll() is None
    out, err = saver.communicate(timeout=60)
    assert (saver.returncode, err) == (0, ""), out
    registry.gitreg("verify", "--deep", "iris@1")
    assert_sound(registry)


def test_saving_beside_collections_with_a_short_grace_loses_nothing(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "weights", {f"{n}.bin": f"weights {n}" for n in range(20)})
    registry.gitreg("save", "iris", weights)
    collector = registry.start(sys.executable, "-c", COLLECT)
    try:
        for turn in range(2):
            write(weights, {f"{n}.bin": f"{turn} weights {n}" for n in range(20)})
            saver = registry.start(sys.executable, "-c", SAVE, str(weights))
            out, err = saver.communicate(timeout=200)
            assert (saver.returncode, out, err) == (0, "", "")
        assert collector.poll() is None, collector.communicate()
    finally:
        collector.kill()
        collector.communicate()
    registry.gitreg("verify", "--deep")
    assert_sound(registry)


COLLECT = """
import sys; from gitreg import Registry
with Registry.open(".") as registry:
    while True:
        list(registry.collect_garbage(grace=3, apply=True))
"""
SAVE = """
import sys; from gitreg import Registry
with Registry.open(".") as registry:
    for n in range(30):
        registry.save("iris", sys.argv[1])
"""


def blobs(person: Person) -> list[Path]:
    return [path for path in (store_of(person.here) / "sha256").rglob("*") if path.is_file()]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
