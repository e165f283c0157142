from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.blobs import NO_PROGRESS, BlobStore, Cache, FileEntry, collect, open_store

LARGE = (3 << 20) + 5  # more than is copied without a thread, and no multiple of anything


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


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
def saved(store: BlobStore, model: Path) -> list[FileEntry]:
    return store.put(collect([model]), progress=NO_PROGRESS)
