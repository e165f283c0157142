"""From one person to a team: a registry that began alone is published and cloned, with weights that all can load."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.system.world import Person, assert_sound, contents, without_git, write

pytestmark = pytest.mark.slow

ALONE = "a folder of this clone alone"


@pytest.fixture
def hub(ada: Person, tmp_path: Path) -> Path:
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    return tmp_path / "hub.git"


@pytest.fixture
def first(ada: Person, hub: Path, tmp_path: Path) -> Person:
    """Ada in an empty clone of the hub."""
    ada.git("clone", "-q", hub, tmp_path / "first")
    return ada.at(tmp_path / "first")


@pytest.fixture
def alone(ada: Person, hub: Path, tmp_path: Path, weights: Path) -> Person:
    """Ada in a registry of her own with a version, which knows a remote and does not follow it yet."""
    ada.gitreg("init", tmp_path / "alone")
    there = ada.at(tmp_path / "alone")
    there.gitreg("save", "iris", weights, "--stage", "staging")
    there.gitreg("alias", "set", "iris@1", "champion")
    there.git("remote", "add", "origin", hub)
    return there


def another(person: Person, tmp_path: Path) -> Person:
    """Somebody else on the machine: with trust and a cache of their own."""
    return person.with_env(
        XDG_DATA_HOME=str(tmp_path / "bob"),
        XDG_CONFIG_HOME=str(tmp_path / "bob"),
        GITREG_CACHE=str(tmp_path / "bob-cache"),
    )


def derived(person: Person, folder: Path) -> list[str]:
    """Return the branch, the tags and the mirrors of a repository, with what they point to."""
    refs = person.git("-C", folder, "for-each-ref", "--format=%(objectname) %(refname)")
    return [line for line in refs.splitlines() if "refs/remotes/" not in line and "refs/gitreg/" not in line]


# -- a store that all reach --------------------------------------------------------------------------------------------


def test_init_with_a_remote_and_no_store_is_refused_and_names_both_ways(first: Person, hub: Path) -> None:
    for options in ((), ("--store", "weights"), ("--store", ".git/weights")):
        ended = first.gitreg("init", "--remote", "origin", *options, code=2)
        assert "origin would get the records alone" in ended.err
        assert "--store URL" in ended.err
        assert f"--store-in-remote-folder, for {hub}/gitreg/store" in ended.err
    assert derived(first, first.here) == derived(first, hub) == []


def test_weights_inside_of_the_remote_are_loaded_in_another_clone(first: Person, hub: Path, weights: Path) -> None:
    first.gitreg("init", "--remote", "origin", "--store-in-remote-folder")
    assert not first.gitreg("save", "iris", weights).err
    assert not first.gitreg("doctor").err
    bob = another(first, hub.parent)
    said = bob.gitreg("clone", hub, hub.parent / "second").out
    assert f"weights come from {hub}/gitreg/store, once you trust it: `gitreg trust --stores`" in said
    second = bob.at(hub.parent / "second")
    second.gitreg("trust", "--stores")
    second.gitreg("load", "iris", hub.parent / "loaded")
    assert contents(hub.parent / "loaded") == contents(weights)
    second.git("-C", hub, "gc", "--quiet", "--prune=now")
    assert_sound(second)


def test_a_remote_on_a_host_has_no_folder_to_keep_weights_in(first: Person) -> None:
    first.git("remote", "set-url", "origin", "https://ada:secret@host/models.git")
    ended = first.gitreg("init", "--remote", "origin", "--store-in-remote-folder", code=2)
    assert "origin is no folder on this machine" in ended.err
    assert "--store URL" in ended.err
    ended = first.gitreg("init", "--remote", "origin", code=2)
    assert "--store URL" in ended.err
    assert "--store-in-remote-folder" not in ended.err
    assert "secret" not in ended.err


def test_a_remote_that_git_does_not_know_is_named_before_anything_is_made(first: Person, tmp_path: Path) -> None:
    assert "there is no remote 'hub'" in first.gitreg("init", "--remote", "hub", "--store", "/x", code=3).err
    new = tmp_path / "new"
    ended = first.gitreg("init", new, "--remote", "origin", "--store", tmp_path / "store", code=3)
    assert "git remote add origin URL" in ended.err
    assert not new.exists()
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    "address", ["https://ada:secret@host/x.git", "ada:secret@host:x.git", "https://h/x?token=secret"]
)
def test_an_address_in_the_place_of_a_remote_is_told_to_get_a_name_and_its_login_is_not_shown(
    alone: Person, tmp_path: Path, address: str
) -> None:
    commands = (("remote", "set", address), ("init", tmp_path / "new", "--remote", address, "--store", tmp_path / "s"))
    for command in commands:
        ended = alone.gitreg(*command, code=3)
        assert "`git remote add origin URL` gives it the name origin" in ended.err
        assert "secret" not in ended.err


def test_a_shared_registry_with_a_private_store_says_so_at_each_door(
    alone: Person, hub: Path, weights: Path, tmp_path: Path
) -> None:
    assert ALONE in alone.gitreg("init", "--remote", "origin").err
    more = write(tmp_path / "more", {"model.bin": b"more"})
    assert f"{alone.here}/.git/gitreg/store, {ALONE}: origin gets the records" in alone.gitreg("save", "iris", more).err
    assert ALONE in alone.gitreg("doctor").err
    ended = alone.gitreg("clone", hub, tmp_path / "second")
    assert "nobody can load them" in ended.err
    assert "gitreg store set URL --copy" in ended.err
    assert "weights come from" not in ended.out
    by_url = alone.gitreg("--repo", f"file://{hub}", "save", "iris", weights, "--metadata", "a=1")
    assert ALONE in by_url.err


# -- the remote --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("remote", "set", "origin"), ("init", "--remote", "origin")])
def test_a_registry_that_began_alone_is_published_with_its_tags_and_mirrors(
    alone: Person, hub: Path, command: tuple[str, ...]
) -> None:
    said = alone.gitreg(*command).out
    assert "Published to origin" in said
    if command[0] == "remote":
        assert ", with 1 tag of versions and 2 refs of stages and aliases" in said
    assert derived(alone, alone.here) == derived(alone, hub) != []
    assert alone.git("log", "-1", "--format=%s").strip() == "Set remote to origin"
    assert "has nothing new" in alone.gitreg("pull").out
    assert_sound(alone)
    before = derived(alone, hub)
    alone.gitreg(*command)
    assert derived(alone, hub) == before


def test_a_remote_that_cannot_be_had_changes_nothing(alone: Person, hub: Path) -> None:
    before = derived(alone, alone.here)
    assert "git remote add hub URL" in alone.gitreg("remote", "set", "hub", code=3).err
    alone.git("remote", "set-url", "origin", hub.parent / "nowhere.git")
    alone.gitreg("remote", "set", "origin", code=3)
    alone.git("init", "-q", "-b", "main", hub.parent / "other")
    other = alone.at(hub.parent / "other")
    other.git("commit", "-qm", "Another history", "--allow-empty")
    other.git("push", "-q", hub, "main")
    alone.git("remote", "set-url", "origin", hub)
    assert "is a history of its own" in alone.gitreg("remote", "set", "origin", code=4).err
    assert derived(alone, alone.here) == before
    alone.gitreg("save", "iris", alone.here / "gitreg.yaml")


def test_a_remote_that_its_host_began_with_a_readme_is_taken_in_as_the_hint_says(alone: Person, hub: Path) -> None:
    alone.git("clone", "-q", hub, hub.parent / "host")
    host = alone.at(write(hub.parent / "host", {"README.md": "# Models"}))
    host.git("add", ".")
    host.git("commit", "-qm", "Initial commit")
    host.git("push", "-q", "origin", "HEAD:main")
    hint = alone.gitreg("remote", "set", "origin", code=4).err
    theirs = host.git("rev-parse", "--short=12", "HEAD").strip()
    assert f"on main: `git merge --allow-unrelated-histories {theirs}`, then again" in hint
    alone.git("merge", "-q", "-m", "Take it in", "--allow-unrelated-histories", theirs)
    alone.gitreg("remote", "set", "origin")
    assert derived(alone, alone.here) == derived(alone, hub)
    assert_sound(alone)


def test_another_registry_at_the_remote_is_left_alone(alone: Person, hub: Path) -> None:
    alone.gitreg("init", hub.parent / "other")
    alone.git("-C", hub.parent / "other", "push", "-q", hub, "main")
    ended = alone.gitreg("remote", "set", "origin", code=4)
    assert "origin/main is another registry" in ended.err
    assert "git merge" not in ended.err


def test_another_remote_gets_all_and_the_former_one_says_where_it_went(alone: Person, hub: Path) -> None:
    alone.gitreg("remote", "set", "origin")
    alone.git("init", "-q", "--bare", "-b", "main", hub.parent / "new.git")
    alone.git("remote", "add", "team", hub.parent / "new.git")
    assert "`gitreg remote set NAME`" in alone.gitreg("init", "--remote", "team", code=4).err
    alone.gitreg("remote", "set", "team")
    assert derived(alone, hub) == derived(alone, hub.parent / "new.git") == derived(alone, alone.here)
    alone.gitreg("clone", hub.parent / "new.git", hub.parent / "second")
    second = alone.at(hub.parent / "second")
    assert second.git("config", "remote.team.url").strip() == str(hub.parent / "new.git")
    second.gitreg("model", "register", "wine")
    assert derived(alone, hub.parent / "new.git") == derived(second, second.here)


def test_another_remote_gets_the_tags_of_what_others_saved_and_this_clone_has_not_pulled(
    first: Person, hub: Path, weights: Path
) -> None:
    first.gitreg("init", "--remote", "origin", "--store-in-remote-folder")
    first.gitreg("clone", hub, hub.parent / "second")
    first.at(hub.parent / "second").gitreg("save", "iris", weights)
    first.gitreg("save", "iris", weights, "--metadata", "a=1")
    first.git("init", "-q", "--bare", "-b", "main", hub.parent / "new.git")
    first.git("remote", "add", "team", hub.parent / "new.git")
    assert "with 2 tags of versions" in first.gitreg("remote", "set", "team").out
    assert derived(first, hub.parent / "new.git") == derived(first, hub)
    assert_sound(first)


# -- clones ------------------------------------------------------------------------------------------------------------


def test_a_clone_that_fails_leaves_nothing_and_can_be_tried_again(ada: Person, hub: Path, alone: Person) -> None:
    place = hub.parent / "deep" / "er" / "clone"
    (hub.parent / "empty").mkdir()
    for folder in (place, hub.parent / "empty"):
        ended = ada.gitreg("clone", hub, folder, code=3)
        assert f"there is no registry in {hub}" in ended.err
    assert not (hub.parent / "deep").exists()
    assert not list((hub.parent / "empty").iterdir())
    alone.gitreg("remote", "set", "origin")
    ada.gitreg("clone", hub, place)
    assert derived(ada, place) == derived(ada, hub)


@pytest.mark.parametrize("git", [True, False])
def test_the_registry_is_cloned_from_the_branch_that_has_it_whatever_head_names(
    ada: Person, hub: Path, alone: Person, tmp_path: Path, git: bool
) -> None:
    alone.git("--git-dir", hub, "symbolic-ref", "HEAD", "refs/heads/master")
    told = alone.gitreg("remote", "set", "origin").err
    assert f"git --git-dir {hub} symbolic-ref HEAD refs/heads/main" in told
    alone.git("push", "-q", hub, "main:refs/heads/gitreg/proposal")  # a branch with a copy of it is no registry
    user = ada if git else without_git(tmp_path, ada)
    for url in (hub, f"{hub}#main", f"file://{hub}#main"):
        user.gitreg("clone", url, hub.parent / "clone")
        clone = ada.at(hub.parent / "clone")
        (branch,) = clone.git("status", "--porcelain", "--branch").splitlines()
        assert branch == ("## main...origin/main" if git else "## main")
        clone.gitreg("show", "iris@staging")
        shutil.rmtree(clone.here)
    assert "no registry" in user.gitreg("clone", f"{hub}#other", hub.parent / "clone", code=3).err
    assert not (hub.parent / "clone").exists()


def test_of_several_registries_the_one_that_is_named_is_cloned(ada: Person, hub: Path, alone: Person) -> None:
    alone.gitreg("remote", "set", "origin")
    alone.gitreg("clone", hub, hub.parent / "second")
    second = alone.at(hub.parent / "second")
    second.git("switch", "-q", "--orphan", "beta")
    second.gitreg("init", "--branch", "beta", "--prefix", "beta", "--store", hub.parent / "weights")
    second.git("push", "-q", "origin", "beta")
    ada.gitreg("clone", f"{hub}#beta", hub.parent / "clone")
    clone = ada.at(hub.parent / "clone")
    assert json.loads(clone.gitreg("remote", "--json").out)["branch"] == "beta"
    alone.git("--git-dir", hub, "symbolic-ref", "HEAD", "refs/heads/master")
    ended = ada.gitreg("clone", hub, hub.parent / "third", code=3)
    assert "there are several registries" in ended.err
    assert f"gitreg clone {hub}#beta" in ended.err


def test_a_folder_with_something_in_it_is_not_cloned_into_and_keeps_it(ada: Person, hub: Path) -> None:
    write(hub.parent / "full", {"mine.txt": "mine"})
    assert "is there already" in ada.gitreg("clone", hub, hub.parent / "full", code=4).err
    assert {path: text for path, (text, _) in contents(hub.parent / "full").items()} == {"mine.txt": b"mine"}
