"""Copying from store to store: what is missing, verified, in the order of a save."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Buffer
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replication import replicate
from gitreg.blobs.store import Store
from tests.blobs.helpers import Counter, flip_a_bit, objects, put


class Watched(FolderBucket):
    """Remembers what is read and written; far away, if it is told so."""

    def __init__(self, root: Path, *, far: bool = False) -> None:
        super().__init__(root)
        self.local = not far
        self.was_read: list[str] = []
        self.written: list[str] = []

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        self.was_read.append(key)
        return super().read(key, start, stop)

    def write(self, key: str, data: Buffer, sha256: str | None = None) -> None:
        self.written.append(key)
        super().write(key, data)

    def local_path(self, key: str) -> Path | None:
        return super().local_path(key) if self.local else None


@pytest.fixture
def kinds(small_sizes: None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """A set with a pack, a plain object, and a file in chunks."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(os.urandom(300))
    (folder / "middle").write_bytes(os.urandom(5000))
    (folder / "big").write_bytes(os.urandom(12_000))
    return put(store, folder)


@pytest.fixture
def target(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "target")


def test_a_copy_is_a_store_of_the_same_objects(store: Store, kinds: Manifest, target: Watched, tmp_path: Path) -> None:
    counted = Counter()
    copied = replicate(kinds, [store], Store(target), tmp_path, progress=counted)
    assert copied == (5, 17_900, None)
    assert objects(target) == objects(store.bucket)
    assert Store(target).missing([kinds]) == {}
    names = [key.startswith("sha256/") for key in target.written]
    assert names == sorted(names, reverse=True), "recipes and packs come last"
    assert counted.bytes >= 17_900


def test_a_second_copy_neither_reads_nor_writes_and_a_third_only_what_is_lost(
    store: Store, kinds: Manifest, target: Watched, tmp_path: Path
) -> None:
    replicate(kinds, [store], Store(target), tmp_path)
    source = Watched(store.bucket.local_path(""))  # type: ignore[arg-type]
    target.written.clear()
    assert replicate(kinds, [Store(source)], Store(target), tmp_path) == (0, 0, None)
    assert (source.was_read, target.written) == ([], [])
    lost = next(key for key in objects(target) if key.startswith("sha256/"))
    target.delete([lost])
    assert replicate(kinds, [Store(source)], Store(target), tmp_path).files == 1
    assert [key for key in target.written if key.startswith("sha256/")] == [lost]
    assert [key for key in source.was_read if key.startswith("sha256/")] == [lost]


@pytest.mark.slow
def test_no_damage_of_the_source_gets_into_the_target(
    store: Store, store_folder: Path, kinds: Manifest, tmp_path: Path
) -> None:
    whole = objects(store.bucket)
    for number, key in enumerate(whole):
        damaged = tmp_path / f"damaged-{number}"
        shutil.copytree(store_folder, damaged)
        flip_a_bit(damaged / key)
        target = FolderBucket(tmp_path / f"target-{number}")
        copied = replicate(kinds, [Store(FolderBucket(damaged))], Store(target), tmp_path)
        assert copied.error is not None
        assert copied.error.exit_code == 6
        assert objects(target).items() <= whole.items()
        lacking = Store(target).missing([kinds])[kinds.digest]
        assert len(lacking) == 5 - copied.files, "all else was copied"
        assert (damaged / "damaged" / key).exists()
        assert replicate(kinds, [Store(FolderBucket(damaged)), store], Store(target), tmp_path).error is None
        assert objects(target) == whole


def test_each_file_comes_from_a_source_that_has_it(store: Store, kinds: Manifest, tmp_path: Path) -> None:
    halves = [FolderBucket(tmp_path / name) for name in ("one", "other")]
    for half, lacking in zip(halves, ("packs/", "recipes/"), strict=True):
        shutil.copytree(store.bucket.local_path(""), half.root)  # type: ignore[arg-type]
        shutil.rmtree(half.root / lacking)
    target = FolderBucket(tmp_path / "target")
    assert replicate(kinds, [Store(half) for half in halves], Store(target), tmp_path).error is None
    assert objects(target) == objects(store.bucket)


