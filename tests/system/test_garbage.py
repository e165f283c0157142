"""What gc takes and what it leaves: by age, by branch, beside saves, shifted clocks and kills."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.servers.buckets import Servers
from tests.servers.gitremotes import make_far
from tests.system.world import Person, assert_sound, commit_by_hand, need_strace, record_path, store_of, write

pytestmark = pytest.mark.slow

WEIGHTS = ("sha256", "packs", "recipes")


@pytest.fixture
def two(registry: Person, tmp_path: Path) -> Person:
    """Two versions that share one file and have a pack each."""
    for version in ("1", "2"):
        save(registry, tmp_path / version, f"own {version}")
    return registry


def save(person: Person, where: Path, content: str, model: str = "iris") -> None:
    files: dict[str, bytes | str]
    files = {"a": content, "b": f"{content} too", "own.bin": content.encode() * (1 << 18), "shared.bin": b"s" * 2**20}
    person.gitreg("save", model, write(where, files))


def weights_in(store: Path) -> set[str]:
    return {
        path.relative_to(store).as_posix()
        for folder in WEIGHTS
        for path in (store / folder).rglob("*")
        if path.is_file()
    }


def gc(person: Person, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.gitreg("gc", *arguments, "--json").data
    return found


def assert_all_load(person: Person, where: Path) -> int:
    """Every version loads whole from the store, not from a cache; give their number."""
    fresh = person.with_env(GITREG_CACHE=str(where / "empty-cache"))
    rows = fresh.gitreg("list", "iris", "--size", "500", "--json").data["items"]
    for row in rows:
        fresh.gitreg("load", f"iris@{row['version']}", where / "loaded")
        shutil.rmtree(where / "loaded")
    return len(rows)


# -- one after another -------------------------------------------------------------------------------------------------


def test_a_deleted_versions_own_files_go_after_the_grace_and_the_shared_ones_stay(two: Person) -> None:
    store = store_of(two.here)
    before = weights_in(store)
    assert gc(two, "--apply", "--grace", "0") == []
    two.gitreg("model", "version", "delete", "iris", "1")
    assert gc(two, "--apply") == [], "they were saved a moment ago"
    shown = gc(two, "--grace", "0")
    assert {row["key"].partition("/")[0] for row in shown} == {"packs", "sha256"}
    assert [(row["model"], row["version"], row["reason"], row["done"]) for row in shown] == [
        ("iris", "1", "unused", False)
    ] * 2
    assert weights_in(store) == before
    assert [row["key"] for row in gc(two, "--apply", "--grace", "0")] == [row["key"] for row in shown]
    assert before - weights_in(store) == {row["key"] for row in shown}
    two.gitreg("verify", "--deep")
    assert_sound(two)


def test_what_was_taken_is_returned_by_undo_until_it_is_purged(two: Person) -> None:
    store = store_of(two.here)
    before = weights_in(store)
    two.gitreg("model", "version", "delete", "iris", "1")
    gone = {row["key"] for row in gc(two, "--apply", "--grace", "0")}
    assert gc(two, "--purge") == [], "it was put there a moment ago"
    assert {(row["key"], row["reason"]) for row in gc(two)} == {(key, "trash") for key in gone}
    assert {row["key"] for row in gc(two, "--undo")} == gone
    assert weights_in(store) == before
    gc(two, "--apply", "--grace", "0")
    assert {row["key"] for row in gc(two, "--purge", "--grace", "0")} == gone
    assert gc(two, "--undo") == gc(two) == []
    assert not [path for path in (store / "trash").rglob("*") if path.is_file()]
    two.gitreg("verify", "--deep")


def test_gc_tells_a_person_what_would_go_why_and_what_to_do(two: Person) -> None:
    assert two.gitreg("gc", "--grace", "0").out == "Nothing to collect\n"
    assert two.gitreg("gc", "--undo").out == "Nothing to return\n"
    assert two.gitreg("gc", "--purge").out == "Nothing to remove\n"
    two.gitreg("model", "version", "delete", "iris", "1")
    write(store_of(two.here) / "sha256" / "00", {"0" * 64: b"left"})
    hidden = two.gitreg("gc").out.splitlines()
    assert "within the grace time: version 1 is deleted" in hidden[2]
    assert hidden[-2] == "Nothing to collect yet"
    assert hidden[-1].startswith("Within the grace time: 3 objects, 1.3 MB; the first may go on 20")
    assert {(row["reason"], row["done"]) for row in gc(two)} == {("recent", False)}
    assert gc(two, "--apply") == []
    shown = two.gitreg("gc", "--grace", "0").out
    assert [line.split() for line in shown.splitlines()[2:4]] == [
        ["iris", "version", "1", "is", "deleted", "2", "1.3", "MB"],
        ["no", "record", "names", "it", "1", "4", "B"],
    ]
    assert shown.splitlines()[-1] == "`gitreg gc --apply --grace 0s` would take 3 objects, 1.3 MB"
    assert two.gitreg("gc", "--apply", "--grace", "0").out.endswith("Moved to the trash: 3 objects, 1.3 MB\n")
    shown = two.gitreg("gc").out
    assert "in the trash since 20" in shown
    assert "Nothing to collect\nIn the trash: 3 objects, 1.3 MB, until `gitreg gc --purge`" in shown
    assert "done: false" in two.gitreg("gc", "-o", "yaml").out
    two.gitreg("gc", "--apply", "--undo", code=2)
    assert two.gitreg("gc", "--undo").out.endswith("Returned from the trash: 3 objects, 1.3 MB\n")


@pytest.mark.parametrize("where", ["branch", "tag", "remote branch"])
def test_weights_of_a_record_on_another_branch_or_tag_stay(two: Person, where: str) -> None:
    before = weights_in(store_of(two.here))
    refs = {"branch": "refs/heads/proposal", "tag": "refs/tags/keep", "remote branch": "refs/remotes/origin/main"}
    two.git("update-ref", refs[where], two.git("rev-parse", "main"))
    two.git("reset", "-q", "--hard", "HEAD~1")
    two.git("tag", "-d", "models/iris@2")
    assert two.gitreg("show", "iris", "--json").data["version"] == "1"
    assert gc(two, "--apply", "--grace", "0") == []
    assert weights_in(store_of(two.here)) == before
    two.git("update-ref", "-d", refs[where])
    assert len(gc(two, "--apply", "--grace", "0")) == 2


@pytest.mark.parametrize("option", ["--apply", "--purge"])
def test_a_record_that_cannot_be_read_stops_gc_in_words_and_nothing_is_removed(two: Person, option: str) -> None:
    two.gitreg("model", "version", "delete", "iris", "1")
    commit_by_hand(two, "main", {record_path("iris", "2"): "artifacts: ["})
    before = sorted(store_of(two.here).rglob("*"))
    ended = two.gitreg("gc", option, "--grace", "0", code=1)
    assert record_path("iris", "2") in ended.err
    assert sorted(store_of(two.here).rglob("*")) == before


def test_a_missing_manifest_stops_gc_in_words_and_nothing_is_removed(registry: Person, tmp_path: Path) -> None:
    weights = write(tmp_path / "many", {f"{n}": f"{n}" for n in range(1001)})
    registry.gitreg("save", "big", weights)
    manifest = registry.gitreg("show", "big", "--json").data["artifacts"]["model"]["digest"].removeprefix("sha256:")
    (store_of(registry.here) / "sha256" / manifest[:2] / manifest).unlink()
    before = sorted(store_of(registry.here).rglob("*"))
    assert "big@1" in registry.gitreg("gc", "--apply", "--grace", "0", code=6).err
    assert sorted(store_of(registry.here).rglob("*")) == before
    registry.gitreg("save", "big", weights)
    registry.gitreg("verify", "--deep", "big@1")


# -- beside a save -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purged", [False, True])
def test_a_save_whose_weights_were_collected_before_its_commit_notices_and_has_them_again(
    registry: Person, tmp_path: Path, purged: bool
) -> None:
    weights = write(tmp_path / "weights", {"a": "a", "b": "b", "middle": b"m" * 2**20})
    store = store_of(registry.here)
    with FileLock(registry.here / ".git" / "gitreg" / "lock"):  # as another writer would hold it
        saver = registry.start("gitreg", "save", "iris", weights)
        wait_for(lambda: any((store / "holds").glob("*.json")))
        assert gc(registry, "--apply", "--grace", "0") == [], "the save holds them"
        for hold in (store / "holds").iterdir():
            os.utime(hold, (time.time() - 30 * 86400,) * 2)
        gone = [row["key"] for row in gc(registry, "--apply", "--grace", "0") if row["reason"] == "unused"]
        assert len(gone) == 2, "no record means them yet"
        assert weights_in(store) == set()
        if purged:
            assert len(gc(registry, "--purge", "--grace", "0")) == 2
        assert saver.poll() is None
    out, err = saver.communicate(timeout=60)
    assert (saver.returncode, err) == (0, ""), out
    assert weights_in(store) == set(gone)
    registry.gitreg("verify", "--deep", "iris@1")
    assert_sound(registry)


SAVE = """
import random, sys; from pathlib import Path; from gitreg import Registry
chance, where = random.Random(sys.argv[1]), Path(sys.argv[2])
with Registry.open(".") as registry:
    for turn in range(int(sys.argv[3])):
        for name in ("a", "b", "c", "middle"):
            (where / name).write_bytes(bytes([chance.randrange(3)]) * ((1 << 20) + 1 if name == "middle" else 10))
        version = registry.save("iris", where, metadata={"by": sys.argv[1], "turn": turn})
        if chance.random() < 0.5:
            registry.delete_version(version.reference)
