"""What a store promises, over each kind of bucket."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.cache.stat_cache import StatCache
from gitreg.blobs.files import FileEntry, collect
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store, Target
from gitreg.blobs.trash import collection_name, trash_key
from gitreg.errors import GitregError, IntegrityError, InvalidInput
from tests.blobs.conftest import NewBucket
from tests.blobs.helpers import Counter, contents, fetch, in_the_past, objects, put, some_of_each_kind

SMALL, BIG = 1 << 10, 8 << 10  # as `small_sizes` sets them

pytestmark = pytest.mark.usefixtures("small_sizes")

names = st.one_of(
    st.from_regex(r"[a-z]{3,8}(/[a-z]{3,8})?", fullmatch=True),
    st.sampled_from(["ü", "模型/重み.bin", "a b", "é/ñ.txt", ".hidden", "UPPER"]),
)
sizes = st.one_of(
    st.sampled_from([0, 1, SMALL - 1, SMALL, SMALL + 1, BIG - 1, BIG, BIG + 1, 3 * BIG]), st.integers(0, 4 * BIG)
)
contents_of = st.builds(
    lambda seed, size: (sha256(bytes([seed])).digest() * (size // 32 + 1))[:size] if seed % 2 else _noise(seed, size),
    st.integers(0, 3),
    sizes,
)
files_of = st.dictionaries(names, st.tuples(contents_of, st.booleans()), min_size=1, max_size=12)


def _noise(seed: int, size: int) -> bytes:
    return b"".join(sha256(b"%d %d" % (seed, n)).digest() for n in range(size // 32 + 1))[:size]


def write(folder: Path, files: dict[str, tuple[bytes, bool]]) -> Path:
    for name, (data, executable) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o644)
    return folder


def saveable(files: dict[str, tuple[bytes, bool]]) -> bool:
    folders = {name.rpartition("/")[0] for name in files}
    return not folders & files.keys()


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """Files of each kind: small, twins, an empty one, middle ones, big ones."""
    return write(
        tmp_path / "varied",
        {
            "config.json": (b"{}", False),
            "copy of it.json": (b"{}", False),
            "empty": (b"", False),
            "run.sh": (b"#!/bin/sh\n", True),
            "middle.bin": (_noise(1, 3 * SMALL), False),
            "big.bin": (_noise(2, 5 * BIG), False),
            "big again.bin": (_noise(2, 5 * BIG), False),
        },
    )


# -- what is put comes back ------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(files_of.filter(saveable), st.booleans())
def test_whatever_files_are_put_are_fetched_as_they_were(
    new_bucket: NewBucket, files: dict[str, tuple[bytes, bool]], chunking: bool
) -> None:
    store = Store(new_bucket())
    with tempfile.TemporaryDirectory() as folder:
        source = write(Path(folder, "source"), files)
        counter = Counter()
        manifest = put(store, source, chunking=chunking, progress=counter)
        assert counter.bytes == manifest_size(manifest)
        assert {entry.path: (entry.size, entry.executable) for entry in manifest.files} == {
            name: (len(data), executable) for name, (data, executable) in files.items()
        }
        assert store.missing([manifest]) == {}
        counter = Counter()
        target = fetch(store, manifest, Path(folder, "target"), progress=counter)
        assert counter.bytes == manifest_size(manifest)
        assert contents(target) == {name: data for name, (data, _) in files.items()}
        for entry in manifest.files:
            assert os.access(target / entry.path, os.X_OK) == entry.executable
        before = objects(store.bucket)
        assert put(store, source, chunking=chunking) == manifest
        assert objects(store.bucket) == before


def manifest_size(manifest: Manifest) -> int:
    return sum(entry.size for entry in manifest.files)


def test_one_file_of_many_is_fetched_alone(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied)
    for number, entry in enumerate(manifest.files):
        store.fetch(manifest, [Target(entry, tmp_path / str(number))])
        assert (tmp_path / str(number)).read_bytes() == (varied / entry.path).read_bytes()


def test_files_lie_by_their_sizes_as_the_format_says(bucket: Bucket, varied: Path) -> None:
    manifest = put(Store(bucket), varied)
    by_path = {entry.path: entry for entry in manifest.files}
    there = objects(bucket)
    assert keys.pack(manifest.hex) in there
    assert keys.blob(by_path["middle.bin"].sha256) in there
    assert keys.recipe(by_path["big.bin"].sha256) in there
    assert keys.blob(by_path["big.bin"].sha256) not in there
    for key, data in there.items():
        if key.startswith(keys.BLOBS):
            assert keys.blob(sha256(data).hexdigest()) == key
    assert there[keys.pack(manifest.hex)].count(b"{}") == 1, "what is there twice is stored once"


def test_without_chunking_a_big_file_lies_as_it_is(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied, chunking=False)
    data = (varied / "big.bin").read_bytes()
    assert bucket.read(keys.blob(sha256(data).hexdigest())) == data
    assert list(bucket.list(keys.RECIPES)) == []
    assert contents(fetch(store, manifest, tmp_path / "out")) == contents(varied)


@pytest.mark.slow
def test_many_small_files_are_packed_in_chunks(bucket: Bucket, tmp_path: Path) -> None:
    store = Store(bucket)
    source = write(tmp_path / "many", {f"{n}.json": (_noise(n, 500), False) for n in range(60)})
    manifest = put(store, source)
    assert list(bucket.list(keys.PACKS)) == []
    assert keys.pack_recipe(manifest.hex) in objects(bucket)
    assert contents(fetch(store, manifest, tmp_path / "out")) == contents(source)
    assert store.missing([manifest]) == {}
    (source / "30.json").write_bytes(b"changed")
    before = sum(map(len, objects(bucket).values()))
    put(store, source)
    after = sum(map(len, objects(bucket).values()))
    assert after - before < 60 * 500 / 2, "most of the chunks are there already"


@pytest.mark.slow
@pytest.mark.parametrize("change", ["in place", "inserted", "appended", "removed"])
def test_an_edit_of_a_big_file_stores_only_the_chunks_around_it(bucket: Bucket, tmp_path: Path, change: str) -> None:
    store = Store(bucket)
    data = _noise(7, 200 << 10)
    source = write(tmp_path / "source", {"model.bin": (data, False)})
    put(store, source)
    before = objects(bucket)
    at = 100 << 10
    edited = {
        "in place": data[:at] + bytes(100) + data[at + 100 :],
        "inserted": data[:at] + bytes(100) + data[at:],
        "appended": data + bytes(100),
        "removed": data[:at] + data[at + 100 :],
    }[change]
    (source / "model.bin").write_bytes(edited)
    manifest = put(store, source)
    new = {key: len(value) for key, value in objects(bucket).items() if before.get(key) != value}
    assert sum(size for key, size in new.items() if key.startswith(keys.BLOBS)) < 20 << 10
    assert contents(fetch(store, manifest, tmp_path / "out")) == {"model.bin": edited}


def test_what_lies_plain_is_found_where_a_pack_or_a_recipe_is_expected(
    bucket: Bucket, varied: Path, tmp_path: Path
) -> None:
    """As another version of gitreg, with other sizes, or a person with `cp` may have left it."""
    manifest = Manifest.of(put(Store(bucket), varied).files)
    for key in objects(bucket):
        bucket.delete([key])
    for entry in manifest.files:
        bucket.write(keys.blob(entry.sha256), (varied / entry.path).read_bytes())
    store = Store(bucket)
    assert store.missing([manifest]) == {}
    assert contents(fetch(store, manifest, tmp_path / "out")) == contents(varied)


# -- what is there already -------------------------------------------------------------------------------------------


class NothingIsRead:
    """Makes files unreadable, also for the superuser, and puts them back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        self._files = [path for path in self._folder.rglob("*") if path.is_file()]
        for path in self._files:
            path.rename(path.with_name(path.name + ".away"))

    def __exit__(self, *_: object) -> None:
        for path in self._files:
            path.with_name(path.name + ".away").rename(path)


