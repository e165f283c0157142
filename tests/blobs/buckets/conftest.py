"""Buckets here and on real servers, each test with a folder of its own in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.urls import open_bucket
from tests.servers.buckets import HERE, SERVERS, Servers, prepare


@pytest.fixture(params=[*HERE, *(pytest.param(name, marks=pytest.mark.slow) for name in SERVERS)])
def url(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an empty bucket is; what its protocol's own tools would find is in the environment."""
    return prepare(request.param, tmp_path, servers, monkeypatch)


@pytest.fixture
def bucket(url: str) -> Bucket:
    return open_bucket(url)
