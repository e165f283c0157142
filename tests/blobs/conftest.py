"""A store over each kind of bucket that runs here, and a model to put into it.

A backend joins the contract by an entry in BUCKETS: what it gives makes a new, empty bucket each time it is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.cache.stat_cache import StatCache
from gitreg.blobs.files import collect
from gitreg.blobs.format import chunking
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store
from gitreg.blobs.urls import open_bucket

NewBucket = Callable[[], Bucket]

LARGE = (3 << 20) + 5  # more than is copied without a thread, and no multiple of anything


def folders(request: pytest.FixtureRequest) -> NewBucket:
    """Give buckets that are folders of this machine."""
    tmp_path: Path = request.getfixturevalue("tmp_path")
    return lambda: FolderBucket(tmp_path / f"bucket-{os.urandom(4).hex()}")


def memories(_: pytest.FixtureRequest) -> NewBucket:
    """Give buckets of the backend that keeps everything in this process."""
    return lambda: open_bucket(f"memory://tests/{os.urandom(4).hex()}")


BUCKETS: dict[str, Callable[[pytest.FixtureRequest], NewBucket]] = {"folder": folders, "memory": memories}


@pytest.fixture(params=["folder", pytest.param("memory", marks=pytest.mark.slow)])
def new_bucket(request: pytest.FixtureRequest) -> NewBucket:
    return BUCKETS[request.param](request)


@pytest.fixture
def bucket(new_bucket: NewBucket) -> Bucket:
    return new_bucket()


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few kilobytes be a big file: small below 1 KiB, big from 8 KiB, chunks of 256 bytes to 4 KiB."""
    monkeypatch.setattr(keys, "SMALL", 1 << 10)
    monkeypatch.setattr(keys, "BIG", 8 << 10)
    monkeypatch.setattr(chunking, "SMALLEST", 256)
    monkeypatch.setattr(chunking, "USUAL", 1 << 10)
    monkeypatch.setattr(chunking, "LARGEST", 4 << 10)
    monkeypatch.setattr(chunking, "_WINDOW", 2 * (4 << 10))


@pytest.fixture
def store_folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(name="store")
def folder_store(store_folder: Path) -> Store:
    return Store(FolderBucket(store_folder))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def known(tmp_path: Path) -> Iterator[StatCache]:
    """What was known before: nothing, for files made since."""
    with closing(StatCache(tmp_path / "known.sqlite", lambda: 0.0)) as kept:
        yield kept


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small model: a large file, an executable, a hidden one in a folder, an empty one."""
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(os.urandom(LARGE))
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "1_Pooling" / ".config.json").write_text("{}")
    (folder / "empty").touch()
    return folder


@pytest.fixture
def saved(store: Store, model: Path, known: StatCache) -> Manifest:
    with StoreWriter(store, known) as saving:
        return saving.put(collect([model]))
