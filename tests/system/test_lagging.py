"""A branch that moves while its work tree cannot: nothing moves where that is known before, and else it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.world import PROGRAMS, Person, assert_sound, commit_by_hand, in_namespace, write

pytestmark = pytest.mark.slow

STAGE = "models/iris/stages/production.yaml"
RECORD = "models/iris/versions/2.yaml"


@pytest.fixture
def clone(ada: Person, tmp_path: Path, weights: Path) -> Person:
    """A clone with a version in production, and hooks, of a repository that moves first."""
    ada.git("init", "-q", "--bare", "-b", "main", tmp_path / "hub.git")
    ada.git("clone", "-q", tmp_path / "hub.git", tmp_path / "clone")
    clone = ada.at(tmp_path / "clone")
    clone.gitreg("init", "--remote", "origin", "--store", tmp_path / "store")
    clone.gitreg("save", "iris", weights)
    clone.gitreg("promote", "iris@1", "production")
    clone.gitreg("hooks", "install")
    return clone


def on_push(clone: Person, script: str) -> None:
    """Let something happen after the remote's branch has moved, and before the clone's has."""
    hook = clone.here.parent / "hub.git" / "hooks" / "post-receive"
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def half_a_record(clone: Person) -> str:
    return f"git show main:{RECORD} | head -c 20 > {clone.here}/{RECORD}"


def a_file_in_the_way(clone: Person) -> str:
    return f"echo precious > {clone.here}/{RECORD}"


@pytest.mark.parametrize("happens", [half_a_record, a_file_in_the_way])
def test_a_work_tree_that_could_not_follow_is_told_of_and_no_commit_undoes_what_it_lacks(
    clone: Person, weights: Path, happens: Callable[[Person], str]
) -> None:
    on_push(clone, happens(clone))
    write(weights, {"model.bin": b"other"})
    ended = clone.gitreg("save", "iris", weights, code=1)
    assert f"the work tree {clone.here} could not follow" in ended.err
    assert RECORD in ended.err
    assert "gitreg doctor --repair" in ended.err
    assert (
        clone.git("rev-parse", "main")
        == clone.git("rev-parse", "origin/main")
        == clone.git("ls-remote", "origin", "main")[:40]
    )
    # the next plain commit would remove the record of version 2
    clone.git("config", "user.email", "ada@example.com")
    write(clone.here, {"models/iris/README.md": "# Iris\n"})
    clone.git("add", "models/iris/README.md")
    refused = clone.run("git", "commit", "-m", "a card")
    assert refused.code == 1
    assert "lags behind its branch" in refused.err
    assert clone.git("show", f"main:{RECORD}")
    assert [p["repairable"] for p in clone.doctor_says() if p["where"] == str(clone.here)] == [True]
    if happens is a_file_in_the_way:
        assert clone.run(PROGRAMS / "gitreg", "doctor", "--repair").code == 6
        assert (clone.here / RECORD).read_text() == "precious\n"
        assert "lags behind main" in clone.gitreg("promote", "iris@2", "staging", code=4).err
        (clone.here / RECORD).unlink()
    mended = clone.gitreg("doctor", "--repair").out
    assert f"mended  {clone.here}: lags behind its branch" in mended
    clone.git("commit", "-q", "-m", "a card")
    assert clone.git("show", f"main:{RECORD}") == (clone.here / RECORD).read_text().strip("\n")
    assert clone.git("status", "--porcelain") == ""


def test_a_folder_that_cannot_be_written_is_known_before_anything_moves(clone: Person, weights: Path) -> None:
    """By root too: the folder is mounted read-only."""
    head, production = clone.git("rev-parse", "main"), (clone.here / STAGE).read_bytes()
    write(weights, {"model.bin": b"other"})
    ended = in_namespace(
        clone,
        f"""
        mount --bind {clone.here}/models {clone.here}/models
        mount -o remount,ro,bind {clone.here}/models
        for command in "save iris {weights}" "promote iris@1 staging" "alias set iris@1 best" "archive iris@1"; do
          code=0; gitreg $command > /dev/null 2> {clone.home}/err || code=$?
          echo "$code $(head -1 {clone.home}/err)"
        done
        """,
    )
    assert ended.code == 0, ended
    for line in ended.out.splitlines():
        assert line.startswith(f"1 error: the work tree {clone.here} cannot follow main, so nothing was moved"), line
        assert "Read-only file system" in line
    assert clone.git("rev-parse", "main") == head == clone.git("ls-remote", "origin", "main")[:40]
    assert (clone.here / STAGE).read_bytes() == production
    assert_sound(clone)
    clone.gitreg("save", "iris", weights)
    assert_sound(clone)


def test_a_pull_into_a_folder_that_cannot_be_written_moves_nothing(clone: Person, tmp_path: Path) -> None:
    clone.gitreg("clone", tmp_path / "hub.git", tmp_path / "other")
    other = clone.at(tmp_path / "other")
    clone.gitreg("promote", "iris@1", "staging")
    head = other.git("rev-parse", "main")
    ended = in_namespace(
        other,
        f"""
        mount --bind {other.here}/models/iris/stages {other.here}/models/iris/stages
        mount -o remount,ro,bind {other.here}/models/iris/stages
        code=0; gitreg pull || code=$?
        exit $code
        """,
    )
    assert ended.code == 1, ended
    assert "cannot follow main" in ended.err
    assert other.git("rev-parse", "main") == head
    other.gitreg("pull")
    assert not (other.here / STAGE).exists()
    assert_sound(other)


def test_a_full_disk_under_a_linked_work_tree_is_known_before_anything_moves(
    registry: Person, tmp_path: Path, weights: Path
) -> None:
    """The repository has room, the work tree's own disk has none."""
    (tmp_path / "disk").mkdir()
    registry.gitreg("save", "iris", weights)
    registry.git("checkout", "-q", "--detach")
    ended = in_namespace(
        registry,
        f"""
        mount -t tmpfs -o size=1m none {tmp_path}/disk
        git worktree add -q {tmp_path}/disk/tree main
        before=$(git rev-parse main)
        head -c 2000000 /dev/zero > {tmp_path}/disk/fill 2> /dev/null || true
        code=0; gitreg --repo . promote iris@1 production 2> {tmp_path}/err || code=$?
        echo "$code $(head -1 {tmp_path}/err)"
        [ $before = $(git rev-parse main) ] || echo MOVED
        rm {tmp_path}/disk/fill
        gitreg --repo . promote iris@1 production > /dev/null
        git -C {tmp_path}/disk/tree status --porcelain
        """,
    )
    assert ended.code == 0, ended
    [line] = ended.out.splitlines()
    assert line.startswith(f"1 error: the work tree {tmp_path}/disk/tree cannot follow main"), line
    assert "No space left on device" in line


