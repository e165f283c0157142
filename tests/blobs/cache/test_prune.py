"""Keeping the cache small and sound: what goes, what stays, and what processes do to one another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.cache.prune import IN_USE, cached_artifacts, prune, verify
from gitreg.blobs.file_io import PARTIAL
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.replicas import Replicas
from gitreg.blobs.store import Store
from gitreg.errors import IntegrityError
from tests.blobs.faults import ROOT
from tests.blobs.helpers import contents, flip_a_bit, put


def age(cache: Cache, manifest: Manifest, days: float) -> None:
    """Let an artifact have been handed out so long ago."""
    then = time.time() - days * 86400
    os.utime(cache.layout.root / "memos" / f"{manifest.hex}.json", (then, then))


@pytest.fixture
def three(cache: Cache, store: Store, tmp_path: Path) -> list[Manifest]:
    """Three artifacts of 1,000 bytes each, the first of which was not used for longest."""
    made = []
    for number in range(3):
        (tmp_path / f"file{number}").write_bytes(os.urandom(1000))
        made.append(put(store, tmp_path / f"file{number}"))
        cache.checkout(made[-1], store)
    for manifest, days in zip(made, (30, 20, 10), strict=True):
        age(cache, manifest, days)
    return made


def digests(cache: Cache) -> set[str]:
    return {each.digest for each in cached_artifacts(cache.layout)}


def test_what_was_not_used_for_longest_goes_first_until_the_rest_fits(cache: Cache, three: list[Manifest]) -> None:
    assert [each.digest for each in cached_artifacts(cache.layout)] == [manifest.digest for manifest in reversed(three)]
    assert [each.digest for each in prune(cache.layout, 2500)] == [three[0].digest]
    assert prune(cache.layout, 2000) == []
    assert [each.digest for each in prune(cache.layout, 0)] == [three[1].digest, three[2].digest]
    assert not any(path.is_file() and path.name != "now" for path in cache.layout.root.rglob("*"))


def test_each_way_of_asking_for_an_artifact_is_a_use_of_it(
    cache: Cache, store: Store, three: list[Manifest], tmp_path: Path
) -> None:
    cache.checkout(three[0], store)
    cache.find(three[1].digest)
    with cache.open(three[2], store, "file2") as file:
        assert len(file.read()) == 1000
    assert prune(cache.layout, 0) == []
    assert len(prune(cache.layout, 0, unused_for=0)) == 3


def test_what_was_handed_out_within_a_day_stays_however_small_the_limit(cache: Cache, three: list[Manifest]) -> None:
    age(cache, three[0], (IN_USE - 60) / 86400)
    age(cache, three[1], (IN_USE + 60) / 86400)
    prune(cache.layout, 0)
    assert digests(cache) == {three[0].digest}


def test_the_cache_keeps_to_its_limit_when_something_is_added(
    store: Store, three: list[Manifest], tmp_path: Path
) -> None:
    cache = Cache(tmp_path / "cache", limit=2500)
    (tmp_path / "new").write_bytes(b"n" * 500)
    new = put(store, tmp_path / "new")
    cache.checkout(new, store)
    assert digests(cache) == {three[1].digest, three[2].digest, new.digest}


def test_without_a_limit_a_fifth_of_the_disk_is_one(cache: Cache, three: list[Manifest]) -> None:
    assert prune(cache.layout, None) == []


def test_what_is_handed_out_at_this_moment_stays(cache: Cache, three: list[Manifest]) -> None:
    with cache.layout.sharing(three[0].hex) as shared, cache.layout.changing(three[1].hex) as alone:
        assert shared
        assert alone
        assert [each.digest for each in prune(cache.layout, 0, unused_for=0)] == [three[2].digest]
    assert len(prune(cache.layout, 0, unused_for=0)) == 2


def test_what_a_killed_one_left_half_built_goes_after_a_day(cache: Cache, three: list[Manifest]) -> None:
    left = cache.layout.building("0" * 64)
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    prune(cache.layout, 10**9)
    assert left.is_dir()
    os.utime(left, (0, 0))
    [removed] = prune(cache.layout, 10**9)
    assert (removed.files, removed.size) == (None, 1)
    assert not left.exists()


def test_what_was_pruned_is_fetched_again(cache: Cache, store: Store, three: list[Manifest], tmp_path: Path) -> None:
    prune(cache.layout, 0)
    assert cache.find(three[0].digest) is None
    assert contents(cache.checkout(three[0], store)) == {"file0": (tmp_path / "file0").read_bytes()}


def test_verifying_removes_what_is_damaged_although_nothing_shows_it(
    cache: Cache, store: Store, three: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    flip_a_bit(cache.layout.artifact(three[1].hex) / "file1")
    monkeypatch.setattr(
        "gitreg.blobs.cache.layout.CacheLayout.is_whole", lambda *_: True
    )  # as if its ctime were the same
    found = {each.digest: list(each.damaged) for each in verify(cache.layout)}
    assert found == {three[0].digest: [], three[1].digest: ["file1"], three[2].digest: []}
    assert digests(cache) == {three[0].digest, three[2].digest}


def test_verifying_removes_what_has_no_sound_manifest_and_names_what_does_not_belong(
    cache: Cache, three: list[Manifest]
) -> None:
    (cache.layout.artifact(three[0].hex) / "foreign").touch()
    flip_a_bit(cache.layout.root / "manifests" / three[1].hex)
    (cache.layout.artifact(three[2].hex) / "file2").unlink()
    assert {tuple(each.damaged) for each in verify(cache.layout)} == {("foreign",), ("its manifest",), ("file2",)}
    assert digests(cache) == set()


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    layout = Cache(tmp_path / "none").layout
    assert cached_artifacts(layout) == []
    assert prune(layout, None) == []
    assert list(verify(layout)) == []


def test_what_is_pruned_while_the_cache_is_verified_is_not_damaged(
    cache: Cache, three: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = cache.layout.names()
    there = cached_artifacts(cache.layout)

    def listed_before_it_was_pruned(_: object) -> list[str]:
        prune(cache.layout, 0)
        with pytest.raises(IntegrityError):
            cache.checkout(three[0], Replicas([], print))  # which leaves its lock behind
        return names

    monkeypatch.setattr("gitreg.blobs.cache.layout.CacheLayout.names", listed_before_it_was_pruned)
    monkeypatch.setattr("gitreg.blobs.cache.prune.cached_artifacts", lambda _: there)
    assert list(verify(cache.layout)) == []


def test_what_killed_processes_left_half_written_is_removed(cache: Cache, three: list[Manifest]) -> None:
    left = [cache.layout.root / folder / PARTIAL.format("0" * 16) for folder in ("memos", "manifests")]
    for path in left:
        path.touch()
    assert prune(cache.layout, None) == []
    assert [path for path in left if path.exists()] == []


# -- several processes -------------------------------------------------------------------------------------------------

COUNTED = """
import os, sys; from pathlib import Path
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from gitreg.blobs.buckets.folder import FolderBucket
class Counted(FolderBucket):
    local = False
    def read(self, key, start=0, stop=None):
        data = super().read(key, start, stop)
        with open(sys.argv[3], "ab", buffering=0) as log:
            log.write(f"{key} {len(data)}\\n".encode())
        return data
    def local_path(self, key):
        return None