"""
COLLECT = """
import random, sys; from gitreg import Registry
chance = random.Random(sys.argv[1])
with Registry.open(".") as registry:
    while True:
        for _ in range(3):
            registry.collect_garbage(grace=float(sys.argv[2]), apply=True)
        if chance.random() < 0.5:
            registry.return_garbage()
        else:
            registry.purge_garbage(grace=float(sys.argv[2]))
"""


def shifted(days: int) -> list[str]:
    """Give what starts a program whose clock is off; files that it writes bear the disk's own clock's time.

    Not by the program `faketime`: a killed one leaves a semaphore that keeps the next of its number from starting.
    """
    if not days:
        return []
    library = next((str(path) for path in Path("/usr").glob("lib*/**/faketime/libfaketime.so.1")), None)
    if not library:
        pytest.skip("libfaketime is not installed")
    return ["env", f"LD_PRELOAD={library}", f"FAKETIME={days:+}d", "NO_FAKE_STAT=1"]


@pytest.mark.parametrize("days", [-400, 400])
def test_a_machine_whose_clock_is_off_takes_nothing_young(two: Person, days: int) -> None:
    two.gitreg("model", "version", "delete", "iris", "1")
    for option in ("--apply", "--purge"):
        assert two.run(*shifted(days), "gitreg", "gc", option).code == 0
    assert not (store_of(two.here) / "trash").exists()
    gc(two, "--apply", "--grace", "0")
    assert two.run(*shifted(days), "gitreg", "gc", "--purge").code == 0
    assert len(gc(two, "--undo")) == 2


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("days", "registries", "killed"), [(0, 1, True), (-400, 1, False), (400, 2, True)])
def test_saves_beside_collections_lose_nothing(
    ada: Person, tmp_path: Path, days: int, registries: int, killed: bool
) -> None:
    """Two savers in each registry, which return to what they had deleted; collections without any grace time."""
    chance = random.Random(4711)
    ada.gitreg("init", tmp_path / "0", "--store", tmp_path / "store")
    people = [ada.at(tmp_path / str(number)) for number in range(registries)]
    for number in range(1, registries):
        ada.gitreg("init", tmp_path / str(number), "--store", tmp_path / "store")
    savers = []
    for number, person in enumerate(people):
        for worker in range(2):
            where = write(tmp_path / f"weights-{number}-{worker}", {})
            where.mkdir()
            arguments = (f"{number}-{worker}", str(where), "6")
            savers.append(person.start(sys.executable, "-c", SAVE, *arguments))

    def collect(seed: int) -> subprocess.Popen[str]:
        return people[seed % registries].start(*shifted(days), sys.executable, "-c", COLLECT, str(seed), "0")

    collectors = [collect(seed) for seed in range(2)]
    try:
        while any(saver.poll() is None for saver in savers):
            time.sleep(chance.uniform(0.1, 1.0))
            for place, collector in enumerate(collectors):
                assert collector.poll() is None, collector.communicate()
                if killed and chance.random() < 0.5:
                    end(collector)
                    collectors[place] = collect(chance.randrange(1000))
        for saver in savers:
            assert (*saver.communicate(), saver.returncode) == ("", "", 0)
    finally:
        for process in [*collectors, *savers]:
            end(process)
    for person in people:
        gc(person, "--purge", "--grace", "0")
        assert assert_all_load(person, tmp_path) > 0
        assert_sound(person)
    for option in ("--apply", "--purge"):
        gc(people[0], option, "--grace", "0")
    left = gc(people[0], "--grace", "0")
    assert {row["reason"] for row in left} <= {"recent"}, "but for those of writers whose clocks are ahead"
    assert assert_all_load(people[0], tmp_path) > 0


def end(process: subprocess.Popen[str]) -> None:
    """Kill a program and what it started; nobody gets to say a last word."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
    process.communicate()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("option", ["--apply", "--undo", "--purge"])
