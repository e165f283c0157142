"""The mark of a store, in every kind of bucket: without it, and without anything that was saved, there is no store."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.buckets.bucket import Bucket
from gitreg.blobs.store import Store
from gitreg.blobs.urls import open_store
from gitreg.errors import GitregError, StoreGoneError
from tests.blobs.helpers import put
from tests.servers.buckets import S3, Servers, prepare


def write(folder: Path, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a").write_bytes(content)
    return folder


def test_a_store_is_there_once_it_was_made_for_everybody_who_opens_it(url: str, bucket: Bucket) -> None:
    store = open_store(url)
    assert store.gone
    assert store.create()
    assert not store.create()
    assert not store.gone
    assert not Store(bucket).gone or url.startswith("memory:")
    store.prepare()
    assert store.bucket.read(keys.MARKER) == b"gitreg-store 1\n"


def test_nothing_is_written_where_there_is_no_store(url: str) -> None:
    store = open_store(url)
    for refused in (store.prepare, lambda: store.claim("a.json", b"{}")):
        with pytest.raises(StoreGoneError, match="is not there"):
            refused()
    assert list(store.bucket.list("")) == []


def test_a_store_that_is_older_than_marks_is_one_and_gets_its_mark(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    put(store, write(tmp_path / "old", b"saved long ago"))
    assert not store.gone
    store.prepare()
    assert store.bucket.find([keys.MARKER])


def test_the_repositorys_own_store_is_made(url: str) -> None:
    store = open_store(url, own=True)
    assert store.gone
    store.prepare()
    assert not open_store(url).gone or url.startswith("memory:")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*S3, "azurite"])
def test_a_bucket_that_does_not_exist_is_not_made(
    name: str, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = prepare(name, tmp_path, servers, monkeypatch).replace("://tests/", "://no-such-bucket-of-ours/")
    for refused in (open_store(url).prepare, open_store(url).create):
        with pytest.raises(GitregError, match="there is no such bucket"):
            refused()
