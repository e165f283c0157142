"""What every bucket must do, on every kind of bucket."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitreg.blobs.buckets.bucket import Bucket, NoSuchObjectError
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.buckets.upload import PIECE
from gitreg.blobs.urls import open_bucket
from gitreg.progress import NO_PROGRESS

MIB = 1 << 20


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def name(digest: str) -> str:
    return f"sha256/{digest[:2]}/{digest}"


def upload(bucket: Bucket, path: Path, progress: object = NO_PROGRESS) -> tuple[str, int]:
    with open(path, "rb") as file:
        return bucket.upload(file.fileno(), name, progress)  # type: ignore[arg-type]


class Counted:
    def __init__(self) -> None:
        self.bytes = 0

    def advance(self, nbytes: int) -> None:
        self.bytes += nbytes


@pytest.mark.parametrize("data", [b"", b"x", os.urandom(3 * MIB + 7)], ids=["empty", "a byte", "3 MiB"])
def test_what_was_written_is_read(bucket: Bucket, data: bytes) -> None:
    bucket.write("sha256/ab/key", data)
    assert bucket.read("sha256/ab/key") == data


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_can_be_written(bucket: Bucket, kind: type) -> None:
    bucket.write("a/key", kind(b"some bytes"))
    assert bucket.read("a/key") == b"some bytes"


def test_an_object_replaces_what_is_there(bucket: Bucket) -> None:
    bucket.write("a/key", b"a longer one")
    bucket.write("a/key", b"new")
    assert bucket.read("a/key") == b"new"


def test_a_range_ends_where_the_object_ends(bucket: Bucket) -> None:
    data = os.urandom(1000)
    bucket.write("a/key", data)
    for start, stop in [
        (0, 1),
        (0, 1000),
        (10, 20),
        (999, 1000),
        (0, 5000),
        (990, 2000),
        (5, 5),
        (1000, 1001),
        (3000, 4000),
    ]:
        assert bucket.read("a/key", start, stop) == data[start:stop], (start, stop)
    for start in (0, 1, 999, 1000, 2000):
        assert bucket.read("a/key", start) == data[start:], start


def test_a_range_of_an_empty_object_is_empty(bucket: Bucket) -> None:
    bucket.write("a/key", b"")
    assert bucket.read("a/key", 0, 10) == b""


def test_reading_what_is_not_there_names_the_key(bucket: Bucket) -> None:
    for span in [(0, None), (0, 10), (5, None)]:
        with pytest.raises(NoSuchObjectError) as error:
            bucket.read("a/none", *span)
        assert error.value.key == "a/none"
    bucket.write("a/key", b"x")
    with pytest.raises(NoSuchObjectError):
        bucket.read("a/none")


@pytest.mark.parametrize("count", [1, 3, 60])
def test_of_many_keys_those_are_found_that_are_there(bucket: Bucket, count: int) -> None:
    there = {f"sha256/ab/{number:04}": number for number in range(count)}
    for key, size in there.items():
        bucket.write(key, bytes(size))
    found = bucket.find([*there, *(f"sha256/ab/none{number}" for number in range(count)), "packs/cd/none"])
    assert {key: info.size for key, info in found.items()} == there
    assert all(info.key == key for key, info in found.items())
    assert bucket.find([]) == {}


def test_an_object_is_as_old_as_the_buckets_clock_says(bucket: Bucket) -> None:
    before = bucket.now()
    bucket.write("a/key", b"x")
    after = bucket.now()
    mtime = bucket.find(["a/key"])["a/key"].mtime
    assert before - 1.1 <= mtime <= after + 1.1  # whole seconds at some
    assert abs(mtime - time.time()) < 60
    assert [info.mtime for info in bucket.list("a/")] == pytest.approx([mtime], abs=1.1)


def test_a_listing_is_of_one_folder_and_all_below_it(bucket: Bucket) -> None:
    for key in ("a/b/1", "a/b/c/2", "a/b.pack", "a/bb/3", "x"):
        bucket.write(key, key.encode())
    assert {info.key: info.size for info in bucket.list("a/b/")} == {"a/b/1": 5, "a/b/c/2": 7}
    assert {info.key for info in bucket.list("a/")} == {"a/b/1", "a/b/c/2", "a/b.pack", "a/bb/3"}
    assert list(bucket.list("none/")) == []


@pytest.mark.slow
@pytest.mark.parametrize("url", ["radosgw", "azurite", "sshd"], indirect=True)  # Swift takes two minutes for them
def test_a_listing_goes_on_after_its_first_page(bucket: Bucket) -> None:
    keys = {f"many/{number % 3}/{number:05}" for number in range(1100)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: bucket.write(key, b""), keys))
    assert {info.key for info in bucket.list("many/")} == keys
    assert bucket.find(keys).keys() == keys
    bucket.delete(keys)
    assert list(bucket.list("many/")) == []


def test_a_moved_object_is_only_at_its_new_key(bucket: Bucket) -> None:
    data = os.urandom(100_000)
    bucket.write("sha256/ab/key", data)
    bucket.write("trash/sha256/ab/key", b"old")
    bucket.move("sha256/ab/key", "trash/sha256/ab/key")
    assert bucket.read("trash/sha256/ab/key") == data
    assert bucket.find(["sha256/ab/key", "trash/sha256/ab/key"]).keys() == {"trash/sha256/ab/key"}


def age(bucket: Bucket, key: str, seconds: float) -> None:
    """Make an object older: a folder's file is dated back, and elsewhere that time is waited for."""
    if isinstance(bucket, FolderBucket):
        path = bucket.root / key
        written = path.stat().st_mtime - seconds
        os.utime(path, (written, written))
    else:
        time.sleep(seconds)


