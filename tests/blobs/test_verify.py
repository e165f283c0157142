"""Verifying a store: each byte is read once, and whatever is wrong is named and set aside."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest

from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.content import Content
from gitreg.blobs.gc.sweep import sweep
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from gitreg.blobs.verify import verify
from gitreg.errors import IntegrityError
from gitreg.progress import NO_PROGRESS
from tests.blobs.helpers import Counter, blob, flip_a_bit, objects, put


@pytest.fixture
def kinds(small_sizes: None, store: Store, tmp_path: Path) -> Manifest:
    """A set with a pack, a plain object, and two files in chunks of which some are the same."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(os.urandom(300))
    (folder / "empty").touch()
    (folder / "middle").write_bytes(os.urandom(5000))
    base = os.urandom(12_000)
    (folder / "big").write_bytes(base)
    (folder / "bigger").write_bytes(base + os.urandom(3_000))
    return put(store, folder)


def wrong(store: Store, manifest: Manifest) -> dict[str, str]:
    return {entry.path: problem for entry, problem in verify(store, manifest, manifest.files, NO_PROGRESS) if problem}


def test_what_is_whole_has_no_problem_and_every_byte_of_it_is_read_once(store: Store, kinds: Manifest) -> None:
    counted = Counter()
    found = list(verify(store, kinds, kinds.files, counted))
    assert {entry for entry, problem in found if problem is None} == set(kinds.files)
    assert len(found) == len(kinds.files)
    assert counted.bytes == sum(entry.size for entry in kinds.files)


def test_only_what_is_asked_for_is_read(store: Store, kinds: Manifest) -> None:
    counted = Counter()
    wanted = [entry for entry in kinds.files if entry.path in ("b", "middle")]
    assert {entry.path for entry, _ in verify(store, kinds, wanted, counted)} == {"b", "middle"}
    assert counted.bytes == 5300


@pytest.mark.slow
@pytest.mark.parametrize("how", ["flipped", "cut", "grown", "emptied", "removed"])
def test_damage_to_any_object_is_found_and_the_object_is_set_aside(
    store: Store, store_folder: Path, kinds: Manifest, tmp_path: Path, how: str
) -> None:
    for number, key in enumerate(objects(store.bucket)):
        there = tmp_path / f"copy-{number}"
        shutil.copytree(store_folder, there)
        damaged = there / key
        damaged.chmod(0o644)
        if how == "flipped":
            flip_a_bit(damaged)
        elif how == "cut":
            damaged.write_bytes(damaged.read_bytes()[:-1])
        elif how == "grown":
            damaged.write_bytes(damaged.read_bytes() + b"x")
        elif how == "emptied":
            damaged.write_bytes(b"")
        else:
            damaged.unlink()
        copy = Store(FolderBucket(there))
        found = wrong(copy, kinds)
        if how == "grown" and key.startswith("sha256/") and not found:  # what is read of a chunk is right
            assert copy.missing([kinds]), key
            continue
        assert found, f"{key} was {how}"
        assert all(path in problem or "packed with" in problem for path, problem in found.items())
        assert (there / "damaged" / key).exists() == (how != "removed"), key
        assert not damaged.exists()


@pytest.mark.slow
def test_objects_that_were_swapped_are_found(store: Store, store_folder: Path, kinds: Manifest, tmp_path: Path) -> None:
    keys = sorted(objects(store.bucket))
    for number, (one, other) in enumerate(pairwise(keys)):
        there = tmp_path / f"copy-{number}"
        shutil.copytree(store_folder, there)
        (there / one).rename(there / "aside")
        (there / other).rename(there / one)
        (there / "aside").rename(there / other)
        assert wrong(Store(FolderBucket(there)), kinds), (one, other)


def test_all_damaged_chunks_are_set_aside_in_one_run(store: Store, store_folder: Path, kinds: Manifest) -> None:
    chunks = [key for key in objects(store.bucket) if key.startswith("sha256/")]
    for key in chunks:
        flip_a_bit(store_folder / key)
    assert wrong(store, kinds).keys() == {"middle", "big", "bigger"}
    assert [key for key in chunks if (store_folder / key).exists()] == []


def test_files_whose_pack_was_taken_away_for_another_files_damage_are_named_too(
    store: Store, store_folder: Path, kinds: Manifest
) -> None:
    pack = next(store_folder.glob("packs/*/*"))
    data = bytearray(pack.read_bytes())
    data[0] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    found = wrong(store, kinds)
    assert found.keys() == {"a", "b", "c", "empty"}
    assert sum("in the store" in problem for problem in found.values()) == 1
    assert store.missing([kinds])[kinds.digest] == [entry for entry in kinds.files if entry.path in found]


