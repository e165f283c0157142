"""Cloning with and without a git program."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import AlreadyExists, NotFound, Unreachable
from gitreg.git import RefUpdate
from gitreg.git.creation import clone_repository, mirror_repository
from tests.git.conftest import Env, git
from tests.git.faraway import MAIN, World, by_http, by_readers, by_readers_and_ssh
from tests.servers.gitremotes import Far


def fill(far: Far) -> str:
    """Put a commit with every kind of file there, and a tag."""
    blob = far.git("hash-object", "-w", "--stdin", stdin="hello\n")
    link = far.git("hash-object", "-w", "--stdin", stdin="plain")
    inner = far.git("mktree", stdin=f"100644 blob {blob}\tgröße\n")
    tree = far.git(
        "mktree",
        stdin=f"100644 blob {blob}\tplain\n100755 blob {blob}\trun\n"
        f"120000 blob {link}\tlink\n040000 tree {inner}\tin\n",
    )
    who = ("-c", "user.name=Bob", "-c", "user.email=bob@example.com")
    commit = far.git(*who, "commit-tree", "-m", "all", tree)
    far.git("update-ref", MAIN, commit)
    far.git("update-ref", "refs/heads/side/branch", commit)
    far.git(*who, "tag", "-m", "x", "iris/v1", commit)
    return commit


@by_readers_and_ssh
def test_a_clone_has_branches_tags_and_a_clean_work_tree(far: Far, tmp_path: Path, env: Env) -> None:
    commit = fill(far)
    target = tmp_path / "new" / "clone"
    with clone_repository(far.url, target, env=far.env) as clone:
        assert clone.head_branch() == MAIN
        assert clone.read_ref(MAIN) == commit
        assert clone.read_ref("refs/remotes/origin/side/branch") == commit
        assert clone.read_ref("refs/tags/iris/v1") == far.refs()["refs/tags/iris/v1"]
        assert clone.remotes.open("origin").refs(MAIN) == {MAIN: commit}
    assert (target / "in" / "größe").read_text() == "hello\n"
    assert (target / "link").readlink() == Path("plain")
    assert git(target, env, "status", "--porcelain") == ""
    assert git(target, env, "config", "remote.origin.url") == far.url
    git(target, env, "fsck", "--strict")


@by_readers
def test_a_clone_of_an_empty_repository_is_empty(far: Far, tmp_path: Path, env: Env) -> None:
    (tmp_path / "clone").mkdir()
    with clone_repository(far.url, tmp_path / "clone", env=far.env) as clone:
        assert clone.refs("refs/") == {}
    git(tmp_path / "clone", env, "status")


@by_readers
def test_a_clone_that_fails_leaves_nothing(far: Far, tmp_path: Path) -> None:
    for target in (tmp_path / "clone", tmp_path / "there"):
        if target.name == "there":
            target.mkdir()
        with pytest.raises(NotFound, match="no repository") as caught:
            clone_repository(f"{far.url}x", target, env=far.env)
        assert "s3cr3t" not in caught.value.message
    assert not (tmp_path / "clone").exists()
    assert not list((tmp_path / "there").iterdir())


@by_readers
def test_a_folder_with_something_in_it_is_not_cloned_into(far: Far, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "mine").write_text("mine")
    with pytest.raises(AlreadyExists):
        clone_repository(far.url, tmp_path / "clone", env=far.env)
    assert (tmp_path / "clone" / "mine").read_text() == "mine"


@by_http
def test_a_clone_that_nobody_lets_in_shows_no_password(far: Far, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="does not let us in") as caught:
        clone_repository(far.url.replace("s3cr3t-pass", "wr0ng-pass"), tmp_path / "clone", env=far.env)
    assert "wr0ng" not in caught.value.message


@by_readers
def test_files_of_a_clone_follow_the_branch_afterwards(world: World, far: Far, tmp_path: Path, env: Env) -> None:
    first = world.somebody_else_pushes()
    with clone_repository(far.url, tmp_path / "clone", env=far.env) as clone:
        second = world.somebody_else_pushes(files=3)
        clone.remotes.open("origin").fetch([f"+{MAIN}:refs/gitreg/origin/main"])
        with clone.lock(timeout=10), clone.follow(MAIN, first, second):
            clone.update_refs([RefUpdate(MAIN, second, first)], reason="pull")
    assert (tmp_path / "clone" / "f2").read_text() == "theirs 2"
    assert git(tmp_path / "clone", env, "status", "--porcelain") == ""


@by_http
def test_a_mirror_is_read_and_written_with_a_login_that_its_folder_does_not_hold(far: Far, tmp_path: Path) -> None:
    commit = fill(far)
    for _ in range(2):  # made, and opened again
        with mirror_repository(tmp_path / "mirror", far.url, env=far.env) as mirror:
            remote = mirror.remotes.open("origin")
            assert remote.refs(MAIN) == {MAIN: commit}
            remote.fetch([f"+{MAIN}:{MAIN}"])
            far.git("update-ref", "-d", "refs/heads/side/branch")
            remote.push([RefUpdate("refs/heads/side/branch", commit, None)])
            assert far.refs()["refs/heads/side/branch"] == commit
            assert mirror.remotes.url("origin") == far.url.replace("ada:s3cr3t-pass@", "")
    held = [path.read_bytes() for path in (tmp_path / "mirror").rglob("*") if path.is_file()]
    assert held
    assert not any(b"s3cr3t" in each for each in held)
    without = far.url.replace("ada:s3cr3t-pass@", "")
    with mirror_repository(tmp_path / "mirror", without, env=far.env) as mirror, pytest.raises(Unreachable):
        mirror.remotes.open("origin").refs(MAIN)
