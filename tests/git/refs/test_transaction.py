from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import Conflict, IntegrityError, InvalidInput, Refused
from gitreg.git import RefUpdate, Repository
from gitreg.git.code_revision import source_of
from gitreg.git.program import Git
from tests.git.conftest import ADA, BRANCH, Env, commit, git, make


@pytest.fixture
def with_git(tmp_path: Path, env: Env) -> Iterator[Repository]:
    with Repository.discover(make(tmp_path, env, "normal"), env=env) as repository:
        yield repository


@pytest.fixture
def two(plain: Repository) -> tuple[str, str]:
    """Two commits of which the branch is at the second."""
    return commit(plain, {"a": b"1"}), commit(plain, {"a": b"2"})


def test_the_reason_is_in_the_reflog(tmp_path: Path, env: Env) -> None:
    with Repository.discover(make(tmp_path, env, "normal"), env=env) as repo:
        commit(repo, {"a": b"1"}, "iris 7: first\nline two")
        assert git(repo.git_dir, env, "reflog", "-1", "--format=%gs", BRANCH) == "iris 7: first line two"


def test_all_refs_move_or_none(plain: Repository, two: tuple[str, str]) -> None:
    first, second = two
    stale = [RefUpdate("refs/tags/a@1", first, None), RefUpdate(BRANCH, first, first), RefUpdate("refs/x/y", first)]
    with pytest.raises(Conflict, match=BRANCH) as caught:
        plain.update_refs(stale, reason="t")
    assert caught.value.hint
    assert plain.refs("refs/") == {BRANCH: second}
    plain.update_refs([stale[0], RefUpdate(BRANCH, first, second), stale[2]], reason="t")
    assert plain.refs("refs/") == {BRANCH: first, "refs/tags/a@1": first, "refs/x/y": first}


@pytest.mark.parametrize("packed", [False, True])
def test_every_kind_of_expectation_is_checked(plain: Repository, two: tuple[str, str], env: Env, packed: bool) -> None:
    first, second = two
    plain.update_refs([RefUpdate("refs/x/a", first, None)], reason="t")
    if packed:
        git(plain.git_dir, env, "pack-refs", "--all")
    for wrong in (
        RefUpdate("refs/x/a", second, None),
        RefUpdate("refs/x/a", second, second),
        RefUpdate("refs/x/a", None, second),
        RefUpdate("refs/x/a", None, None),
        RefUpdate("refs/x/none", second, first),
    ):
        with pytest.raises(Conflict, match=r"refs/x/"):
            plain.update_refs([wrong], reason="t")
    assert plain.refs("refs/x/") == {"refs/x/a": first}
    plain.update_refs([RefUpdate("refs/x/a", second)], reason="t")
    plain.update_refs([RefUpdate("refs/x/a", None, second), RefUpdate("refs/x/none", None, None)], reason="t")
    assert plain.refs("refs/x/") == {}
    plain.update_refs([RefUpdate("refs/x/a/below", second, None)], reason="t")
    assert plain.read_ref("refs/x/a/below") == second