def damage(path: Path, *places: int) -> None:
    data = bytearray(path.read_bytes())
    for place in places:
        data[place] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_pack_is_set_aside_once_however_many_of_its_files_are_damaged(
    store: Store, store_folder: Path, kinds: Manifest, tmp_path: Path
) -> None:
    pack = next(store_folder.glob("packs/*/*"))
    whole = pack.read_bytes()
    sweep(store, list, grace=-5)
    put(store, tmp_path / "kinds")
    damage(pack, 0, 300)
    rotten = pack.read_bytes()
    found = wrong(store, kinds)
    assert sum("in the store" in problem for problem in found.values()) == 2
    assert all(problem.startswith(f"{path}: ") for path, problem in found.items())
    assert (store_folder / "damaged" / pack.relative_to(store_folder)).read_bytes() == rotten
    assert wrong(store, kinds) == {}, "the whole one came back out of the trash"
    assert pack.read_bytes() == whole


@pytest.mark.parametrize("kind", ["packs", "sha256"])
@pytest.mark.parametrize("when", ["before it is looked at again", "before it is set aside"])
def test_what_is_mended_while_a_slow_reader_finds_it_damaged_stays(
    store: Store, store_folder: Path, kinds: Manifest, tmp_path: Path, kind: str, when: str
) -> None:
    middle = next(entry.sha256 for entry in kinds.files if entry.path == "middle")
    there = next(store_folder.glob("packs/*/*" if kind == "packs" else f"sha256/*/{middle}"))
    damage(there, 0)

    def mend() -> None:
        assert wrong(Store(FolderBucket(store_folder)), kinds)
        put(Store(FolderBucket(store_folder)), tmp_path / "kinds")
        assert wrong(Store(FolderBucket(store_folder)), kinds) == {}

    class Slow(Store):
        def blame(self, path: str, content: Content) -> IntegrityError:
            if when == "before it is looked at again":
                mend()
            return super().blame(path, content)

        def damaged(self, path: str, key: str) -> IntegrityError:
            if when == "before it is set aside":
                mend()
            return super().damaged(path, key)

    assert wrong(Slow(FolderBucket(store_folder)), kinds)
    assert wrong(store, kinds) == {}


def test_a_record_that_gives_a_wrong_size_is_not_held_against_the_store(store: Store, kinds: Manifest) -> None:
    lies = Manifest.of(entry._replace(size=entry.size + 1) for entry in kinds.files if entry.path == "middle")
    assert "the record says 5001 bytes" in wrong(store, lies)["middle"]
    assert wrong(store, kinds) == {}


class Onlooker:
    """Remembers what it is shown, in whatever thread."""

    def __init__(self, *unwanted: str) -> None:
        self.unwanted = unwanted
        self.seen: list[tuple[str, str]] = []
        self.left_out: list[str] = []

    def wants(self, entry: FileEntry) -> bool:
        return entry.path not in self.unwanted

    def look(self, entry: FileEntry, file: BinaryIO) -> None:
        file.seek(0)
        self.seen.append((entry.path, sha256(file.read()).hexdigest()))

    def leave_out(self, entry: FileEntry, error: OSError) -> None:
        self.left_out.append(entry.path)


def test_who_looks_on_sees_each_file_that_is_whole_without_another_byte_being_read(
    store: Store, store_folder: Path, kinds: Manifest
) -> None:
    middle = next(entry for entry in kinds.files if entry.path == "middle")
    flip_a_bit(blob(store, middle))
    onlooker, counted = Onlooker("a"), Counter()
    found = dict(verify(store, kinds, kinds.files, counted, onlooker))
    assert [entry.path for entry, problem in found.items() if problem] == ["middle"]
    expected = {(entry.path, entry.sha256) for entry in kinds.files if entry.path not in ("a", "middle")}
    assert sorted(onlooker.seen) == sorted(expected)
    assert counted.bytes == sum(entry.size for entry in kinds.files)


def test_what_finds_no_room_to_be_looked_at_is_verified_all_the_same(
    store: Store, kinds: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    onlooker = Onlooker()
    assert all(problem is None for _, problem in verify(store, kinds, kinds.files, NO_PROGRESS, onlooker))
    assert sorted(onlooker.left_out) == ["big", "bigger", "middle"]
    assert sorted(path for path, _ in onlooker.seen) == ["a", "b", "c", "empty"]
