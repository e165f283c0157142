"""A store that is not there is never made anew: what is saved would lie beside it, and nobody would find it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.buckets import CLIENTS, Servers, prepare
from tests.system.world import Person, assert_sound, contents, store_of, write

pytestmark = pytest.mark.slow

COMMANDS = ("save", "artifact save", "load", "verify", "gc", "store copy", "run")


@pytest.fixture
def mounted(ada: Person, tmp_path: Path, weights: Path) -> Person:
    """A registry whose store is a folder elsewhere, with a version."""
    (tmp_path / "disk").mkdir()
    ada.gitreg("init", tmp_path / "registry", "--store", tmp_path / "disk" / "store")
    there = ada.at(tmp_path / "registry")
    there.gitreg("save", "iris", weights)
    return there


def commands(weights: Path, where: Path) -> list[tuple[str | Path, ...]]:
    return [
        ("save", "iris", weights),
        ("artifact", "save", "data", weights),
        ("load", "iris", where / "out"),
        ("verify",),
        ("gc", "--apply", "--grace", "0"),
        ("gc", "--undo"),
    ]


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "the empty mount point"])
def test_a_folder_whose_mount_is_gone_is_named_and_nothing_is_made(
    mounted: Person, tmp_path: Path, weights: Path, left: str
) -> None:
    store = tmp_path / "disk" / "store"
    (tmp_path / "disk").rename(tmp_path / "away")
    if left != "nothing":
        (tmp_path / "disk").mkdir()
    if left == "an empty folder":
        store.mkdir()
    head = mounted.git("rev-parse", "HEAD")
    write(weights, {"model.bin": b"other"})
    reader = mounted.with_env(GITREG_CACHE=str(tmp_path / "empty"))
    for command in commands(weights, tmp_path):
        ended = reader.gitreg(*command, code=1)
        assert f"the store {store} is not there (is it mounted?)" in ended.err, command
        assert f"gitreg store create {store}" in ended.err
    assert [problem["what"] for problem in reader.doctor_says()] == [f"the store {store} is not there (is it mounted?)"]
    assert {row["state"] for row in reader.gitreg("store", "status", "--json").data} == {"unreachable"}
    assert mounted.git("rev-parse", "HEAD") == head
    assert not store.exists() or list(store.iterdir()) == []
    assert not (tmp_path / "disk").exists() or list((tmp_path / "disk").rglob("*")) in ([], [store])
    for made in sorted((tmp_path / "disk").rglob("*"), reverse=True):
        made.rmdir()
    if (tmp_path / "disk").exists():
        (tmp_path / "disk").rmdir()
    (tmp_path / "away").rename(tmp_path / "disk")
    mounted.gitreg("save", "iris", weights)
    assert_sound(mounted)


def test_a_store_that_is_older_than_marks_goes_on_working_and_is_marked(
    mounted: Person, tmp_path: Path, weights: Path
) -> None:
    store = tmp_path / "disk" / "store"
    (store / "gitreg-store").unlink()
    mounted.gitreg("load", "iris", tmp_path / "out")
    mounted.git("clone", "-q", mounted.here, tmp_path / "clone")
    write(weights, {"model.bin": b"other"})
    mounted.at(tmp_path / "clone").gitreg("save", "iris", weights)
    assert (store / "gitreg-store").read_bytes() == b"gitreg-store 1\n"


def test_a_clone_makes_the_store_of_its_own_and_says_that_it_has_none_yet(
    registry: Person, tmp_path: Path, weights: Path
) -> None:
    registry.gitreg("save", "iris", weights)
    registry.git("clone", "-q", registry.here, tmp_path / "clone")
    clone = registry.at(tmp_path / "clone").with_env(GITREG_CACHE=str(tmp_path / "empty"))
    assert "nothing was saved in this clone yet" in clone.gitreg("load", "iris", tmp_path / "out", code=1).err
    assert not store_of(clone.here).exists()
    clone.gitreg("store", "copy", "--from", store_of(registry.here))
    clone.gitreg("load", "iris", tmp_path / "out")
    write(weights, {"model.bin": b"other"})
    clone.gitreg("save", "iris", weights)
    clone.gitreg("verify", "--deep")


def test_a_replica_that_is_gone_is_told_and_the_others_are_read(mounted: Person, tmp_path: Path, weights: Path) -> None:
    mounted.gitreg("store", "add", tmp_path / "copies")
    mounted.gitreg("store", "copy", "--to", tmp_path / "copies")
    (tmp_path / "disk").rename(tmp_path / "away")
    reader = mounted.with_env(GITREG_CACHE=str(tmp_path / "empty"))
    ended = reader.gitreg("load", "iris", tmp_path / "out")
    assert "is not there (is it mounted?); read from another store instead" in ended.err
    assert contents(tmp_path / "out") == contents(weights)
    (tmp_path / "away").rename(tmp_path / "disk")
    (tmp_path / "copies").rename(tmp_path / "away")
    assert "is not there" in mounted.gitreg("store", "copy", "--to", tmp_path / "copies", code=1).err
    assert not (tmp_path / "copies").exists()
    mounted.gitreg("save", "iris", weights)


def test_init_of_a_store_that_cannot_be_made_makes_no_registry(ada: Person, tmp_path: Path) -> None:
    write(tmp_path, {"file": "x"})
    ended = ada.gitreg("init", tmp_path / "registry", "--store", tmp_path / "file" / "store", code=1)
    assert str(tmp_path / "file") in ended.err
    assert ada.run("git", "-C", tmp_path / "registry", "rev-parse", "-q", "--verify", "main").code != 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["radosgw", "azurite", "sshd"])
def test_a_store_on_a_server_that_is_not_there_is_named_and_nothing_is_made(
    ada: Person, tmp_path: Path, weights: Path, name: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    url = prepare(name, ada.home, servers, monkeypatch)
    ada = ada.with_env(**{key: value for key, value in os.environ.items() if key.startswith(CLIENTS)})
    ada.gitreg("init", tmp_path / "registry", "--store", url)
    there = ada.at(tmp_path / "registry")
    there.gitreg("save", "iris", weights)
    elsewhere = f"{url}-moved"
    text = (there.here / "gitreg.yaml").read_text()
    assert url in text
    (there.here / "gitreg.yaml").write_text(text.replace(url, elsewhere))
    there.git("commit", "-qam", "another place")
    there.gitreg("trust", "--stores")
    reader = there.with_env(GITREG_CACHE=str(tmp_path / "empty"))
    head = there.git("rev-parse", "HEAD")
    for command in commands(weights, tmp_path):
        ended = reader.gitreg(*command, code=1)
        assert "is not there (is its URL right?)" in ended.err, command
    assert there.git("rev-parse", "HEAD") == head
    there.gitreg("store", "create", elsewhere)
    there.gitreg("store", "copy", "--from", url)
    reader.gitreg("load", "iris", tmp_path / "out")
    assert contents(tmp_path / "out") == contents(weights)