manifest = Manifest.parse(Path(sys.argv[4]).read_bytes())
cache, store = Cache(Path(sys.argv[1])), Store(Counted(Path(sys.argv[2])))
"""
CHECKOUT = COUNTED + "print(cache.checkout(manifest, store))"
EXPORT_AND_OPEN = (
    COUNTED
    + """
from hashlib import sha256
for number in range(30):
    cache.export(manifest, store, Path(sys.argv[5]) / str(number))
    for entry in manifest.files:
        found = (Path(sys.argv[5]) / str(number) / entry.path).read_bytes()
        assert sha256(found).hexdigest() == entry.sha256
    with cache.open(manifest, store, "7") as file:
        assert sha256(file.read()).hexdigest() == manifest.files[-3].sha256
"""
)
CHECKOUT_AND_READ = (
    COUNTED
    + """
import time; from hashlib import sha256
for _ in range(3):
    folder = cache.checkout(manifest, store)
    for entry in manifest.files:
        assert sha256((folder / entry.path).read_bytes()).hexdigest() == entry.sha256
    time.sleep(4)
"""
)
PRUNE = """
import sys; from pathlib import Path
from gitreg.blobs.cache.prune import prune
from gitreg.blobs.cache.layout import CacheLayout
while True:
    prune(CacheLayout(Path(sys.argv[1])), 0, unused_for=float(sys.argv[2]))
