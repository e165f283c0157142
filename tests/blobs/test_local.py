from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.blobs import NO_PROGRESS, BlobStore, FileEntry, LocalFile, collect, open_store
from gitreg.errors import GitregError, IntegrityError, InvalidInput, NotFound
from tests.blobs.helpers import blob, contents, flip_a_bit, large, temporary_files

FOREVER = float("inf")

names = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name not in ("con", "prn", "aux", "nul"))


class Counter:
    def __init__(self) -> None:
        self.bytes = 0
        self._lock = threading.Lock()

    def advance(self, nbytes: int) -> None:
        with self._lock:
            self.bytes += nbytes


def test_what_was_put_is_in_plain_read_only_files_that_sha256sum_can_check(
    store: BlobStore, saved: list[FileEntry], tmp_path: Path
) -> None:
    lines = "".join(f"{entry.sha256}  {blob(store, entry)}\n" for entry in saved)
    subprocess.run(["sha256sum", "--check", "--quiet"], input=lines, text=True, check=True)
    assert {blob(store, entry).stat().st_mode & 0o777 for entry in saved} == {0o444}
    assert [(entry.path, entry.executable) for entry in saved] == [
        ("1_Pooling/.config.json", False), ("empty", False), ("model.safetensors", False), ("run.sh", True)
    ]  # fmt: skip
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(names, st.tuples(st.binary(max_size=99), st.integers(0, 2)), min_size=1, max_size=8))
def test_put_then_fetch_gives_the_same_bytes(files: dict[str, tuple[bytes, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (source := Path(folder, "source")).mkdir()
        (target := Path(folder, "target")).mkdir()
        for name, (data, mebibytes) in files.items():
            (source / name).write_bytes(data + bytes(mebibytes << 20))
        store = open_store(f"{folder}/store")
        for entry in store.put(collect([source]), progress=NO_PROGRESS):
            store.fetch(entry, target / entry.path, progress=NO_PROGRESS)
        assert contents(target) == contents(source)


def test_progress_hears_of_every_byte_once(store: BlobStore, model: Path, tmp_path: Path) -> None:
    total = sum(file.size for file in collect([model]))
    for _ in range(2):
        counter = Counter()
        entries = store.put(collect([model]), progress=counter)
        assert counter.bytes == total
    counter = Counter()
    for entry in entries:
        store.fetch(entry, tmp_path / entry.sha256, progress=counter)
    assert counter.bytes == total


def test_a_blob_that_is_there_is_not_written_again_but_counts_as_saved_now(
    store: BlobStore, saved: list[FileEntry], model: Path
) -> None:
    paths = [blob(store, entry) for entry in saved]
    for path in paths:
        os.utime(path, (1, 1))
    inodes = [path.stat().st_ino for path in paths]
    assert store.put(collect([model]), progress=NO_PROGRESS) == saved
    assert [path.stat().st_ino for path in paths] == inodes
    assert all(path.stat().st_mtime > time.time() - 100 for path in paths)


def test_a_cut_off_blob_is_mended_by_the_next_save(store: BlobStore, saved: list[FileEntry], model: Path) -> None:
    for entry in saved:
        if entry.size:
            os.truncate(blob(store, entry), entry.size - 1)
    store.put(collect([model]), progress=NO_PROGRESS)
    for entry in saved:
        store.verify(entry, progress=NO_PROGRESS)


@pytest.mark.parametrize("size", [100, 3 << 20])
def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_is_stored(
    store: BlobStore, tmp_path: Path, size: int
) -> None:
    source = tmp_path / "growing.bin"
    source.write_bytes(bytes(size))

    class Appender:
        def advance(self, nbytes: int) -> None:
            with open(source, "ab") as stream:
                stream.write(b"more")

    with pytest.raises(GitregError, match=r"growing\.bin changed while it was saved"):
        store.put(collect([source]), progress=Appender())
    assert list(store.sweep([], older_than=FOREVER, apply=False)) == []


def test_a_file_that_changed_since_it_was_listed_is_refused(store: BlobStore, model: Path) -> None:
    files = collect([model])
    (model / "run.sh").write_text("something longer")
    with pytest.raises(GitregError, match=r"run\.sh changed"):
        store.put(files, progress=NO_PROGRESS)
    assert list(store.sweep([], older_than=FOREVER, apply=False)) == []


def test_a_file_that_became_a_pipe_or_a_link_or_nothing_is_an_error_in_words(store: BlobStore, tmp_path: Path) -> None:
    for name, make in (("pipe", os.mkfifo), ("link", lambda path: os.symlink("/etc/passwd", path)), ("gone", str)):
        make(tmp_path / name)
        with pytest.raises(GitregError, match=name):
            store.put([LocalFile(name, tmp_path / name, 5, executable=False)], progress=NO_PROGRESS)


def test_bytes_are_stored_and_read_back_verified(store: BlobStore) -> None:
    digest = store.put_bytes(b"hello")
    assert digest == hashlib.sha256(b"hello").hexdigest() == store.put_bytes(b"hello")
    assert store.read_bytes(digest, limit=5) == b"hello"
    with pytest.raises(IntegrityError, match="longer than 4 bytes"):
        store.read_bytes(digest, limit=4)
    assert store.missing([digest, "0" * 64]) == {"0" * 64}
    with pytest.raises(IntegrityError, match="does not hold"):
        store.read_bytes("0" * 64, limit=5)


def test_damaged_bytes_are_not_returned_and_are_set_aside(store: BlobStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"hello")
    path = store.local_path(digest)
    assert path
    flip_a_bit(path)
    with pytest.raises(IntegrityError, match="damaged"):
        store.read_bytes(digest, limit=5)
    assert store.missing([digest]) == {digest}
    assert path.with_suffix(".bad").exists()


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "0" * 63, "A" * 64, "0" * 64 + "\n"])
def test_what_is_no_digest_is_refused(store: BlobStore, digest: str) -> None:
    with pytest.raises(InvalidInput, match="no sha256"):
        store.read_bytes(digest, limit=5)


def test_a_flipped_bit_is_found_set_aside_and_nothing_comes_out(
    store: BlobStore, saved: list[FileEntry], tmp_path: Path
) -> None:
    entry, path = large(saved), blob(store, large(saved))
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "model"
    target.write_text("before")
    flip_a_bit(path)
    with pytest.raises(IntegrityError, match=r"model\.safetensors.*damaged"):
        store.verify(entry, progress=NO_PROGRESS)
    assert path.exists()  # looking changes nothing
    with pytest.raises(IntegrityError, match=r"model\.safetensors.*damaged"):
        store.fetch(entry, target, progress=NO_PROGRESS)
    assert contents(tmp_path / "out") == {"model": b"before"}
    assert not path.exists()
    assert path.with_suffix(".bad").exists()


def test_a_cut_off_blob_is_found(store: BlobStore, saved: list[FileEntry], tmp_path: Path) -> None:
    entry = large(saved)
    os.truncate(blob(store, entry), entry.size // 2)
    with pytest.raises(IntegrityError, match="damaged"):
        store.verify(entry, progress=NO_PROGRESS)
    with pytest.raises(IntegrityError, match="damaged"):
        store.fetch(entry, tmp_path / "target", progress=NO_PROGRESS)
    assert not (tmp_path / "target").exists()


def test_a_blob_that_is_not_there_is_named(store: BlobStore, saved: list[FileEntry], tmp_path: Path) -> None:
    blob(store, large(saved)).unlink()
    for read in (store.verify, lambda entry, progress: store.fetch(entry, tmp_path / "t", progress=progress)):
        with pytest.raises(IntegrityError, match=r"model\.safetensors: .* does not hold"):
            read(large(saved), progress=NO_PROGRESS)


def test_a_record_with_a_wrong_size_does_not_blame_the_blob(
    store: BlobStore, saved: list[FileEntry], tmp_path: Path
) -> None:
    wrong = FileEntry("m", 7, large(saved).sha256)
    with pytest.raises(IntegrityError, match="the record says 7 bytes"):
        store.verify(wrong, progress=NO_PROGRESS)
    with pytest.raises(IntegrityError, match="the record says 7 bytes"):
        store.fetch(wrong, tmp_path / "target", progress=NO_PROGRESS)
    store.verify(large(saved), progress=NO_PROGRESS)


def test_a_fetched_file_is_the_users_own_with_its_executable_bit(
    store: BlobStore, saved: list[FileEntry], tmp_path: Path
) -> None:
    umask = os.umask(0o027)
    try:
        for entry in saved:
            store.fetch(entry, tmp_path / "target", progress=NO_PROGRESS)
            assert (tmp_path / "target").stat().st_mode & 0o777 == (0o750 if entry.executable else 0o640)
    finally:
        os.umask(umask)


def test_a_sweep_lists_and_removes_what_is_neither_live_nor_young(
    store: BlobStore, saved: list[FileEntry], tmp_path: Path
) -> None:
    old, live, young, *_ = saved
    damaged = saved[3]
    blob(store, damaged).rename(blob(store, damaged).with_suffix(".bad"))
    left = tmp_path / "store" / "tmp" / "killed" / "0"
    left.parent.mkdir()
    left.write_text("half")
    (tmp_path / "store" / "sha256" / "README").write_text("somebody's notes")
    for path in (tmp_path / "store").rglob("*"):
        os.utime(path, (1000, 1000))
    os.utime(blob(store, young), (2000, 2000))
    for apply in (False, True):
        swept = list(store.sweep([live.sha256], older_than=2000, apply=apply))
        assert sorted((item.kind, item.sha256, item.size, item.mtime) for item in swept) == sorted(
            [
                ("blob", old.sha256, old.size, 1000.0),
                ("quarantined", damaged.sha256, damaged.size, 1000.0),
                ("temporary", None, 4, 1000.0),
            ],
            key=str,
        )
    assert list(store.sweep([live.sha256], older_than=2000, apply=True)) == []
    assert store.missing(entry.sha256 for entry in saved) == {old.sha256, damaged.sha256}
    assert temporary_files(tmp_path / "store") == []
    assert (tmp_path / "store" / "sha256" / "README").exists()


def test_a_blob_that_a_killed_sweep_had_in_hand_comes_back(store: BlobStore, saved: list[FileEntry]) -> None:
    path = blob(store, large(saved))
    path.rename(path.with_suffix(".going"))
    list(store.sweep([large(saved).sha256], older_than=FOREVER, apply=True))
    store.verify(large(saved), progress=NO_PROGRESS)


def test_a_store_whose_folder_is_away_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "unmounted"))
    with pytest.raises(IntegrityError, match="is not there") as caught:
        store.verify(FileEntry("m", 1, "0" * 64), progress=NO_PROGRESS)
    assert not isinstance(caught.value, NotFound)
