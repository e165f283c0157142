"""Machines that are not the developer's own: users without a home, folders that may not be written, odd settings."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.world import Ended, Person, in_namespace, store_of

pytestmark = pytest.mark.slow

STRANGER = "54321"
"""A user id without an entry in passwd, as containers are given."""


def as_stranger(person: Person, *command: str | Path) -> Ended:
    """Run a program as another user, who may look at everything here and owns the person's folder."""
    become = ["setpriv", "--reuid", STRANGER, "--regid", STRANGER, "--clear-groups"]
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip("only root can become somebody else, by setpriv")
    if person.run(*become, "gitreg", "--version").code:
        pytest.skip("another user cannot run this Python")
    return person.run(*become, *command)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that other users may enter: pytest closes its own to them at every start."""
    with tempfile.TemporaryDirectory(prefix="gitreg-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def homeless(person: Person) -> Person:
    """Return a person whose environment names no folder of theirs."""
    named = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GITREG_CACHE")
    return Person(person.home, person.here, {name: each for name, each in person.env.items() if name not in named})


@pytest.fixture
def saved(registry: Person, weights: Path, tmp_path: Path) -> Person:
    """A registry with one version, which belongs to the stranger."""
    registry.gitreg("save", "iris", weights)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, int(STRANGER), int(STRANGER))
    return registry


def test_a_user_without_a_home_does_everything_that_needs_no_cache(
    saved: Person, weights: Path, tmp_path: Path
) -> None:
    someone = homeless(saved)
    for command in (
        ("load", "iris", tmp_path / "out"), ("save", "iris", weights), ("card", "iris", "-o", tmp_path / "card.html"),
        ("doctor",), ("verify",), ("gc",), ("cache", "list"), ("cache", "prune"), ("init", tmp_path / "new"),
    ):  # fmt: skip
        ended = as_stranger(someone, "gitreg", *command)
        assert ended.code == 0, (command, ended)
    assert (tmp_path / "out" / "model.bin").read_bytes() == (weights / "model.bin").read_bytes()


@pytest.mark.parametrize("home", [None, "read-only"])
def test_what_needs_a_cache_names_the_variables_that_give_one(saved: Person, home: str | None, tmp_path: Path) -> None:
    someone = homeless(saved)
    if home is not None:
        (tmp_path / home).mkdir(mode=0o755)
        someone = someone.with_env(HOME=str(tmp_path / home))
    for command in (("load", "iris"), ("cat", "iris:model.bin"), ("--repo", f"file://{saved.here}", "list")):
        ended = as_stranger(someone, "gitreg", *command)
        assert ended.code == 1, ended
        assert "Permission denied" in ended.err
        assert "set GITREG_CACHE or XDG_CACHE_HOME to a folder" in ended.err
        assert as_stranger(someone.with_env(GITREG_CACHE=str(tmp_path / "named")), "gitreg", *command).code == 0
    ended = as_stranger(someone, "gitreg", "trust", "--code")
    assert (ended.code, "set XDG_CONFIG_HOME to a folder" in ended.err) == (1, True)


@pytest.fixture
def baked(saved: Person, tmp_path: Path) -> Person:
    """A person with a cache as an image has it: copied, of another user, and not to be written."""
    saved.gitreg("load", "iris")
    cache = tmp_path / "baked"
    shutil.copytree(tmp_path / "cache", cache, symlinks=True)
    saved.run("chmod", "-R", "a-w", cache)
    shutil.rmtree(tmp_path / "cache")
    return saved.with_env(GITREG_CACHE=str(cache))


@pytest.mark.parametrize("locks", ["locks", "no locks"])
def test_a_cache_that_may_not_be_written_is_read(baked: Person, weights: Path, tmp_path: Path, locks: str) -> None:
    if locks == "no locks":
        shutil.rmtree(tmp_path / "baked" / "locks")
    store_of(baked.here).rename(tmp_path / "away")
    expected = (weights / "model.bin").read_bytes()
    folder = as_stranger(baked, "gitreg", "load", "iris")
    assert folder.code == 0, folder
    assert folder.out.startswith(str(tmp_path / "baked"))
    assert as_stranger(baked, "gitreg", "cat", "iris:config/vocab.json").out == '{"a": 1}\n'
    linked = as_stranger(baked, "gitreg", "load", "--link", "iris", tmp_path / "linked")
    assert linked.code == 0, linked
    assert (tmp_path / "linked" / "model.bin").read_bytes() == expected


def test_a_damaged_file_in_a_cache_that_may_not_be_written_is_never_handed_out(baked: Person, tmp_path: Path) -> None:
    [file] = (tmp_path / "baked").glob("artifacts/*/model.bin")
    file.write_bytes(file.read_bytes()[::-1])
    ended = as_stranger(baked, "gitreg", "load", "iris")
    assert (ended.code, "set GITREG_CACHE or XDG_CACHE_HOME" in ended.err) == (1, True), ended
    assert as_stranger(baked, "gitreg", "load", "iris", tmp_path / "out").code == 0, "the store has it"


def test_a_cache_on_a_read_only_disk_is_read_by_root_too(baked: Person, tmp_path: Path) -> None:
    ended = in_namespace(
        baked,
        f"""
        mount --bind {tmp_path}/baked {tmp_path}/baked
        mount -o remount,ro,bind {tmp_path}/baked
        gitreg load iris
        """,
    )
    assert (ended.code, ended.err) == (0, ""), ended
