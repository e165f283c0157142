"""From the cache to a folder: links where they are asked for, shared blocks where the file system has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from gitreg.errors import IntegrityError, Refused
from tests.blobs.helpers import contents, flip_a_bit, put


class NoReading:
    def advance(self, nbytes: int) -> None:
        pytest.fail("something was read")


def test_links_share_the_caches_own_read_only_files(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    cache.link(saved, store, tmp_path / "linked")
    assert contents(tmp_path / "linked") == contents(model)
    there = cache.layout.artifact(saved.hex)
    for entry in saved.files:
        assert (tmp_path / "linked" / entry.path).samefile(there / entry.path)
        assert not (tmp_path / "linked" / entry.path).stat().st_mode & 0o222


def test_a_linked_artifact_is_still_known_to_be_whole(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    cache.link(saved, store, tmp_path / "linked")
    assert cache.find(saved.digest) is not None
    cache.checkout(saved, store, progress=NoReading())


def test_after_a_linked_folder_was_removed_the_cache_hashes_its_files_once_more(
    cache: Cache, store: Store, saved: Manifest, store_folder: Path, tmp_path: Path
) -> None:
    cache.link(saved, store, tmp_path / "linked")
    shutil.rmtree(tmp_path / "linked")
    store_folder.rename(tmp_path / "away")
    assert cache.find(saved.digest) is None
    cache.checkout(saved, store)
    assert cache.find(saved.digest) is not None


def test_a_change_through_a_link_is_seen_and_mended_for_others(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    cache.link(saved, store, tmp_path / "linked")
    flip_a_bit(tmp_path / "linked" / "model.safetensors")
    assert cache.find(saved.digest) is None
    assert contents(cache.checkout(saved, store)) == contents(model)


def test_linking_again_is_fine_and_another_content_in_the_way_is_refused(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    for _ in range(2):
        cache.link(saved, store, tmp_path / "linked")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.sh").write_text("mine")
    with pytest.raises(Refused, match=r"run\.sh"):
        cache.link(saved, store, tmp_path / "other")
    assert contents(tmp_path / "other") == {"run.sh": b"mine"}


def test_some_of_the_files_are_linked_where_some_are_asked_for(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    cache.link(saved, store, tmp_path / "linked", {"run.sh"})
    assert contents(tmp_path / "linked") == {"run.sh": b"#!/bin/sh\n"}


def test_on_another_file_system_links_are_symbolic(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path, other_disk: Path
) -> None:
    for _ in range(2):
        cache.link(saved, store, other_disk / "linked")
    assert all((other_disk / "linked" / entry.path).is_symlink() for entry in saved.files)
    assert contents(other_disk / "linked") == contents(model)
    assert cache.find(saved.digest) is not None


def test_a_part_is_taken_from_the_whole_that_is_here(
    cache: Cache, store: Store, saved: Manifest, store_folder: Path, tmp_path: Path
) -> None:
    cache.checkout(saved, store)
    store_folder.rename(tmp_path / "away")
    assert contents(cache.checkout(saved, store, {"run.sh"})) == {"run.sh": b"#!/bin/sh\n"}
    with cache.open(saved, store, "run.sh") as file:
        assert file.read() == b"#!/bin/sh\n"


def test_a_new_folder_appears_whole_or_not_at_all(
    cache: Cache, store: Store, saved: Manifest, store_folder: Path, tmp_path: Path
) -> None:
    large = next(entry for entry in saved.files if entry.path == "model.safetensors")
    flip_a_bit(store_folder / "sha256" / large.sha256[:2] / large.sha256)
    with pytest.raises(IntegrityError, match=r"model\.safetensors"):
        cache.export(saved, store, tmp_path / "parent" / "out")
    assert list((tmp_path / "parent").iterdir()) == []


def test_what_a_killed_load_left_beside_the_folder_is_removed_but_not_what_is_being_written(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    from gitreg.blobs.cache.export import filling

    parent = tmp_path / "parent"
    left = parent / ".gitreg-0123456789abcdef.partial"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    with filling(parent / "other") as (folder, fresh):
        assert fresh
        (folder / "file").write_text("x")
        cache.export(saved, store, parent / "out")
        assert not left.exists()
    assert contents(parent / "out") == contents(model)
    assert contents(parent / "other") == {"file": b"x"}
    assert len(list(parent.iterdir())) == 2


# -- file systems ------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_reflinks(tmp_path: Path) -> Iterator[Path]:
    """A new XFS, whose files share blocks until one of them is written to."""
    if shutil.which("mkfs.xfs") is None or shutil.which("mount") is None:
        pytest.skip("mkfs.xfs or mount is not installed")
    image, folder = tmp_path / "xfs", tmp_path / "mounted"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(512 << 20)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, folder], check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"an image cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_an_export_from_the_cache_takes_no_space_where_blocks_can_be_shared(
    store: Store, with_reflinks: Path, tmp_path: Path
) -> None:
    data = os.urandom(64 << 20)
    (tmp_path / "weights").write_bytes(data)
    manifest = put(store, tmp_path / "weights")
    cache = Cache(with_reflinks / "cache")
    cache.checkout(manifest, store)
    os.sync()
    before = shutil.disk_usage(with_reflinks).free
    cache.export(manifest, store, with_reflinks / "out")
    os.sync()
    assert before - shutil.disk_usage(with_reflinks).free < 4 << 20
    with open(with_reflinks / "out" / "weights", "r+b") as mine:
        mine.write(b"mine")
    assert (with_reflinks / "out" / "weights").read_bytes() == b"mine" + data[4:]
    with cache.open(manifest, store, "weights") as file:
        assert file.read() == data