def test_a_file_that_cannot_be_replaced_is_known_before_anything_moves(clone: Person) -> None:
    """By root too: the file itself is mounted read-only."""
    head = clone.git("rev-parse", "main")
    ended = in_namespace(
        clone,
        f"""
        mount --bind {clone.here}/{STAGE} {clone.here}/{STAGE}
        mount -o remount,ro,bind {clone.here}/{STAGE}
        code=0; gitreg promote iris@1 staging || code=$?
        exit $code
        """,
    )
    assert ended.code == 1, ended
    assert "cannot follow main" in ended.err
    assert clone.git("rev-parse", "main") == head


def test_a_lagging_clone_is_mended_after_its_branch_has_moved_on(clone: Person, weights: Path) -> None:
    on_push(clone, half_a_record(clone))
    write(weights, {"model.bin": b"other"})
    clone.gitreg("save", "iris", weights, code=1)
    (clone.here.parent / "hub.git" / "hooks" / "post-receive").unlink()
    clone.gitreg("promote", "iris@2", "staging")
    assert clone.git("status", "--porcelain") == ""
    assert clone.run(PROGRAMS / "gitreg", "doctor").code == 0
    commit_by_hand(clone, "main", {"README.md": "by hand\n"})
    assert clone.git("status", "--porcelain") == ""