@pytest.mark.parametrize("far", [False, True])
def test_a_big_file_that_lies_uncut_stays_uncut(kinds: Manifest, tmp_path: Path, far: bool) -> None:
    plain = Watched(tmp_path / "plain", far=far)
    (tmp_path / "file").write_bytes(os.urandom(50_000))
    manifest = put(Store(plain), tmp_path / "file", chunking=False)
    target = FolderBucket(tmp_path / "target")
    assert replicate(manifest, [Store(plain)], Store(target), tmp_path / "spool") == (1, 50_000, None)
    assert objects(target) == objects(plain)
    assert (tmp_path / "spool").exists() == far
    assert not far or not list((tmp_path / "spool").iterdir())


@pytest.mark.parametrize("far", [False, True])
def test_a_damaged_big_file_that_lies_uncut_is_not_published(kinds: Manifest, tmp_path: Path, far: bool) -> None:
    plain = Watched(tmp_path / "plain", far=far)
    (tmp_path / "file").write_bytes(os.urandom(50_000))
    manifest = put(Store(plain), tmp_path / "file", chunking=False)
    flip_a_bit(next((tmp_path / "plain" / "sha256").glob("*/*")))
    target = FolderBucket(tmp_path / "target")
    copied = replicate(manifest, [Store(plain)], Store(target), tmp_path / "spool")
    assert "file" in str(copied.error)
    assert objects(target) == {}


COPY = """
import sys
from pathlib import Path
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replication import replicate
from gitreg.blobs.urls import open_store
source, target, manifest = sys.argv[1:]
replicate(Manifest.parse(Path(manifest).read_bytes()), [open_store(source)], open_store(target), Path(target))
"""


@pytest.mark.slow
def test_a_copy_that_is_killed_leaves_only_what_is_whole_and_is_gone_on_with(store: Store, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "big").write_bytes(os.urandom(96 << 20))
    for name in "ab":
        (tmp_path / "model" / name).write_bytes(b"small" + name.encode())
    manifest = put(store, tmp_path / "model")
    (tmp_path / "manifest").write_bytes(manifest.text)
    target = Store(FolderBucket(tmp_path / "target"))
    command = [
        sys.executable,
        "-c",
        COPY,
        str(tmp_path / "store"),
        str(tmp_path / "target"),
        str(tmp_path / "manifest"),
    ]
    process = subprocess.Popen(command)
    while len(list((tmp_path / "target").glob("sha256/*/*"))) < 5 and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was too fast to be killed"
    sent = objects(target.bucket)
    assert 5 <= len(sent) < len(objects(store.bucket))
    assert sent.items() <= objects(store.bucket).items()
    before = {key: info.mtime for key, info in target.bucket.find(sent).items()}
    subprocess.run(command, check=True)
    assert {key: info.mtime for key, info in target.bucket.find(sent).items()} == before, "nothing was sent again"
    assert objects(target.bucket) == objects(store.bucket)


def test_a_pack_that_is_set_aside_while_it_is_copied_is_missing(
    store: Store, store_folder: Path, kinds: Manifest, target: Watched, tmp_path: Path
) -> None:
    class Rotten(Watched):
        """Another reader finds the pack damaged when its table was read."""

        def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
            there = self.find([key]).get(key)
            if there and key.startswith(keys.PACKS) and (start, stop) == (0, there.size):
                self.move(key, keys.DAMAGED + key)
            return super().read(key, start, stop)

    copied = replicate(kinds, [Store(Rotten(store_folder))], Store(target), tmp_path)
    assert copied.files == 2
    assert copied.error is not None
    assert copied.error.exit_code == 6
    assert "does not hold packs/" in copied.error.message
