"""What only a bucket that is a folder has: modes, other users, times, what stands in the way."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from gitreg.blobs import file_io
from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.bucket import NoSuchObjectError
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from gitreg.errors import GitregError, StoreGoneError
from gitreg.progress import NO_PROGRESS
from tests.blobs.helpers import contents, fetch, put

KEY = layout.blob("0" * 64)


@pytest.fixture
def bucket(store_folder: Path) -> FolderBucket:
    return FolderBucket(store_folder)


def test_plain_objects_are_read_only_files_that_sha256sum_can_check(
    store: Store, store_folder: Path, saved: Manifest
) -> None:
    files = [path for path in (store_folder / "sha256").rglob("*") if path.is_file()]
    assert files
    lines = "".join(f"{path.name}  {path}\n" for path in files)
    subprocess.run(["sha256sum", "--check", "--quiet"], input=lines, text=True, check=True)
    assert {stat.S_IMODE(path.stat().st_mode) for path in store_folder.rglob("*") if path.is_file()} == {0o444}
    assert list((store_folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_teams_store_stays_open_to_the_team_whatever_somebodys_umask(
    bucket: FolderBucket, store_folder: Path, umask: int
) -> None:
    store_folder.mkdir()
    store_folder.chmod(0o2775)
    before = os.umask(umask)
    try:
        bucket.write(KEY, b"x")
    finally:
        os.umask(before)
    folders = [path for path in store_folder.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o2775}
    assert stat.S_IMODE((store_folder / KEY).stat().st_mode) == 0o444


def test_a_fetched_file_is_the_users_own_with_its_executable_bit(store: Store, saved: Manifest, tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        out = fetch(store, saved, tmp_path / "out")
    finally:
        os.umask(umask)
    for entry in saved.files:
        assert stat.S_IMODE((out / entry.path).stat().st_mode) == (0o750 if entry.executable else 0o640)


SOMEBODY_ELSE = """
import os, sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.urls import open_store
from gitreg.errors import GitregError
from tests.blobs.helpers import fetch, put
manifest = Manifest.parse(sys.stdin.buffer.read())
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
fetch(open_store(sys.argv[1]), manifest, Path(sys.argv[2]))
try:
    put(open_store(sys.argv[1]), Path(sys.argv[3]))
except GitregError as error:
    sys.exit(f"{error} | {error.hint}")
"""


@pytest.mark.slow
def test_a_store_of_another_user_is_read_and_refuses_a_save_in_words(model: Path) -> None:
    if os.geteuid():
        pytest.skip("only the superuser can be somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "theirs").mkdir()
        os.chown(folder / "theirs", 65534, 65534)
        manifest = put(Store(FolderBucket(folder / "store")), model)
        (folder / "new").write_text("new")
        arguments = [str(folder / name) for name in ("store", "theirs/out", "new")]
        command = [sys.executable, "-c", SOMEBODY_ELSE, *arguments]
        ended = subprocess.run(command, input=manifest.text, capture_output=True, check=False)
        assert contents(folder / "theirs" / "out") == contents(model)
    assert ended.returncode == 1
    assert b"Permission denied | ask for the permission, or choose a folder of your own" in ended.stderr


def test_what_is_moved_counts_as_written_now(bucket: FolderBucket, store_folder: Path) -> None:
    bucket.write(KEY, b"x")
    os.utime(store_folder / KEY, (1000, 1000))
    bucket.move(KEY, layout.TRASH + KEY)
    assert bucket.now() - bucket.find([layout.TRASH + KEY])[layout.TRASH + KEY].mtime < 10
    with pytest.raises(NoSuchObjectError):
        bucket.move(KEY, layout.TRASH + KEY)


def test_an_upload_takes_the_place_of_one_that_was_cut_off_and_of_no_whole_one(
    bucket: FolderBucket, store_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"12345")
    key = layout.blob(sha256(b"12345").hexdigest())

    def upload() -> int:
        source = os.open(tmp_path / "source", os.O_RDONLY)
        try:
            assert bucket.upload(source, layout.blob, NO_PROGRESS) == (layout.digest_in(key), 5)
        finally:
            os.close(source)
        return (store_folder / key).stat().st_ino

    bucket.write(key, b"123")
    first = upload()
    assert bucket.read(key) == b"12345"
    assert upload() == first


def test_a_range_is_read_from_anywhere_to_anywhere(bucket: FolderBucket) -> None:
    bucket.write(KEY, bytes(range(100)))
    for start, stop in ((0, None), (0, 10), (50, None), (50, 60), (90, 200), (100, 200), (300, 400), (7, 7)):
        assert bucket.read(KEY, start, stop) == bytes(range(100))[start:stop]


def test_a_listing_that_cannot_be_whole_fails_in_words(bucket: FolderBucket, store_folder: Path) -> None:
    """Else a registry's claim would be overlooked, and its weights collected."""
    bucket.write(layout.CLAIMS + "a", b"x")
    (store_folder / "claims").rename(store_folder / "real")
    (store_folder / "claims").write_text("a file")
    with pytest.raises(GitregError, match="claims: Not a directory"):
        list(bucket.list(layout.CLAIMS))
    assert list(bucket.list("nowhere/")) == []


def test_a_store_whose_folder_is_away_does_not_hold_the_files(store: Store, saved: Manifest, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "unmounted")
    with pytest.raises(StoreGoneError, match="is not there"):
        fetch(store, saved, tmp_path / "out")
    assert store.missing([saved]) == {saved.digest: list(saved.files)}
    assert not (tmp_path / "store").exists()


def test_a_file_in_a_folders_place_is_an_error_in_words(store: Store, model: Path, store_folder: Path) -> None:
    store_folder.mkdir()
    (store_folder / "sha256").write_text("a file")
    with pytest.raises(GitregError, match=r"Not a directory|File exists") as caught:
        put(store, model)
    assert "move it away" in str(caught.value.hint)
    store_folder.joinpath("sha256").unlink()
    put(store, model)


def test_a_writer_killed_while_it_makes_a_folder_locks_nobody_out(
    bucket: FolderBucket, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    store_folder.mkdir()
    store_folder.chmod(0o2775)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", killed)
        with pytest.raises(Killed):
            bucket.write(KEY, b"x")
    bucket.write(KEY, b"x")
    there = [store_folder / "tmp", *(store_folder / KEY).parents]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in there if path.is_relative_to(store_folder)}
    assert modes == {0o2775}
    assert [info.key for info in bucket.list("")] == [KEY]


def test_folders_that_eight_make_at_once_are_made_once(bucket: FolderBucket) -> None:
    keys = [layout.blob(f"{number:064x}") for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: bucket.write(key, b"x"), keys))
    assert {info.key for info in bucket.list("")} == set(keys)
    assert [path for path in bucket.root.rglob(".*") if path.is_dir()] == []


def test_the_name_of_a_new_store_survives_a_loss_of_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(file_io, "sync_folder", synced.append)
    FolderBucket(tmp_path / "a" / "b" / "store").write(KEY, b"x")
    assert set(synced) >= {tmp_path, tmp_path / "a", tmp_path / "a" / "b"}