def test_what_is_known_and_there_is_neither_read_nor_written(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    known = StatCache(tmp_path / "known.sqlite", lambda: 4e9)
    files = collect([varied])
    manifest = put(Store(bucket), files=files, known=known)
    known.close()
    known = StatCache(tmp_path / "known.sqlite", lambda: 4e9)
    before = {info.key: info.mtime for info in bucket.list(keys.BLOBS)}
    counter = Counter()
    with NothingIsRead(varied):
        assert put(Store(bucket), files=files, known=known, progress=counter) == manifest
    known.close()
    assert counter.bytes == manifest_size(manifest)
    assert {info.key: info.mtime for info in bucket.list(keys.BLOBS)} == before


@pytest.mark.slow
def test_what_is_known_but_not_there_is_stored(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    """Each object by itself: a chunk that its recipe still names, too."""
    known = StatCache(tmp_path / "known.sqlite", lambda: 4e9)
    manifest = put(Store(bucket), varied, known=known)
    known.close()
    known = StatCache(tmp_path / "known.sqlite", lambda: 4e9)
    there = objects(bucket)
    for key in some_of_each_kind(there):
        bucket.delete([key])
        assert put(Store(bucket), varied, known=known) == manifest
        assert objects(bucket) == there, key
    known.close()


@pytest.mark.parametrize("chunking", [True, False])
def test_a_file_that_changes_while_it_is_read_is_refused(bucket: Bucket, tmp_path: Path, chunking: bool) -> None:
    source = tmp_path / "growing.bin"
    source.write_bytes(_noise(1, 10 * BIG))

    class Appender:
        def advance(self, nbytes: int) -> None:
            with open(source, "ab") as stream:
                stream.write(b"more")

    with pytest.raises(GitregError, match=r"growing\.bin changed while it was saved"):
        put(Store(bucket), source, chunking=chunking, progress=Appender())
    assert list(bucket.list(keys.RECIPES)) == []


@pytest.mark.slow
def test_a_file_that_changed_since_it_was_listed_is_refused(bucket: Bucket, varied: Path) -> None:
    for path in sorted(varied.iterdir()):
        files = collect([varied])
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(GitregError, match="changed while it was saved"):
            put(Store(bucket), files=files)
    assert list(bucket.list(keys.RECIPES)) == list(bucket.list(keys.PACKS)) == []


# -- what is missing, and what is wrong ------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_missing_is_what_cannot_be_fetched(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied)
    whole = objects(bucket)
    for key in some_of_each_kind(whole):
        bucket.delete([key])
        [(digest, missing)] = store.missing([manifest]).items()
        assert digest == manifest.digest
        for number, entry in enumerate(manifest.files):
            target = Target(entry, tmp_path / f"{key.replace('/', '-')}-{number}")
            if entry in missing:
                with pytest.raises(IntegrityError, match=entry.path):
                    store.fetch(manifest, [target])
                assert not target.path.exists()
            else:
                store.fetch(manifest, [target])
        bucket.write(key, whole[key])
    assert store.missing([manifest]) == {}
    assert list(bucket.list(keys.DAMAGED)) == []


def test_a_record_with_a_wrong_size_does_not_blame_the_store(bucket: Bucket, varied: Path, tmp_path: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied)
    before = objects(bucket)
    for entry in manifest.files:
        for size in {0, entry.size + 1, SMALL - 1, 2 * SMALL, 2 * BIG} - {entry.size}:
            wrong = Manifest.of([entry._replace(size=size)])
            with pytest.raises(IntegrityError, match=entry.path):
                store.fetch(wrong, [Target(wrong.files[0], tmp_path / "target")])
    assert objects(bucket) == before
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("digest", ["", "abc", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_is_no_digest_is_no_key(bucket: Bucket, tmp_path: Path, digest: str) -> None:
    manifest = Manifest.of([FileEntry("a", 5, digest)])
    with pytest.raises(InvalidInput, match="no sha256"):
        Store(bucket).fetch(manifest, [Target(manifest.files[0], tmp_path / "a")])


def test_a_manifest_is_stored_and_read_back_verified(bucket: Bucket, varied: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied)
    with pytest.raises(IntegrityError, match="does not hold"):
        store.read_manifest(manifest.digest, limit=1 << 20)
    with StoreWriter(store, StatCache(None, lambda: 0.0)) as saving:
        saving.put_manifest(manifest)
    assert store.read_manifest(manifest.digest, limit=1 << 20) == manifest
    assert store.read_manifest(manifest.digest, limit=len(manifest.text)) == manifest


def test_a_record_cannot_have_a_large_blob_set_aside_by_calling_it_a_manifest(bucket: Bucket, varied: Path) -> None:
    store = Store(bucket)
    manifest = put(store, varied, chunking=False)
    before = objects(bucket)
    for entry in manifest.files:
        with pytest.raises(GitregError):
            store.read_manifest(f"sha256:{entry.sha256}", limit=100)
    assert objects(bucket) == before


# -- until it is published -------------------------------------------------------------------------------------------


def test_what_a_save_relies_on_is_held_until_it_ends(bucket: Bucket, varied: Path) -> None:
    store = Store(bucket)
    put(store, varied)
    with StoreWriter(store, StatCache(None, lambda: 0.0)) as saving:
        saving.put(collect([varied]))
        saving.hold()
        [hold] = bucket.list(keys.HOLDS)
        held = bucket.read(hold.key).decode()
        assert all(f'"{key}"' in held for key in objects(bucket))
    assert list(bucket.list(keys.HOLDS)) == []


@pytest.mark.slow
def test_a_save_finds_what_was_taken_from_it_and_takes_it_out_of_the_trash(
    bucket: Bucket, varied: Path, tmp_path: Path
) -> None:
    store = Store(bucket)
    in_the_past(*varied.iterdir())
    for known in (StatCache(None, lambda: 0.0), StatCache(tmp_path / "known", lambda: 4e9)):
        put(store, varied, known=known)
        known.close()
    known = StatCache(tmp_path / "known", lambda: 4e9)
    there = objects(bucket)
    for way in (StatCache(None, lambda: 0.0), known):
        for key in some_of_each_kind(there):
            with StoreWriter(store, way) as saving:
                manifest = saving.put(collect([varied]))
                bucket.move(key, trash_key(key, collection_name(bucket.now())))
                assert not saving.lost()
            assert objects(bucket) == there
            assert store.missing([manifest]) == {}
            with StoreWriter(store, way) as saving:
                saving.put(collect([varied]))
                bucket.delete([key])
                assert saving.lost(), key
                assert saving.put(collect([varied])) == manifest
                assert not saving.lost()
            assert objects(bucket) == there
    known.close()
