from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.blobs import file_io
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.cache.prune import cached_artifacts
from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from gitreg.blobs.urls import open_store
from gitreg.errors import IntegrityError, InvalidInput, Refused
from tests.blobs.helpers import blob, contents, fetch, flip_a_bit, large


class Elsewhere(FolderBucket):
    """A bucket whose objects do not lie on this machine as files of their own."""

    local = False

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads = 0

    def local_path(self, key: str) -> None:
        return None

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        self.reads += 1
        return super().read(key, start, stop)


@pytest.fixture
def checked_out(cache: Cache, store: Store, saved: Manifest) -> Path:
    return cache.checkout(saved, store)


def test_a_checkout_is_the_model_read_only(checked_out: Path, model: Path) -> None:
    assert contents(checked_out) == contents(model)
    modes = {path.name: path.stat().st_mode & 0o777 for path in checked_out.rglob("*") if path.is_file()}
    assert modes == {".config.json": 0o444, "empty": 0o444, "model.safetensors": 0o444, "run.sh": 0o555}


def test_a_second_checkout_needs_neither_the_store_nor_a_look_into_the_files(
    checked_out: Path, tmp_path: Path, saved: Manifest
) -> None:
    (tmp_path / "store").rename(tmp_path / "away")
    before = [path.stat().st_atime_ns for path in checked_out.rglob("*") if path.is_file()]

    class NoWork:
        def advance(self, nbytes: int) -> None:
            pytest.fail("something was read")

    again = Cache(tmp_path / "cache")
    nowhere = open_store(str(tmp_path / "store"))
    assert again.checkout(saved, nowhere, progress=NoWork()) == checked_out
    assert [path.stat().st_atime_ns for path in checked_out.rglob("*") if path.is_file()] == before


def test_a_flipped_bit_in_the_cache_is_mended_from_the_store(
    checked_out: Path, cache: Cache, store: Store, saved: Manifest, model: Path
) -> None:
    path = checked_out / "model.safetensors"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    flip_a_bit(path)
    os.utime(path, ns=times)  # not even a forged mtime hides it
    cache.checkout(saved, store)
    assert contents(checked_out) == contents(model)
    assert path.stat().st_mode & 0o777 == 0o444


