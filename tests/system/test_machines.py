"""Machines that are not the developer's own: users without a home, folders that may not be written, odd settings."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.world import Ended, Person, assert_in_words, assert_sound, in_namespace, store_of, without_git

pytestmark = pytest.mark.slow

STRANGER = "54321"
"""A user id without an entry in passwd, as containers are given."""


def as_stranger(person: Person, *command: str | Path) -> Ended:
    """Run a program as another user, who may look at everything here and owns the person's folder."""
    become = ["setpriv", "--reuid", STRANGER, "--regid", STRANGER, "--clear-groups"]
    if shutil.which("setpriv") is None:
        pytest.skip("nobody becomes somebody else here without setpriv")
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
    if os.geteuid():
        pytest.skip("only root can give files away")
    registry.gitreg("save", "iris", weights)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, int(STRANGER), int(STRANGER))
    return registry


def test_a_user_without_a_home_does_everything_that_needs_no_cache(
    saved: Person, weights: Path, tmp_path: Path
) -> None:
    someone = homeless(saved)
    for command in (
        ("load", "iris", tmp_path / "out"), ("save", "iris", weights), ("card", "iris", "--out", tmp_path / "c.html"),
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
    ended = as_stranger(someone.with_env(HOME="/dev/null"), "gitreg", "load", "iris")
    assert "set GITREG_CACHE or XDG_CACHE_HOME to a folder" in ended.err
    ended = as_stranger(someone, "gitreg", "trust", "--code")
    assert (ended.code, "set XDG_CONFIG_HOME to a folder" in ended.err) == (1, True)


def test_a_current_folder_that_was_removed_is_named_in_the_error(ada: Person, tmp_path: Path) -> None:
    ended = ada.run("sh", "-c", f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; gitreg list")
    assert (ended.code, "the current folder is not there any more" in ended.err) == (3, True), ended


@pytest.fixture
def baked(saved: Person, tmp_path: Path) -> Person:
    """A person with a cache as an image has it: copied, of another user, and not to be written."""
    saved = saved.with_env(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")  # for root
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


# -- bytes that are no UTF-8 -----------------------------------------------------------------------------------------

LATIN_1 = os.fsdecode("café".encode("latin-1"))


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (("save", "iris", "WEIGHTS", "--description", LATIN_1), "at /description"),
        (("save", "iris", "WEIGHTS", "--tag", LATIN_1), "at /tags/0"),
        (("save", "iris", "WEIGHTS", "--metadata", f"origin={LATIN_1}"), "metadata.origin"),
        (("save", "iris", "WEIGHTS", "--message", LATIN_1), "the message"),
        (("save", f"iris@{LATIN_1}", "WEIGHTS"), "the version name"),
        (("save", LATIN_1, "WEIGHTS"), "the model name"),
        (("save", "iris", "WEIGHTS", "--input", f"iris@{LATIN_1}"), "the reference"),
        (("promote", "iris@1", "production", "--reason", LATIN_1), "at /reason"),
        (("yank", "iris@1", "--reason", LATIN_1), "at /yank_reason"),
        (("annotate", "iris@1", "--description", LATIN_1), "at /description"),
        (("model", "register", "other", "--description", LATIN_1), "models/other/model.yaml at /description"),
        (("store", "add", LATIN_1), "the address of the store"),
        (("init", "two", "--store", LATIN_1), "the address of the store"),
        (("show", f"iris@{LATIN_1}"), "the reference"),
        (("--repo", f"http://localhost:1/{LATIN_1}", "list"), "the address of the registry"),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each[:2]),
)
def test_a_text_that_is_not_utf_8_is_refused_by_the_name_of_its_field_and_nothing_is_stored(
    registry: Person, weights: Path, command: tuple[str, ...], field: str
) -> None:
    registry.gitreg("save", "iris", weights)
    store = sorted(store_of(registry.here).rglob("*"))
    (weights / "model.bin").write_bytes(b"others")
    before = registry.git("for-each-ref")
    ended = registry.gitreg(*(str(weights) if each == "WEIGHTS" else each for each in command), code=2)
    assert field in ended.err
    assert r"caf\udce9" in ended.err
    assert registry.git("for-each-ref") == before
    assert sorted(store_of(registry.here).rglob("*")) == store


def test_a_name_that_is_not_utf_8_signs_commits_with_its_bytes_as_with_git(registry: Person, weights: Path) -> None:
    someone = registry.with_env(GIT_AUTHOR_NAME=LATIN_1, GIT_COMMITTER_NAME=LATIN_1)
    someone.gitreg("save", "iris", weights)
    raw = someone.git("cat-file", "commit", "HEAD")
    assert f"author {LATIN_1} <ada@example.com>" in raw
    assert f"committer {LATIN_1} <ada@example.com>" in raw
    shown = someone.gitreg("show", "iris", "--json").data
    assert shown["created_by"] == "caf\N{REPLACEMENT CHARACTER} <ada@example.com>"
    assert someone.doctor_says() == []


def test_a_run_of_a_command_with_bytes_that_are_not_utf_8_is_recorded(registry: Person) -> None:
    ended = registry.gitreg("run", "--name", "odd", "--", "echo", LATIN_1)
    assert ended.out.strip() == LATIN_1


def test_nothing_has_a_name_that_is_not_utf_8(registry: Person, weights: Path) -> None:
    registry.gitreg("save", "iris", weights)
    for command in (("list", LATIN_1), ("load", "iris", "out", "--file", LATIN_1), ("cat", f"iris:{LATIN_1}")):
        registry.gitreg(*command, code=3)


# -- remotes as people configure them --------------------------------------------------------------------------------


@pytest.fixture
def hub(ada: Person, weights: Path, tmp_path: Path) -> Path:
    """A bare repository with a registry of one version."""
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.git("clone", "-q", tmp_path / "hub.git", tmp_path / "first")
    first = ada.at(tmp_path / "first")
    first.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    first.gitreg("save", "iris", weights)
    return tmp_path / "hub.git"


@pytest.mark.parametrize("kind", ["a mirror", "a clone of all refs"])
def test_a_clone_that_maps_all_refs_follows_and_writes_as_any_other(
    ada: Person, hub: Path, weights: Path, tmp_path: Path, kind: str
) -> None:
    ada.git("clone", "-q", *(["--mirror"] if kind == "a mirror" else []), hub, tmp_path / "clone")
    clone = ada.at(tmp_path / "clone")
    if kind != "a mirror":
        clone.git("config", "remote.origin.fetch", "+refs/*:refs/*")
    clone.gitreg("pull")
    (weights / "model.bin").write_bytes(b"second")
    clone.gitreg("save", "iris", weights, "--stage", "staging")
    first = ada.at(tmp_path / "first")
    first.gitreg("pull")
    (weights / "model.bin").write_bytes(b"third")
    first.gitreg("save", "iris", weights)
    clone.gitreg("pull")
    assert clone.gitreg("show", "iris", "--json").data["number"] == 3
    assert_sound(clone)
    assert clone.git("rev-parse", "main") == first.git("rev-parse", "main") == first.at(hub).git("rev-parse", "main")


def test_what_git_refuses_is_told_in_its_words_and_nothing_moves(
    ada: Person, hub: Path, weights: Path, tmp_path: Path
) -> None:
    first = ada.at(tmp_path / "first")
    first.git("config", "push.gpgSign", "true")
    (weights / "model.bin").write_bytes(b"second")
    before = first.git("for-each-ref", "refs/heads", "refs/tags", "refs/stages")
    ended = first.gitreg("save", "iris", weights, code=4)
    assert "the receiving end does not support --signed push" in ended.err
    assert "network" not in ended.err
    assert first.git("for-each-ref", "refs/heads", "refs/tags", "refs/stages") == before
    first.git("config", "--unset", "push.gpgSign")
    first.gitreg("save", "iris", weights)


@pytest.mark.parametrize("left_out", ["blob:none", "tree:0"])
def test_a_partial_clone_brings_what_it_lacks_reads_and_writes(
    ada: Person, hub: Path, weights: Path, tmp_path: Path, left_out: str
) -> None:
    ada.git("-C", hub, "config", "uploadpack.allowFilter", "true")
    ada.git("clone", "-q", "--bare", f"--filter={left_out}", f"file://{hub}", tmp_path / "partial")
    partial, first = ada.at(tmp_path / "partial"), ada.at(tmp_path / "first")
    assert partial.gitreg("show", "iris", "--json").data["number"] == 1
    partial.gitreg("load", "iris", tmp_path / "out")
    for content in (b"second", b"third"):
        (weights / "model.bin").write_bytes(content)
        first.gitreg("save", "iris", weights)
    partial.git("fetch", "-q", "origin", "+main:main")  # by git itself, which leaves out as before
    assert partial.gitreg("show", "iris", "--json").data["number"] == 3
    (weights / "model.bin").write_bytes(b"fourth")
    partial.gitreg("save", "iris", weights)
    assert partial.gitreg("log", "iris", "--json").data[0]["subject"] == "Save iris@4"


def test_a_partial_clone_whose_remote_is_gone_says_so(ada: Person, hub: Path, tmp_path: Path) -> None:
    ada.git("-C", hub, "config", "uploadpack.allowFilter", "true")
    ada.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{hub}", tmp_path / "partial")
    partial = ada.at(tmp_path / "partial")
    hub.rename(tmp_path / "away.git")
    ended = partial.gitreg("show", "iris", code=3)
    assert "partial clone" in ended.err
    assert "no repository at origin" in ended.err
    assert "git fetch --refetch --no-filter" in ended.err
    without = without_git(tmp_path, partial).gitreg("show", "iris", code=3)
    assert "needs the git program" in without.err
    (tmp_path / "away.git").rename(hub)
    partial.git("fetch", "-q", "--refetch", "--no-filter", "origin")
    hub.rename(tmp_path / "away.git")
    partial.gitreg("show", "iris")


# -- Windows, as far as Linux can be that ----------------------------------------------------------------------------


def as_on_windows(person: Person, *arguments: str | Path) -> Ended:
    """Run gitreg without the calls that Windows lacks (``windows.py``)."""
    return person.run(sys.executable, "-P", Path(__file__).with_name("windows.py"), *arguments)


def test_on_windows_everything_is_read_and_loaded(registry: Person, weights: Path, tmp_path: Path) -> None:
    registry.gitreg("save", "iris", weights, "--stage", "staging")
    for command in (
        ("list",), ("show", "iris"), ("log", "iris"), ("verify", "--deep"), ("doctor",),
        ("card", "iris", "--out", tmp_path / "card.html"), ("load", "iris"), ("load", "iris"), ("cache", "list"),
        ("cache", "verify"), ("load", "iris", tmp_path / "out"), ("load", "--link", "iris", tmp_path / "linked"),
        ("load", "--file", "model.bin", "iris"), ("cat", "iris:config/vocab.json"), ("cache", "prune", "--all"),
        ("load", "iris"), ("--repo", f"file://{registry.here}", "show", "iris"), ("run", "--help"),
    ):  # fmt: skip
        ended = as_on_windows(registry, *command)
        assert ended.code == 0, (command, ended)
    for folder in ("out", "linked"):
        assert (tmp_path / folder / "model.bin").read_bytes() == (weights / "model.bin").read_bytes()
    assert list((tmp_path / "cache").rglob(".gitreg-*")) == []


def test_on_windows_a_damaged_file_of_the_cache_is_fetched_again(
    registry: Person, weights: Path, tmp_path: Path
) -> None:
    registry.gitreg("save", "iris", weights)
    as_on_windows(registry, "load", "iris")
    [file] = (tmp_path / "cache").glob("artifacts/*/model.bin")
    file.write_bytes(b"damaged")
    assert as_on_windows(registry, "load", "iris").code == 0
    assert file.read_bytes() == (weights / "model.bin").read_bytes()


@pytest.mark.parametrize(
    "command",
    [
        ("save", "iris", "."),
        ("promote", "iris@1", "production"),
        ("yank", "iris@1"),
        ("artifact", "save", "data", "gitreg.yaml"),
    ],
)
def test_on_windows_writing_is_refused_in_a_sentence(registry: Person, weights: Path, command: tuple[str, ...]) -> None:
    registry.gitreg("save", "iris", weights)
    before = registry.git("for-each-ref")
    ended = as_on_windows(registry, *command)
    assert (ended.code, "on Windows, gitreg reads and loads" in ended.err) == (4, True), ended
    assert_in_words(ended)
    assert registry.git("for-each-ref") == before
