"""What is stored survives a loss of power: bytes are on the disk before their names, names before the commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.files import collect
from gitreg.blobs.replication import replicate
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store
from gitreg.blobs.trash import collection_name, restore, trash_key, trashed
from tests.blobs.helpers import NOTHING_KNOWN, put
from tests.disk import Disk

SIZES = {"a.json": 10, "b.json": 900, "middle-1": 2000, "middle-2": 3000, "big-1": 20_000, "big-2": 30_000}
"""Packed, plain and in chunks, by the sizes of ``small_sizes``."""


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    folder = tmp_path / "varied"
    folder.mkdir()
    for name, size in SIZES.items():
        (folder / name).write_bytes(os.urandom(size))
    return folder


def assert_durable(disk: Disk, store: Path) -> None:
    disk.assert_bytes_before_names(store)
    disk.assert_names_kept(store)


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize("chunking", [True, False], ids=["in chunks", "whole"])
def test_what_is_saved_is_on_the_disk(disk: Disk, varied: Path, store_folder: Path, chunking: bool) -> None:
    store = Store(FolderBucket(store_folder))
    with_manifest = put(store, varied, chunking=chunking)
    names = [path.relative_to(store_folder).parts[0] for path in disk.named(store_folder)]
    assert {"sha256", "packs"} <= set(names)
    assert ("recipes" in names) == chunking
    assert with_manifest.files
    assert_durable(disk, store_folder)


@pytest.mark.usefixtures("small_sizes")
def test_a_recipe_gets_its_name_after_the_folders_of_its_chunks_were_synced(
    disk: Disk, varied: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = FolderBucket.write
    checked: list[str] = []

    def write(bucket: FolderBucket, key: str, data: bytes, sha256: str | None = None) -> None:
        if key.startswith("recipes/") and not checked:
            checked.append(key)
            assert_durable(disk, store_folder / "sha256")
        written(bucket, key, data, sha256)

    monkeypatch.setattr(FolderBucket, "write", write)
    put(Store(FolderBucket(store_folder)), varied)
    assert checked


def test_a_file_that_is_uploaded_is_on_the_disk_before_it_has_its_name(
    disk: Disk, tmp_path: Path, store_folder: Path
) -> None:
    """As replicas take them: bigger than what is copied without a thread of its own."""
    (tmp_path / "weights").write_bytes(os.urandom((3 << 20) + 5))
    one, other = Store(FolderBucket(store_folder)), tmp_path / "replica"
    manifest = put(one, tmp_path / "weights", chunking=False)
    replicate(manifest, [one], Store(FolderBucket(other)), tmp_path)
    assert [path for path in disk.named(other) if "sha256" in path.parts]
    assert_durable(disk, other)


def test_a_mark_a_claim_and_the_text_of_a_manifest_are_on_the_disk(
    disk: Disk, varied: Path, store_folder: Path
) -> None:
    store = Store(FolderBucket(store_folder))
    store.create()
    assert_durable(disk, store_folder)
    store.claim("a-registry", b"is mine")
    assert {path.relative_to(store_folder).as_posix() for path in disk.named(store_folder)} == {
        layout.MARKER,
        f"{layout.CLAIMS}a-registry",
    }
    assert_durable(disk, store_folder)


def test_a_store_that_is_made_is_in_folders_that_are_on_the_disk(disk: Disk, varied: Path, tmp_path: Path) -> None:
    put(Store(FolderBucket(tmp_path / "some" / "where" / "store")), varied)
    assert all(disk.was_synced(folder) for folder in (tmp_path / "some" / "where", tmp_path / "some", tmp_path))


def test_a_manifest_that_is_stored_is_on_the_disk(disk: Disk, varied: Path, store_folder: Path) -> None:
    with StoreWriter(Store(FolderBucket(store_folder)), NOTHING_KNOWN) as saving:
        manifest = saving.put(collect([varied]))
        saving.put_manifest(manifest)
        assert manifest.hex in {path.name for path in disk.named(store_folder)}
        assert_durable(disk, store_folder / "sha256")


@pytest.mark.slow
@pytest.mark.usefixtures("small_sizes")
def test_what_a_replica_is_given_is_on_the_disk(disk: Disk, varied: Path, tmp_path: Path, store_folder: Path) -> None:
    store, target = Store(FolderBucket(store_folder)), tmp_path / "replica"
    replicate(put(store, varied), [store], Store(FolderBucket(target)), tmp_path)
    assert {"sha256", "packs", "recipes"} <= {path.relative_to(target).parts[0] for path in disk.named(target)}
    assert_durable(disk, target)


@pytest.mark.slow
@pytest.mark.usefixtures("small_sizes")
def test_what_is_put_back_from_the_trash_is_on_the_disk_before_what_names_it(
    disk: Disk, varied: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = FolderBucket(store_folder)
    put(Store(bucket), varied)
    keys = [info.key for folder in ("sha256/", "recipes/") for info in bucket.list(folder)]
    for key in keys:
        bucket.move(key, trash_key(key, collection_name(1)))
    moved, checked = FolderBucket.move, []

    def move(bucket: FolderBucket, key: str, to: str) -> None:
        if to.startswith("recipes/"):
            checked.append(to)
            disk.assert_names_kept(store_folder / "sha256")
        moved(bucket, key, to)

    monkeypatch.setattr(FolderBucket, "move", move)
    assert {one.key for one in restore(bucket, list(trashed(bucket)))} == set(keys)
    assert checked
    assert_durable(disk, store_folder / "recipes")


def test_what_the_cache_calls_verified_is_on_the_disk(disk: Disk, tmp_path: Path, store_folder: Path) -> None:
    (tmp_path / "weights").write_bytes(os.urandom(20_000))
    store = Store(FolderBucket(store_folder))
    found = Cache(tmp_path / "cache").checkout(put(store, tmp_path / "weights"), store)
    assert disk.was_synced(found / "weights")