def test_a_touched_but_whole_file_is_hashed_again_and_kept(
    checked_out: Path, cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    path = checked_out / "model.safetensors"
    path.touch()
    inode = path.stat().st_ino
    (tmp_path / "store").rename(tmp_path / "away")
    cache.checkout(saved, store)
    assert path.stat().st_ino == inode


def test_when_cache_and_store_are_both_damaged_nothing_comes_out(
    checked_out: Path, cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    flip_a_bit(checked_out / "model.safetensors")
    flip_a_bit(blob(store, large(saved)))
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"model\.safetensors"):
            cache.checkout(saved, store)
    with pytest.raises(IntegrityError, match=r"model\.safetensors"):
        cache.export(saved, store, tmp_path / "out")
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_what_does_not_belong_in_a_checkout_is_removed(
    *, checked_out: Path, cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    (checked_out / "__pycache__").mkdir()
    (checked_out / "__pycache__" / "x.pyc").touch()
    (checked_out / "run.sh").unlink()
    (checked_out / "run.sh" / "folder").mkdir(parents=True)
    (checked_out / "empty").unlink()
    (checked_out / "empty").symlink_to(model / "empty")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".config.json").write_text("not ours")
    (checked_out / "1_Pooling" / ".config.json").unlink()
    (checked_out / "1_Pooling").rmdir()
    (checked_out / "1_Pooling").symlink_to(tmp_path / "elsewhere")
    cache.checkout(saved, store)
    assert contents(checked_out) == contents(model)
    assert not any(path.is_symlink() for path in checked_out.rglob("*"))
    assert (tmp_path / "elsewhere" / ".config.json").read_text() == "not ours"


def test_a_broken_memo_costs_only_time(
    checked_out: Path, cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    [memo] = (tmp_path / "cache" / "memos").iterdir()
    (whole,) = cached_artifacts(cache.layout)
    strange = ('{"files": [1], "boot": ""}', '{"files": {"a": 5}, "boot": ""}', '{"files": {}, "boot": 5}', "[" * 9999)
    for text in ("", "[]", "nonsense", '{"model.safetensors": 5}', *strange):
        memo.write_text(text)
        assert cached_artifacts(cache.layout)[0].size == whole.size
        assert cache.checkout(saved, store) == checked_out


@pytest.mark.parametrize("path", ["../escape", "/tmp/escape", "a/../../escape"])
def test_a_record_cannot_climb_out_of_the_folder(cache: Cache, store: Store, tmp_path: Path, path: str) -> None:
    manifest = Manifest.of([FileEntry(path, 1, hashlib.sha256(b"x").hexdigest())])
    with pytest.raises(InvalidInput):
        cache.checkout(manifest, store)
    with pytest.raises(InvalidInput):
        cache.export(manifest, store, tmp_path / "out")


CHECKOUT = """
import sys; from pathlib import Path
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.urls import open_store
manifest = Manifest.parse(sys.stdin.buffer.read())
print(Cache(Path(sys.argv[1])).checkout(manifest, open_store(sys.argv[2])))
"""


@pytest.mark.slow
def test_eight_processes_check_out_the_same_set_at_once(
    store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CHECKOUT, str(tmp_path / "cache"), str(tmp_path / "store")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    processes = [subprocess.Popen(command, **pipes) for _ in range(8)]  # type: ignore[call-overload]
    for process in processes:
        process.stdin.write(saved.text)
        process.stdin.close()
    answers = {process.stdout.read() for process in processes}
    for process in processes:
        process.stdout.close()
        assert process.wait() == 0
    [folder] = answers
    assert contents(Path(folder.decode().strip())) == contents(model)
    assert list((tmp_path / "cache" / "building").iterdir()) == []


def test_an_export_is_the_users_own(
    *, checked_out: Path, cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        cache.export(saved, store, tmp_path / name)
        assert contents(tmp_path / name) == contents(model)
    (tmp_path / "one" / "model.safetensors").write_text("mine")
    (tmp_path / "one" / "run.sh").unlink()
    assert (tmp_path / "two" / "run.sh").stat().st_mode & 0o700 == 0o700
    assert contents(tmp_path / "two") == contents(model) == contents(checked_out)
    assert contents(fetch(store, saved, tmp_path / "again")) == contents(model)


def test_an_export_from_a_store_on_this_machine_fills_no_cache(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        cache.export(saved, store, tmp_path / name)
        assert contents(tmp_path / name) == contents(model)
    assert not (tmp_path / "cache" / "artifacts").exists()


def test_a_blob_damaged_after_it_was_verified_does_not_come_out(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    cache.export(saved, store, tmp_path / "one")
    flip_a_bit(blob(store, large(saved)))
    with pytest.raises(IntegrityError, match=r"model\.safetensors"):
        cache.export(saved, store, tmp_path / "two")
    assert not (tmp_path / "two" / "model.safetensors").exists()


def test_an_export_from_elsewhere_goes_through_the_cache_once(
    cache: Cache, store_folder: Path, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    elsewhere = Elsewhere(store_folder)
    cache.export(saved, Store(elsewhere), tmp_path / "one")
    reads = elsewhere.reads
    assert reads
    cache.export(saved, Store(elsewhere), tmp_path / "two")
    assert elsewhere.reads == reads
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(model)


def test_an_export_beside_the_same_files_and_others_is_fine(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    (tmp_path / "out" / "run.sh").write_text("#!/bin/sh\n")
    for _ in range(2):
        cache.export(saved, store, tmp_path / "out")
        assert contents(tmp_path / "out") == contents(model) | {"notes.txt": b"mine"}


@pytest.mark.parametrize("content", ["#!/bin/zsh", "#!/bin/zh\n"])  # another size; the same size
def test_an_export_over_another_content_is_refused_before_anything_is_written(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path, content: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.sh").write_text(content)
    with pytest.raises(Refused, match=r"run\.sh exists already and differs"):
        cache.export(saved, store, tmp_path / "out")
    assert contents(tmp_path / "out") == {"run.sh": content.encode()}


def test_an_export_does_not_follow_links_in_the_folder(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    for name in ("1_Pooling", "run.sh"):
        out = tmp_path / f"out-{name}"
        out.mkdir()
        (out / name).symlink_to(tmp_path / "outside")
        with pytest.raises(Refused, match=name):
            cache.export(saved, store, out)
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_export_onto_a_file_or_with_a_folder_in_the_way_is_refused(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="is no folder"):
        cache.export(saved, store, tmp_path / "file")
    (tmp_path / "out" / "run.sh").mkdir(parents=True)
    with pytest.raises(Refused, match="no regular file"):
        cache.export(saved, store, tmp_path / "out")


def test_an_export_removes_what_a_killed_one_left_but_not_what_is_being_written(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".gitreg-0123456789abcdef.partial").write_text("half")
    with file_io.replacing(tmp_path / "out" / "another"):
        cache.export(saved, store, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(model) | {"another": b""}
