"""What the cache keeps beside an artifact's files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.blobs.cache.artifact_stats import stat_key
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.cache.prune import verify
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store
from tests.blobs.helpers import flip_a_bit


@pytest.mark.parametrize("damage", [lambda path: os.truncate(path, 0), flip_a_bit])
def test_a_damaged_manifest_is_written_again_when_its_artifact_is_mended(
    cache: Cache, store: Store, saved: Manifest, damage: Callable[[Path], None]
) -> None:
    folder = cache.checkout(saved, store)
    damage(cache.layout.root / "manifests" / saved.hex)
    assert cache.manifest(saved.digest) is None
    (folder / "run.sh").unlink()
    cache.checkout(saved, store)
    assert cache.manifest(saved.digest) == saved
    assert [each.damaged for each in verify(cache.layout)] == [[]]


def test_a_sound_manifest_is_not_written_again(cache: Cache, store: Store, saved: Manifest) -> None:
    folder = cache.checkout(saved, store)
    before = stat_key((cache.layout.root / "manifests" / saved.hex).stat())
    (folder / "run.sh").unlink()
    cache.checkout(saved, store)
    assert stat_key((cache.layout.root / "manifests" / saved.hex).stat()) == before