@pytest.mark.slow
def test_a_moved_object_counts_as_written_now(bucket: Bucket) -> None:
    bucket.write("a/key", b"x")
    age(bucket, "a/key", 2.1)
    written = bucket.find(["a/key"])["a/key"].mtime
    bucket.move("a/key", "b/c/key")
    assert bucket.find(["b/c/key"])["b/c/key"].mtime >= written + 1


def test_moving_what_is_not_there_says_so(bucket: Bucket) -> None:
    bucket.write("a/key", b"x")
    with pytest.raises(NoSuchObjectError) as error:
        bucket.move("a/none", "a/key")
    assert error.value.key == "a/none"
    assert bucket.read("a/key") == b"x"


def test_what_is_deleted_is_gone_and_what_is_not_there_is_no_error(bucket: Bucket) -> None:
    for key in ("a/1", "a/2", "a/3"):
        bucket.write(key, b"x")
    bucket.delete(["a/1", "a/none", "none/none", "a/2"])
    bucket.delete([])
    assert [info.key for info in bucket.list("a/")] == ["a/3"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 5, 2 * PIECE + 5], ids=["empty", "small", "in pieces"])
def test_an_uploaded_file_lies_under_the_key_that_its_sha256_gives(bucket: Bucket, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    seen = Counted()
    assert upload(bucket, tmp_path / "file", seen) == (sha256_of(data), size)
    assert bucket.read(name(sha256_of(data))) == data
    assert seen.bytes == size
    assert list(bucket.unfinished()) == []


@pytest.mark.slow
def test_uploading_again_sends_nothing(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"some bytes")
    key = name(upload(bucket, tmp_path / "file")[0])
    age(bucket, key, 1.1)
    before = bucket.find([key])[key]
    upload(bucket, tmp_path / "file")
    assert bucket.find([key])[key] == before


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_sent_is_never_published(bucket: Bucket, tmp_path: Path) -> None:
    from gitreg.errors import GitregError

    path = tmp_path / "file"
    path.write_bytes(os.urandom(3 * PIECE))
    if bucket.local:
        pytest.skip("a folder hashes what it wrote")
    seen: list[str] = []

    def then_change(digest: str) -> str:
        with open(path, "r+b") as file:
            file.seek(2 * PIECE)
            file.write(b"changed")
        seen.append(digest)
        return name(digest)

    with open(path, "rb") as file, pytest.raises(GitregError, match="changed while it was sent"):
        bucket.upload(file.fileno(), then_change, NO_PROGRESS)
    assert bucket.find([name(seen[0])]) == {}
    assert list(bucket.unfinished()) == []


def test_two_folders_of_a_bucket_do_not_see_each_other(bucket: Bucket, url: str) -> None:
    other = open_bucket(f"{url}2")
    bucket.write("a/key", b"x")
    assert list(other.list("a/")) == []
    assert other.find(["a/key"]) == {}
    other.write("a/key", b"y")
    other.delete(["a/key"])
    assert bucket.read("a/key") == b"x"


def test_a_reader_sees_an_object_whole_whoever_writes_it(bucket: Bucket) -> None:
    versions = [bytes([number]) * (2 * MIB) for number in range(4)]
    bucket.write("a/key", versions[0])
    with ThreadPoolExecutor(6) as pool:
        writing = [pool.submit(bucket.write, "a/key", data) for data in versions * 2]
        reads = [pool.submit(bucket.read, "a/key") for _ in range(16)]
        for each in writing:
            each.result()
        assert all(read.result() in versions for read in reads)
    assert list(bucket.unfinished()) == []


def test_a_bucket_is_told_by_its_url(bucket: Bucket, url: str) -> None:
    assert open_bucket(bucket.url).url == bucket.url
    bucket.write("a/key", b"x")
    assert open_bucket(bucket.url).read("a/key") == b"x"
    assert bucket.local == bucket.url.startswith("file:")
    assert (bucket.local_path("a/key") is not None) == bucket.local
    bucket.sync(["a/key"])
