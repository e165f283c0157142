"""Two people, two clones and a store on a server: save, load, copy, damage, collect."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.blobs.urls import open_bucket
from tests.servers.buckets import CLIENTS, SERVERS, Servers, prepare
from tests.system.world import Person, assert_sound, contents, write

pytestmark = pytest.mark.slow

MIB = 1 << 20


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest, ada: Person, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> str:
    return prepare(request.param, ada.home, servers, monkeypatch)


@pytest.fixture
def shared(ada: Person, tmp_path: Path, url: str) -> Person:
    """Ada in a registry whose store is on a server, with one version of all kinds of objects."""
    told = {name: value for name, value in os.environ.items() if name.startswith(CLIENTS)}
    person = ada.with_env(**told)
    person.gitreg("init", tmp_path / "registry", "--store", url)
    there = person.at(tmp_path / "registry")
    write(
        tmp_path / "weights",
        {"big.bin": os.urandom(33 * MIB), "middle.bin": os.urandom(2 * MIB), "a.json": b"{}", "b/c.json": b"[]"},
    )
    there.gitreg("save", "iris", tmp_path / "weights")
    return there


def somebody_else(shared: Person, tmp_path: Path) -> Person:
    """Give a person with an own clone, an own home but for the keys, and an empty cache."""
    shared.git("clone", "-q", shared.here, tmp_path / "clone")
    return shared.at(tmp_path / "clone").with_env(
        GITREG_CACHE=str(tmp_path / "other-cache"), XDG_CONFIG_HOME=str(tmp_path / "other-config")
    )


def test_what_one_person_saves_another_loads_once_the_store_is_trusted(
    shared: Person, tmp_path: Path, url: str
) -> None:
    other = somebody_else(shared, tmp_path)
    refused = other.gitreg("load", "iris", tmp_path / "out", code=4)
    assert url in refused.err
    assert "gitreg trust" in refused.err
    other.gitreg("trust", "--stores")
    other.gitreg("load", "iris", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "weights")
    some = other.gitreg("load", "iris", tmp_path / "some", "--file", "*.json")
    assert some.code == 0
    assert sorted(contents(tmp_path / "some")) == ["a.json", "b/c.json"]
    assert other.gitreg("cat", "iris:b/c.json").out == "[]"
    other.gitreg("verify", "--deep")
    assert_sound(other)


@pytest.mark.parametrize("url", ["radosgw", "azurite", "sshd"], indirect=True)  # Swift takes half a minute
def test_a_damaged_object_is_set_aside_read_from_a_copy_and_mended_by_saving_again(
    shared: Person, tmp_path: Path, url: str
) -> None:
    shared.gitreg("store", "add", f"{url}-copy")
    shared.gitreg("store", "copy", "--to", f"{url}-copy")
    bucket = open_bucket(url)
    for folder in ("packs/", "recipes/", "sha256/"):
        key = next(iter(bucket.list(folder))).key
        data = bytearray(bucket.read(key))
        data[len(data) // 2] ^= 1
        bucket.write(key, data)
        reader = shared.with_env(GITREG_CACHE=str(tmp_path / f"cache-{folder}"))
        reader.gitreg("load", "iris", tmp_path / f"out-{folder}")
        assert contents(tmp_path / f"out-{folder}") == contents(tmp_path / "weights")
        assert bucket.find([key]) == {}
        assert bucket.read(f"damaged/{key}") == data
        shared.gitreg("save", "iris", tmp_path / "weights")
        assert bucket.find([key])
    shared.gitreg("store", "remove", f"{url}-copy")
    shared.gitreg("verify", "--deep")


def test_what_is_collected_is_returned_until_it_is_purged(shared: Person, tmp_path: Path, url: str) -> None:
    write(tmp_path / "weights", {"big.bin": os.urandom(33 * MIB)})
    shared.gitreg("save", "iris", tmp_path / "weights")
    shared.gitreg("model", "version", "delete", "iris", "1")
    bucket = open_bucket(url)
    assert "Nothing to collect yet\n" in shared.gitreg("gc").out, "all of it was saved a moment ago"
    shared.gitreg("gc", "--apply", "--grace", "0")
    assert list(bucket.list("trash/"))
    shared.gitreg("gc", "--undo")
    assert not list(bucket.list("trash/"))
    shared.gitreg("gc", "--apply", "--grace", "0")
    shared.gitreg("gc", "--purge", "--grace", "0")
    assert not list(bucket.list("trash/"))
    shared.gitreg("load", "iris@2", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "weights")
    shared.gitreg("verify", "--deep")
