"""Artifacts as a file system: what is listed, which bytes are fetched for a range, and that nothing wrong comes out."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import fsspec.spec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Buffer
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.files import FileEntry
from gitreg.blobs.format.recipe import Chunk, parse_recipe, recipe_text
from gitreg.blobs.fsspec_filesystem import ArtifactFileSystem, NoSuchFileError, ResolvedPath, open_by_parts, split_path
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replicas import Replicas
from gitreg.blobs.store import Store
from gitreg.errors import IntegrityError, NotFound, Refused
from tests.blobs.helpers import Watched, contents, flip_a_bit, put

SIZE = 64 << 10


@pytest.fixture
def bucket(store_folder: Path) -> Watched:
    return Watched(store_folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "big.bin").write_bytes(os.urandom(SIZE))
    (folder / "middle.bin").write_bytes(os.urandom(3000))
    (folder / "deep" / "a.json").write_text("{}")
    (folder / "deep" / "er" / "b.json").write_text("[]")
    return folder


@pytest.fixture
def manifest(bucket: Watched, folder: Path, small_sizes: None) -> Manifest:
    manifest = put(Store(bucket), folder)
    bucket.reads.clear()
    return manifest


@pytest.fixture
def files(manifest: Manifest, bucket: Watched, cache: Cache) -> ArtifactFileSystem:
    @contextmanager
    def resolve(reference: str) -> Iterator[ResolvedPath]:
        if reference not in ("team/iris@1", "team/iris@production"):
            raise NoSuchFileError(f"no {reference}")
        yield ResolvedPath(manifest, lambda: Store(bucket), cache)

    return ArtifactFileSystem(resolve)


def chunk_reads(bucket: Watched) -> int:
    return sum(key.startswith(keys.BLOBS) for key, _ in bucket.reads)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("iris@7/model.bin", ("iris@7", "model.bin")),
        ("team/iris@production/dir/file", ("team/iris@production", "dir/file")),
        ("team/iris@7", ("team/iris@7", "")),
        ("iris@sha256:abc/a@b", ("iris@sha256:abc", "a@b")),
    ],
)
def test_a_path_is_split_behind_the_version(path: str, parts: tuple[str, str]) -> None:
    assert split_path(path) == parts


@pytest.mark.parametrize("path", ["", "iris", "iris/model.bin", "@1/x", "iris@", "iris@/x"])
def test_a_path_without_a_version_is_refused(path: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        split_path(path)
    assert isinstance(caught.value, NotFound)
    assert caught.value.hint


def test_folders_and_files_are_listed_walked_and_globbed(files: ArtifactFileSystem) -> None:
    assert files.ls("team/iris@1", detail=False) == [
        "team/iris@1/big.bin",
        "team/iris@1/deep",
        "team/iris@1/middle.bin",
    ]
    assert list(files.walk("team/iris@1")) == [
        ("team/iris@1", ["deep"], ["big.bin", "middle.bin"]),
        ("team/iris@1/deep", ["er"], ["a.json"]),
        ("team/iris@1/deep/er", [], ["b.json"]),
    ]
    assert files.glob("team/iris@1/deep/*.json") == ["team/iris@1/deep/a.json"]
    assert files.glob("team/iris@1/**/*.json") == ["team/iris@1/deep/a.json", "team/iris@1/deep/er/b.json"]
    assert files.find("team/iris@1/deep") == ["team/iris@1/deep/a.json", "team/iris@1/deep/er/b.json"]
    assert files.info("team/iris@1/deep")["type"] == "directory"
    assert files.info("team/iris@1/big.bin")["size"] == SIZE
    assert files.ls("team/iris@1/big.bin", detail=False) == ["team/iris@1/big.bin"]
    assert files.isdir("team/iris@1/deep")
    assert files.isfile("team/iris@1/middle.bin")
    assert not files.exists("team/iris@1/dee")
    assert not files.exists("team/iris@2/big.bin")


def test_it_can_only_be_read(files: ArtifactFileSystem) -> None:
    with pytest.raises(Refused):
        files.open("team/iris@1/new", "wb")
    with pytest.raises(NotImplementedError):
        files.rm_file("team/iris@1/big.bin")
    for what in ("team/iris@1/nothing", "team/iris@1/deep"):
        with pytest.raises(FileNotFoundError):
            files.open(what)


def test_a_range_of_a_big_file_fetches_only_the_chunks_that_hold_it(
    files: ArtifactFileSystem, manifest: Manifest, bucket: Watched, cache: Cache, folder: Path
) -> None:
    data = (folder / "big.bin").read_bytes()
    assert files.cat_file("team/iris@1/big.bin", 30_000, 30_010) == data[30_000:30_010]
    assert 1 <= chunk_reads(bucket) <= 2
    assert sum(size for _, size in bucket.reads) < SIZE / 2
    assert files.cat_file("team/iris@1/big.bin", -5) == data[-5:]
    assert files.cat_file("team/iris@1/big.bin", 5, -5) == data[5:-5]
    assert cache.layout.names() == []


def test_what_was_read_lately_is_not_fetched_again(files: ArtifactFileSystem, bucket: Watched, folder: Path) -> None:
    with files.open("team/iris@1/big.bin") as file:
        for _ in range(5):
            file.seek(-1, io.SEEK_END)  # the last chunk may be a byte
            file.read()
            file.seek(0)
            file.read(8)
    assert chunk_reads(bucket) == 2


def test_a_small_file_goes_through_the_cache_and_is_fetched_once_and_alone(
    files: ArtifactFileSystem, bucket: Watched, cache: Cache
) -> None:
    for _ in range(2):
        assert files.cat_file("team/iris@1/middle.bin", 10, 20) != b""
    assert chunk_reads(bucket) == 1
    bucket.reads.clear()
    for _ in range(2):
        assert files.cat_file("team/iris@1/deep/a.json") == b"{}"
    assert chunk_reads(bucket) == 0
    assert len(cache.layout.names()) == 2


def test_what_is_in_the_cache_is_read_from_there(
    files: ArtifactFileSystem, manifest: Manifest, bucket: Watched, cache: Cache, folder: Path
) -> None:
    cache.checkout(manifest, Store(bucket))
    bucket.reads.clear()
    assert {name.removeprefix("team/iris@1/"): files.cat_file(name) for name in files.find("team/iris@1")} == contents(
        folder
    )
    assert bucket.reads == []


steps = st.lists(
    st.one_of(
        st.tuples(st.just("seek"), st.integers(0, SIZE + 100)),
        st.tuples(st.just("read"), st.integers(0, SIZE // 3)),
        st.tuples(st.just("back"), st.integers(-SIZE, 0)),
    ),
    max_size=20,
)


@pytest.mark.slow
@given(steps=steps)
def test_an_open_file_behaves_as_a_local_one(
    files: ArtifactFileSystem, folder: Path, steps: list[tuple[str, int]]
) -> None:
    with files.open("team/iris@production/big.bin") as ours, open(folder / "big.bin", "rb") as local:
        for what, number in steps:
            if what == "read":
                assert ours.read(number) == local.read(number)
            elif what == "seek":
                assert ours.seek(number) == local.seek(number)
            else:
                assert ours.seek(number, io.SEEK_END) == local.seek(number, io.SEEK_END)
            assert ours.tell() == local.tell()
        assert ours.read() == local.read()


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def chunks(bucket: Watched, manifest: Manifest) -> list[Chunk]:
    big = next(entry for entry in manifest.files if entry.path == "big.bin")
    return parse_recipe(FolderBucket.read(bucket, keys.recipe(big.sha256)))


@pytest.mark.parametrize("harm", [flip_a_bit, Path.unlink])
def test_a_damaged_or_missing_chunk_does_not_come_out(
    files: ArtifactFileSystem, bucket: Watched, chunks: list[Chunk], folder: Path, harm: Callable[[Path], None]
) -> None:
    data = (folder / "big.bin").read_bytes()
    harm(bucket.root / keys.blob(chunks[3].sha256))
    assert files.cat_file("team/iris@1/big.bin", 0, chunks[0].size) == data[: chunks[0].size]
    start = sum(chunk.size for chunk in chunks[:3])
    for _ in range(2):
        with pytest.raises(IntegrityError, match=r"big\.bin"):
            files.cat_file("team/iris@1/big.bin", start, start + 1)
    assert not (bucket.root / keys.blob(chunks[3].sha256)).exists(), "it is set aside"


def forge(bucket: Watched, manifest: Manifest, data: Buffer) -> None:
    """Let the recipe of the big file name whole chunks that make up something else."""
    big = next(entry for entry in manifest.files if entry.path == "big.bin")
    forged = Chunk(sha256(data).hexdigest(), len(data))
    chunks = parse_recipe(FolderBucket.read(bucket, keys.recipe(big.sha256)))
    bucket.write(keys.blob(forged.sha256), data)
    bucket.write(keys.recipe(big.sha256), recipe_text([*chunks[:-1], forged]))


@pytest.mark.slow
@pytest.mark.parametrize("end_first", [False, True])
def test_a_forged_recipe_is_found_when_the_file_is_read_from_beginning_to_end(
    files: ArtifactFileSystem, bucket: Watched, manifest: Manifest, chunks: list[Chunk], *, end_first: bool
) -> None:
    forge(bucket, manifest, b"!" * chunks[-1].size)
    out: list[bytes] = []
    with files.open("team/iris@1/big.bin") as file:
        if end_first:
            file.seek(-1, io.SEEK_END)
            assert file.read() == b"!", "by a range alone it cannot be found"
            file.seek(0)
        with pytest.raises(IntegrityError, match=r"big\.bin"):
            out.extend(iter(lambda: file.read(1000), b""))
    assert sum(map(len, out)) > SIZE / 2
    assert b"!!!" not in b"".join(out)


def by_parts(found: ResolvedPath, entry: FileEntry) -> BinaryIO:
    file = open_by_parts(found, entry)
    assert file is not None
    return file


@pytest.mark.slow
def test_nothing_of_a_forged_file_is_taken_for_the_file_where_another_store_has_it_whole(
    manifest: Manifest, bucket: Watched, chunks: list[Chunk], folder: Path, cache: Cache, tmp_path: Path
) -> None:
    shutil.copytree(bucket.root, tmp_path / "replica")
    stores = Replicas([Store(bucket), Store(Watched(tmp_path / "replica"))], lambda _: None)
    big = next(entry for entry in manifest.files if entry.path == "big.bin")
    other = b"!" * chunks[0].size
    bucket.write(keys.blob(sha256(other).hexdigest()), other)
    bucket.write(keys.recipe(big.sha256), recipe_text([Chunk(sha256(other).hexdigest(), len(other)), *chunks[1:]]))
    data = (folder / "big.bin").read_bytes()
    with by_parts(ResolvedPath(manifest, lambda: stores, cache), big) as file:
        assert file.read(len(other)) == other, "by a range alone it cannot be found"
        with pytest.raises(IntegrityError, match="was not this file"):
            file.read()
        file.seek(0)
        assert file.read() == data
    with by_parts(ResolvedPath(manifest, lambda: stores, cache), big) as file:
        assert file.read() == data


def test_it_is_one_of_fsspecs(files: ArtifactFileSystem, folder: Path, tmp_path: Path) -> None:
    assert isinstance(files, fsspec.spec.AbstractFileSystem)
    files.get("team/iris@1", str(tmp_path / "got"), recursive=True)
    assert contents(tmp_path / "got") == contents(folder)


def test_who_admits_files_is_told_whether_all_of_one_was_held_against_its_hash(
    manifest: Manifest, bucket: Watched, cache: Cache
) -> None:
    asked: list[tuple[str, bool]] = []

    @contextmanager
    def resolve(_: str) -> Iterator[ResolvedPath]:
        admit = lambda entry, _, verified: asked.append((entry.path, verified))  # noqa: E731
        yield ResolvedPath(manifest, lambda: Store(bucket), cache, admit=admit)

    files = ArtifactFileSystem(resolve, skip_instance_cache=True)
    for path in ("big.bin", "middle.bin"):
        files.open(f"iris@1/{path}").close()
    cache.checkout(manifest, Store(bucket))
    files.open("iris@1/big.bin").close()
    assert asked == [("big.bin", False), ("middle.bin", True), ("big.bin", True)]
