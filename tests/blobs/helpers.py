"""What several of these tests need."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

from gitreg.blobs import keys as layout
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.stat_cache import StatCache
from gitreg.blobs.files import FileEntry, LocalFile, collect
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store, Target
from gitreg.progress import NO_PROGRESS, Progress

NOTHING_KNOWN = StatCache(None, lambda: 0.0)
"""Every file is read."""


class Counter:
    """Counts the bytes that it hears of."""

    def __init__(self) -> None:
        self.bytes = 0
        self._lock = Lock()

    def advance(self, nbytes: int) -> None:
        with self._lock:
            self.bytes += nbytes


def put(
    store: Store,
    *sources: Path,
    files: Sequence[LocalFile] = (),
    known: StatCache = NOTHING_KNOWN,
    chunking: bool = True,
    progress: Progress = NO_PROGRESS,
) -> Manifest:
    """Save files, or what lies at the sources, to the end."""
    with StoreWriter(store, known, chunking=chunking, progress=progress) as saving:
        return saving.put(files or collect(sources))


def fetch(store: Store, manifest: Manifest, folder: Path, *, progress: Progress = NO_PROGRESS) -> Path:
    """Fetch a whole set into a folder, which is made, and give the folder."""
    folder.mkdir(exist_ok=True)
    for entry in manifest.files:
        (folder / entry.path).parent.mkdir(parents=True, exist_ok=True)
    store.fetch(manifest, [Target(entry, folder / entry.path) for entry in manifest.files], progress=progress)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def large(manifest: Manifest) -> FileEntry:
    return next(entry for entry in manifest.files if entry.path == "model.safetensors")


def blob(store: Store, entry: FileEntry) -> Path:
    """Give the file that a file of middle size is in a folder's store."""
    path = store.bucket.local_path(layout.blob(entry.sha256))
    assert path is not None
    return path


def objects(bucket: Bucket) -> dict[str, bytes]:
    """Give everything that readers of a store see, by its key."""
    folders = (layout.BLOBS, layout.PACKS, layout.RECIPES)
    return {info.key: bucket.read(info.key) for folder in folders for info in bucket.list(folder)}


def some_of_each_kind(keys: Iterable[str]) -> list[str]:
    """Give up to three objects of each folder of a store: each kind of object, and the first and last of its kind."""
    kinds: dict[str, list[str]] = {}
    for key in sorted(keys):
        kinds.setdefault(key.partition("/")[0], []).append(key)
    return [key for kind in kinds.values() for key in {kind[0]: 0, kind[len(kind) // 2]: 0, kind[-1]: 0}]


def flip_a_bit(path: Path) -> None:
    """As a bad disk does it: whoever owns the file, whatever its mode."""
    mode = path.stat().st_mode
    path.chmod(0o644)
    with open(path, "r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
    path.chmod(mode)


def in_the_past(*paths: Path) -> None:
    """Let files have been changed long ago, as far as they say so themselves."""
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000))


class Watched(FolderBucket):
    """A bucket that is not of this machine, and that remembers what was read."""

    local = False

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.reads: list[tuple[str, int]] = []

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        data = super().read(key, start, stop)
        self.reads.append((key, len(data)))
        return data

    def local_path(self, key: str) -> None:
        return None