@pytest.mark.parametrize("kind", ["loose", "packed", "both", "an empty folder in its place"])
def test_one_ref_moves_without_a_process_and_git_agrees(
    with_git: Repository, env: Env, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = commit(with_git, {"a": b"1"}), commit(with_git, {"a": b"2"})
    name = "refs/drafts/train@1"
    with_git.update_refs([RefUpdate(name, second if kind == "both" else first, None)], reason="t")
    if kind != "loose":
        git(with_git.git_dir, env, "pack-refs", "--all", *(["--no-prune"] if kind == "both" else []))
    if kind == "both":
        with_git.update_refs([RefUpdate(name, first, second)], reason="t")
    if kind.startswith("an empty"):
        (with_git.common_dir / name / "below").mkdir(parents=True)
    processes: list[object] = []
    run = Git.run

    def counted(*args: Any, **options: Any) -> Any:
        processes.append(args)
        return run(*args, **options)

    monkeypatch.setattr(Git, "run", counted)
    with_git.update_refs([RefUpdate(name, second, first)], reason="t")
    assert bool(processes) == kind.startswith("an empty")
    assert git(with_git.git_dir, env, "rev-parse", name) == second == with_git.read_ref(name)
    with pytest.raises(Conflict, match="train@1"):
        with_git.update_refs([RefUpdate(name, first, first)], reason="t")
    git(with_git.git_dir, env, "pack-refs", "--all")
    git(with_git.git_dir, env, "fsck", "--strict")
    assert with_git.read_ref(name) == second
    assert not [*with_git.common_dir.rglob("*.lock")]


def test_a_ref_with_a_reflog_and_a_symbolic_one_are_left_to_git(with_git: Repository, env: Env) -> None:
    first, second = commit(with_git, {"a": b"1"}), commit(with_git, {"a": b"2"})
    git(with_git.git_dir, env, "update-ref", "--create-reflog", "refs/drafts/a", first)
    git(with_git.git_dir, env, "symbolic-ref", "refs/drafts/b", "refs/drafts/a")
    with_git.update_refs([RefUpdate("refs/drafts/b", second, first)], reason="both")
    assert with_git.read_ref("refs/drafts/a") == second
    assert git(with_git.git_dir, env, "symbolic-ref", "refs/drafts/b") == "refs/drafts/a"
    assert git(with_git.git_dir, env, "reflog", "-1", "--format=%gs", "refs/drafts/a") == "both"


@pytest.mark.slow
def test_a_ref_that_moves_while_git_packs_refs_is_never_lost(with_git: Repository, env: Env) -> None:
    name = "refs/drafts/train@1"
    first, second = commit(with_git, {"a": b"1"}), commit(with_git, {"a": b"2"})
    with_git.update_refs([RefUpdate(name, first, None), RefUpdate("refs/drafts/other", first, None)], reason="t")
    done = threading.Event()

    def pack() -> None:
        while not done.is_set():
            git(with_git.git_dir, env, "pack-refs", "--all")

    packing = threading.Thread(target=pack)
    packing.start()
    try:
        for _ in range(150):
            with_git.update_refs([RefUpdate(name, second, first)], reason="t")
            assert with_git.read_ref(name) == second
            with_git.update_refs([RefUpdate(name, first, second)], reason="t")
    finally:
        done.set()
        packing.join()
    assert git(with_git.git_dir, env, "rev-parse", name) == first


@pytest.mark.parametrize("packed", [False, True])
def test_a_ref_in_the_place_of_a_folder_of_refs_is_refused(
    plain: Repository, two: tuple[str, str], env: Env, packed: bool
) -> None:
    plain.update_refs([RefUpdate("refs/x/a/b", two[0], None)], reason="t")
    if packed:
        git(plain.git_dir, env, "pack-refs", "--all")
    for name in ("refs/x/a", "refs/x/a/b/c"):
        with pytest.raises(Refused, match="refs/x/a"):
            plain.update_refs([RefUpdate(name, two[0], None)], reason="t")
    assert plain.refs("refs/x/") == {"refs/x/a/b": two[0]}


@pytest.mark.parametrize(
    "name", ["main", "refs/heads/a b", "refs/heads/x\nupdate refs/heads/y", "refs/heads/a..b", "-x"]
)
def test_what_cannot_be_a_ref_is_refused(plain: Repository, two: tuple[str, str], name: str) -> None:
    with pytest.raises(InvalidInput):
        plain.update_refs([RefUpdate(name, two[0])], reason="t")


def test_a_ref_to_nothing_is_refused(plain: Repository, two: tuple[str, str]) -> None:
    with pytest.raises(IntegrityError, match="refs/x/a"):
        plain.update_refs([RefUpdate("refs/x/a", "1" * 40)], reason="t")


def test_no_updates_are_no_work(plain: Repository) -> None:
    plain.update_refs([], reason="t")


@pytest.mark.slow
def test_a_lock_that_goes_away_is_waited_for_and_one_that_stays_is_a_conflict(
    plain: Repository, two: tuple[str, str]
) -> None:
    lock = plain.common_dir / f"{BRANCH}.lock"
    lock.touch()
    with pytest.raises(Conflict, match=BRANCH) as caught:
        plain.update_refs([RefUpdate(BRANCH, two[0], two[1])], reason="t")
    assert str(lock) in caught.value.message
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    plain.update_refs([RefUpdate(BRANCH, two[0], two[1])], reason="t")
    timer.join()
    assert plain.read_ref(BRANCH) == two[0]


def test_nothing_that_the_repository_names_is_executed(
    plain: Repository, env: Env, either_env: Env, tmp_path: Path
) -> None:
    top = plain.work_tree
    assert top is not None
    ran = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}\ncat\n')
    evil.chmod(0o755)
    hooks = [top / ".git/hooks" / name for name in ("reference-transaction", "post-index-change", "post-checkout")]
    for hook in hooks:
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(evil.read_bytes())
        hook.chmod(0o755)
    for key in (
        "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "filter.e=v.il.smudge", "core.fsmonitor",
        "gpg.program", "gpg.ssh.program", "gpg.openpgp.program", "core.sshCommand", "core.editor", "core.pager",
    ):  # fmt: skip
        git(tmp_path, env, "config", "-f", str(top / ".git/config"), key, str(evil))
    (top / ".git/info").mkdir(exist_ok=True)
    (top / ".git/info/attributes").write_text("* filter=evil\nb filter=e=v.il\n")
    old = commit(plain, {".gitattributes": b"*.yaml filter=evil\n", "b": b"1", "c.yaml": b"1"})
    (top / "b").touch()
    commit(plain, {"b": b"2", "c.yaml": b"2"})
    (top / "b").write_text("mine")
    with pytest.raises(Refused), plain.follow(BRANCH, plain.read_ref(BRANCH), old):
        pass
    plain.identity(time=1, offset=0)
    found = source_of(top, env=either_env)
    assert found is not None
    assert found.dirty in (True, None)
    assert (top / "c.yaml").read_bytes() == b"2"
    assert not ran.exists(), ran.read_text()