"""


def start(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def chunked(store: Store, tmp_path: Path) -> tuple[Manifest, list[object]]:
    """A set with a big file, a middle one and small ones, and what its programs are told."""
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "big").write_bytes(os.urandom(40 << 20))
    (folder / "middle").write_bytes(os.urandom(2 << 20))
    for number in range(50):
        (folder / f"small{number}").write_bytes(os.urandom(100))
    manifest = put(store, folder)
    (tmp_path / "manifest").write_bytes(manifest.text)
    return manifest, [tmp_path / "cache", tmp_path / "store", tmp_path / "log", tmp_path / "manifest"]


@pytest.mark.slow
def test_eight_processes_that_load_the_same_at_once_fetch_it_once(
    chunked: tuple[Manifest, list[object]], tmp_path: Path
) -> None:
    manifest, told = chunked
    processes = [start(CHECKOUT, *told) for _ in range(8)]
    answers = {process.communicate() for process in processes}
    assert len(answers) == 1, answers
    [(folder, errors)] = answers
    assert errors == b""
    assert contents(Path(folder.decode().strip())) == contents(tmp_path / "big")
    read = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    total = sum(entry.size for entry in manifest.files)
    assert total <= sum(int(size) for _, size in read) < total + (1 << 20)


@pytest.mark.slow
def test_a_killed_load_goes_on_where_it_was_and_in_the_end_all_is_whole(
    cache: Cache, store: Store, chunked: tuple[Manifest, list[object]], tmp_path: Path
) -> None:
    manifest, told = chunked
    for milliseconds in range(100, 900, 100):
        process = start(CHECKOUT, *told)
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        folder = cache.find(manifest.digest)
        assert folder is None or contents(folder) == contents(tmp_path / "big")
    assert contents(cache.checkout(manifest, store)) == contents(tmp_path / "big")
    assert cache.layout.names("building") == []
    assert [each.damaged for each in verify(cache.layout)] == [[]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "unused_for"),
    [(EXPORT_AND_OPEN, 0.3), (CHECKOUT_AND_READ, 3)],
    ids=["copies and open files", "folders"],
)
def test_pruning_beside_loads_takes_nothing_from_under_them(
    store: Store, tmp_path: Path, program: str, unused_for: float
) -> None:
    (tmp_path / "model").mkdir()
    for number in range(10):
        (tmp_path / "model" / str(number)).write_bytes(os.urandom(5000))
    manifest = put(store, tmp_path / "model")
    (tmp_path / "manifest").write_bytes(manifest.text)
    told = [tmp_path / "cache", tmp_path / "store", tmp_path / "log", tmp_path / "manifest"]
    loaders = [start(program, *told, tmp_path / f"out{number}") for number in range(2)]
    pruner = start(PRUNE, tmp_path / "cache", unused_for)
    try:
        for loader in loaders:
            assert loader.communicate() == (b"", b"")
        assert pruner.poll() is None
        assert (tmp_path / "log").read_text().count("packs/") > 2, "nothing was pruned"
    finally:
        pruner.kill()
        pruner.communicate()
