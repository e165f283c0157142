"""Several stores: one stands in for another, and says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replicas import Replicas
from gitreg.blobs.store import Store, Target
from gitreg.errors import GitregError, IntegrityError
from tests.blobs.helpers import contents, flip_a_bit, put


class Far(FolderBucket):
    local = False

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        if not self.root.exists():
            raise GitregError(f"cannot reach {self.url}")
        return super().read(key, start, stop)

    def local_path(self, key: str) -> Path | None:
        return None


@pytest.fixture
def primary(tmp_path: Path) -> Store:
    return Store(FolderBucket(tmp_path / "primary"))


@pytest.fixture
def saved(primary: Store, tmp_path: Path) -> Manifest:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(os.urandom(2 << 20))
    for name in ("c", "d"):
        (folder / name).write_bytes(name.encode())
    return put(primary, folder)


@pytest.fixture
def replica(saved: Manifest, tmp_path: Path) -> Store:
    shutil.copytree(tmp_path / "primary", tmp_path / "replica")
    return Store(FolderBucket(tmp_path / "replica"))


def load(stores: Replicas, manifest: Manifest, dest: Path) -> dict[str, bytes]:
    dest.mkdir(exist_ok=True)
    stores.fetch(manifest, [Target(entry, dest / entry.path) for entry in manifest.files])
    return contents(dest)


def file_of(store: str, manifest: Manifest, name: str, tmp_path: Path) -> Path:
    digest = next(entry.sha256 for entry in manifest.files if entry.path == name)
    return tmp_path / store / "sha256" / digest[:2] / digest


def test_what_is_damaged_in_one_is_set_aside_and_read_from_the_next(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    told: list[str] = []
    flip_a_bit(file_of("primary", saved, "a", tmp_path))
    flip_a_bit(next((tmp_path / "primary/packs").glob("*/*")))
    assert load(Replicas([primary, replica], told.append), saved, tmp_path / "out") == contents(tmp_path / "model")
    assert len(told) == 1
    assert "damaged; read from another store" in told[0]
    assert list((tmp_path / "primary" / "damaged").rglob("packs/*/*"))


def test_files_that_no_store_has_all_of_come_from_several(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    file_of("primary", saved, "a", tmp_path).unlink()
    file_of("replica", saved, "b", tmp_path).unlink()
    shutil.rmtree(tmp_path / "replica/packs")
    told: list[str] = []
    assert load(Replicas([primary, replica], told.append), saved, tmp_path / "out") == contents(tmp_path / "model")
    assert told == [], "a copy need not be complete"


def test_what_no_store_has_whole_is_an_integrity_error_that_names_it(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    file_of("primary", saved, "a", tmp_path).unlink()
    flip_a_bit(file_of("replica", saved, "a", tmp_path))
    with pytest.raises(IntegrityError) as caught:
        load(Replicas([primary, replica], lambda _: None), saved, tmp_path / "out")
    one, other = caught.value.message.split("; ")
    assert one.startswith("a: the store")
    assert "primary does not hold" in one
    assert other.startswith("a: ")
    assert "replica is damaged" in other
    assert not (tmp_path / "out" / "a").exists()


def test_a_folder_that_vanished_is_told_of_and_another_store_read(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "primary")
    told: list[str] = []
    assert load(Replicas([primary, replica], told.append), saved, tmp_path / "out") == contents(tmp_path / "model")
    assert told == [f"the store {tmp_path / 'primary'} is not there (is it mounted?); read from another store instead"]


def test_folders_of_this_machine_are_read_before_all_others(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    far = Store(Far(tmp_path / "primary"))
    stores = Replicas([far, replica], lambda _: None)
    assert not stores.local
    assert stores.in_order == [replica, far]
    shutil.rmtree(tmp_path / "primary")
    assert load(stores, saved, tmp_path / "out") == contents(tmp_path / "model")


def test_a_store_that_cannot_be_reached_is_no_integrity_error(primary: Store, saved: Manifest, tmp_path: Path) -> None:
    far = Store(Far(tmp_path / "nowhere"))
    told: list[str] = []
    assert load(Replicas([far, primary], told.append), saved, tmp_path / "out") == contents(tmp_path / "model")
    file_of("primary", saved, "a", tmp_path).unlink()
    with pytest.raises(GitregError, match="cannot reach") as caught:
        load(Replicas([far, primary], told.append), saved, tmp_path / "again")
    assert not isinstance(caught.value, IntegrityError), "perhaps that store has it"


def test_a_manifest_comes_from_the_first_store_that_has_it_whole(
    primary: Store, replica: Store, saved: Manifest, tmp_path: Path
) -> None:
    for store in (primary, replica):
        store.bucket.write(f"sha256/{saved.hex[:2]}/{saved.hex}", saved.text)
    stores = Replicas([primary, replica], lambda _: None)
    flip_a_bit(tmp_path / "primary" / "sha256" / saved.hex[:2] / saved.hex)
    assert stores.read_manifest(saved.digest, limit=10**6) == saved
    flip_a_bit(tmp_path / "replica" / "sha256" / saved.hex[:2] / saved.hex)
    with pytest.raises(IntegrityError):
        stores.read_manifest(saved.digest, limit=10**6)


def test_no_store_at_all_is_an_error(saved: Manifest) -> None:
    with pytest.raises(IntegrityError, match="no store"):
        Replicas([], lambda _: None).read_manifest(saved.digest, limit=10**6)


def test_the_cache_takes_several_stores_as_it_takes_one(
    primary: Store, replica: Store, saved: Manifest, cache: Cache, tmp_path: Path
) -> None:
    flip_a_bit(file_of("primary", saved, "b", tmp_path))
    stores = Replicas([primary, replica], lambda _: None)
    assert contents(cache.checkout(saved, stores)) == contents(tmp_path / "model")
    cache.export(saved, stores, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "model")