def test_a_collection_killed_at_every_change_of_the_store_loses_nothing_and_runs_again(
    two: Person, tmp_path: Path, option: str
) -> None:
    strace = need_strace()
    save(two, tmp_path / "3", "own 3")
    two.gitreg("model", "version", "delete", "iris", "1")
    two.gitreg("model", "version", "delete", "iris", "3")
    if option != "--apply":
        gc(two, "--apply", "--grace", "0")
    command = ("gitreg", "gc", option, *(() if option == "--undo" else ("--grace", "0")))
    begun = tmp_path / "begun"
    shutil.copytree(two.here, begun, symlinks=True)
    call = "unlink" if option == "--purge" else "rename"
    for count in range(1, 30):
        shutil.rmtree(two.here)
        shutil.copytree(begun, two.here, symlinks=True)
        inject = f"inject={call}:signal=KILL:when={count}"
        ended = two.run(strace, "-f", "-qq", "-o", "/dev/null", "-e", inject, *command)
        assert assert_all_load(two, tmp_path) == 1
        assert two.run(*command).code == 0
        assert len(gc(two, "--grace", "0")) == (0 if option == "--purge" else 4)
        two.gitreg("verify", "--deep")
        if ended.code == 0:
            break
    assert 2 < count < 29, "every call of its threads was the last one once"


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# -- clones of one registry --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["folder", "http"])
def test_gc_of_one_clone_sees_what_others_published_and_what_they_keep_to_themselves(
    ada: Person, tmp_path: Path, servers: Servers, way: str
) -> None:
    far = make_far(("git", way), tmp_path, ada.env, servers)
    person = ada.with_env(**far.env)
    store = tmp_path / "shared"
    person.git("init", "-q", "-b", "main", tmp_path / "one")
    one = person.at(tmp_path / "one")
    one.git("remote", "add", "origin", far.url)
    one.gitreg("init", "--remote", "origin", "--store", store)
    for name in ("ci", "two"):
        person.gitreg("clone", far.url, tmp_path / name)
    ci, two = person.at(tmp_path / "ci"), person.at(tmp_path / "two")
    save(ci, tmp_path / "1", "thrown away")
    shutil.rmtree(ci.here)
    two.gitreg("pull")
    two.gitreg("save", "--local", "iris", write(tmp_path / "2", {"a": "alone"}))
    before = weights_in(store)
    assert gc(one, "--apply", "--grace", "0") == []
    two.here.rename(tmp_path / "another machine")
    refused = one.gitreg("gc", "--apply", "--grace", "0", code=4).err
    assert f"{two.here}/.git, a clone with drafts or with commits that it has not pushed, keeps weights" in refused
    assert weights_in(store) == before
    (claim,) = (path for path in (store / "claims").iterdir() if str(two.here) in path.read_text())
    one.gitreg("gc", "--release", claim.name, code=4)
    long_ago = time.time() - 100 * 86400
    os.utime(claim, (long_ago, long_ago))
    refused = one.gitreg("gc", code=4).err
    assert f"`gitreg gc --release {claim.name}`" in refused
    assert len(gc(one, "--release", claim.name, "--apply", "--grace", "0")) == 1
    one.gitreg("pull")
    one.gitreg("verify", "--deep")