RACER = """
import os, pathlib, sys
from gitreg.git import Identity, Repository, RefUpdate
B = "refs/heads/registry"
who = Identity("Ada", "ada@x", 1700000000, 0)
with Repository.discover(pathlib.Path(sys.argv[1]), env={"PATH": sys.argv[3], "HOME": "/"}) as repo:
    for n in range(int(sys.argv[4])):
        with repo.lock(timeout=120):
            old = repo.read_ref(B)
            new = repo.build_commit(old, {f"w/{sys.argv[2]}-{n}": b"x"}, message="m", author=who, committer=who)
            with repo.follow(B, old, new):
                tag = repo.build_tag(f"t/{sys.argv[2]}-{n}", new, message="t", tagger=who)
                repo.update_refs([RefUpdate(B, new, old), RefUpdate(f"refs/tags/t/{sys.argv[2]}-{n}", tag, None)],
                                 reason="race")
"""


@pytest.mark.slow
def test_eight_racing_processes_lose_nothing(tmp_path: Path, either_env: Env, env: Env) -> None:
    folder = make(tmp_path, env, "normal")
    commands = [[sys.executable, "-c", RACER, str(folder), str(n), either_env["PATH"], "5"] for n in range(8)]
    racers = [subprocess.Popen(command) for command in commands]
    for _ in range(3):
        git(folder, env, "pack-refs", "--all")
    assert [racer.wait() for racer in racers] == [0] * 8
    with Repository.discover(folder, env=env) as repo:
        head = repo.read_ref(BRANCH)
        assert head
        assert len(list(repo.walk(head, "w"))) == 40
        assert len(list(repo.history(head))) == 40
        assert len(repo.refs("refs/tags/t/")) == 40
    assert git(folder, env, "fsck", "--strict", "--no-dangling") == ""
    assert git(folder, env, "status", "--porcelain") == ""


@pytest.mark.slow
def test_without_the_lock_a_race_is_a_conflict_and_never_a_loss(tmp_path: Path, either_env: Env, env: Env) -> None:
    folder = make(tmp_path, env, "bare")
    with Repository.discover(folder, env=either_env) as repo:
        start = commit(repo, {"a": b"0"})
        news = [
            repo.build_commit(start, {"a": str(n).encode()}, message="m", author=ADA, committer=ADA) for n in range(8)
        ]
        won: list[str] = []

        def race(new: str) -> None:
            try:
                repo.update_refs([RefUpdate(BRANCH, new, start)], reason="race")
                won.append(new)
            except Conflict:
                pass

        threads = [threading.Thread(target=race, args=[new]) for new in news]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [repo.read_ref(BRANCH)]
