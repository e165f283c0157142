"""Some of an artifact's files: only their bytes are fetched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from tests.blobs.helpers import Watched, contents, put


@pytest.fixture
def bucket(store_folder: Path) -> Watched:
    return Watched(store_folder)


@pytest.fixture
def manifest(bucket: Watched, tmp_path: Path) -> Manifest:
    """Thirty files of 100 kB in a pack, one of 2 MB, and one of 40 MB in chunks."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(30):
        (folder / f"small{number:02}").write_bytes(os.urandom(100_000))
    (folder / "middle").write_bytes(os.urandom(2_000_000))
    (folder / "big").write_bytes(os.urandom(40_000_000))
    manifest = put(Store(bucket), folder)
    bucket.reads.clear()
    return manifest


def fetched(bucket: Watched) -> dict[str, int]:
    """How many bytes were read of each kind of object."""
    found: dict[str, int] = {}
    for key, size in bucket.reads:
        found[key.split("/")[0] + "/"] = found.get(key.split("/")[0] + "/", 0) + size
    return found


@pytest.mark.slow
def test_of_a_pack_the_table_and_the_files_ranges_are_read(
    cache: Cache, bucket: Watched, manifest: Manifest, tmp_path: Path
) -> None:
    folder = cache.checkout(manifest, Store(bucket), {"small03", "small20"})
    assert contents(folder) == {name: (tmp_path / "files" / name).read_bytes() for name in ("small03", "small20")}
    assert set(fetched(bucket)) == {keys.PACKS}
    assert 200_000 < fetched(bucket)[keys.PACKS] < 200_000 + 10_000


@pytest.mark.slow
@pytest.mark.parametrize(("name", "others"), [("middle", set()), ("big", {keys.RECIPES})])
def test_of_other_files_the_one_that_is_asked_for_is_read(
    *, cache: Cache, bucket: Watched, manifest: Manifest, tmp_path: Path, name: str, others: set[str]
) -> None:
    for _ in range(2):
        cache.export(manifest, Store(bucket), tmp_path / os.urandom(4).hex(), {name})
    read = fetched(bucket)
    assert set(read) == {keys.BLOBS} | others
    assert read[keys.BLOBS] == (tmp_path / "files" / name).stat().st_size
