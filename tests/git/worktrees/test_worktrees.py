from __future__ import annotations

import errno
import gc
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import Conflict, GitregError, Refused, WorkTreeBusy, WorkTreeLags
from gitreg.git import RefUpdate, Repository
from gitreg.git.worktrees import checkout, worktrees
from tests.git.conftest import ADA, BRANCH, Env, commit, git, make

START: dict[str, bytes | None] = {"a": b"1\n", "d/b": b"1\n", "d/c": b"1\n", "mine": b"1\n"}
CHANGE: dict[str, bytes | None] = {"a": b"2\n", "d/b": None, "new/file": b"new\n"}


@pytest.fixture
def top(plain: Repository) -> Path:
    commit(plain, dict(START))
    assert plain.work_tree is not None
    return plain.work_tree


def build(repo: Repository) -> tuple[str, str]:
    old = repo.read_ref(BRANCH)
    assert old
    return old, repo.build_commit(old, dict(CHANGE), message="m", author=ADA, committer=ADA)


def test_a_clean_work_tree_stays_clean(plain: Repository, top: Path, env: Env) -> None:
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain") == ""
    assert {str(p.relative_to(top)) for p in top.rglob("*") if ".git" not in p.parts and p.is_file()} == {
        "a", "d/c", "mine", "new/file"
    }  # fmt: skip
    assert (top / "a").read_bytes() == b"2\n"
    assert plain.unfinished_following() == []
    commit(plain, {"d/c": None})
    assert not (top / "d").exists()


def test_uncommitted_work_elsewhere_is_not_touched(plain: Repository, top: Path, env: Env) -> None:
    (top / "mine").write_text("changed, not staged\n")
    (top / "d/c").write_text("staged\n")
    git(top, env, "add", "d/c")
    (top / "d/c").write_text("staged, then changed\n")
    (top / "staged").write_text("new and staged\n")
    git(top, env, "add", "staged")
    (top / "untracked").write_text("untracked\n")
    before = git(top, env, "status", "--porcelain", "--untracked-files=all")
    diff = git(top, env, "diff", "--cached")
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain", "--untracked-files=all") == before
    assert git(top, env, "diff", "--cached") == diff
    assert (top / "d/c").read_text() == "staged, then changed\n"
    assert (top / "a").read_bytes() == b"2\n"


def spoil(top: Path, env: Env, how: str) -> str:
    """Do some work that the change would overwrite; return the file."""
    path = {"deleted": "d/b", "untracked": "new/file", "ignored": "new/file", "in the way": "new"}.get(how, "a")
    (top / path).parent.mkdir(exist_ok=True)
    (top / path).write_text("precious\n")
    if how == "ignored":
        (top / ".git/info").mkdir(exist_ok=True)
        (top / ".git/info/exclude").write_text("new\n")
    if how in ("staged", "staged and put back"):
        git(top, env, "add", path)
    if how == "staged and put back":
        (top / path).write_bytes(b"1\n")
    return path


@pytest.mark.parametrize(
    "how", ["changed", "staged", "staged and put back", "deleted", "untracked", "ignored", "in the way"]
)
def test_work_that_would_be_overwritten_is_refused_before_anything_moves(
    plain: Repository, top: Path, env: Env, how: str
) -> None:
    path = spoil(top, env, how)
    content = (top / path).read_bytes()
    before = git(top, env, "status", "--porcelain", "--ignored")
    old, new = build(plain)
    moved = False
    with pytest.raises(Refused, match=path) as caught, plain.follow(BRANCH, old, new):
        moved = True
    assert not moved
    assert str(top) in str(caught.value)
    assert caught.value.hint
    assert plain.read_ref(BRANCH) == old
    assert (top / path).read_bytes() == content
    assert git(top, env, "status", "--porcelain", "--ignored") == before
    assert plain.unfinished_following() == []


def test_a_symbolic_link_in_the_way_is_not_followed(plain: Repository, top: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (top / "new").symlink_to(outside)
    old, new = build(plain)
    with pytest.raises(Refused), plain.follow(BRANCH, old, new):
        pass
    assert list(outside.iterdir()) == []


def test_a_file_only_touched_or_deleted_is_no_work(plain: Repository, top: Path, env: Env) -> None:
    os.utime(top / "a", (1, 1))
    (top / "d/b").unlink()
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain") == ""


def test_a_file_that_has_the_new_content_staged_already_is_fine(plain: Repository, top: Path, env: Env) -> None:
    (top / "a").write_bytes(b"2\n")
    git(top, env, "add", "a")
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain") == ""


def test_on_an_unborn_branch_what_the_user_staged_stays(plain: Repository, env: Env) -> None:
    top = plain.work_tree
    assert top is not None
    (top / "staged").write_text("s\n")
    git(top, env, "add", "staged")
    (top / "loose").write_text("l\n")
    commit(plain, dict(START))
    assert git(top, env, "status", "--porcelain") == "A  staged\n?? loose"
    assert (top / "d/b").read_bytes() == b"1\n"


@pytest.mark.slow
def test_every_work_tree_on_the_branch_follows_and_no_other(plain: Repository, top: Path, env: Env) -> None:
    old = plain.read_ref(BRANCH)
    git(top, env, "switch", "-q", "--detach")
    for name in ("one", "two"):
        git(top, env, "worktree", "add", "-q", "--force", f"../{name}", "registry")
    git(top, env, "worktree", "add", "-q", "-b", "other", "../three", "registry")
    commit(plain, dict(CHANGE))
    for name in ("one", "two"):
        assert (top.parent / name / "new/file").read_bytes() == b"new\n"
        assert git(top.parent / name, env, "status", "--porcelain") == ""
    assert git(top, env, "rev-parse", "HEAD") == old
    for name in ("normal", "three"):
        assert not (top.parent / name / "new").exists()
        assert git(top.parent / name, env, "status", "--porcelain") == ""


def test_a_work_tree_that_was_deleted_is_in_nobodys_way(plain: Repository, top: Path, env: Env) -> None:
    git(top, env, "worktree", "add", "-q", "--force", "../gone", "registry")
    subprocess.run(["rm", "-r", str(top.parent / "gone")], check=True)
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain") == ""


def test_called_from_a_hook_another_index_is_not_touched(plain: Repository, top: Path, env: Env) -> None:
    before = (top / ".git/index").read_bytes()
    other = top.parent / "other-index"
    other.write_bytes(before)
    hook = env | {"GIT_DIR": str(top / ".git"), "GIT_INDEX_FILE": str(other), "GIT_WORK_TREE": str(top)}
    with Repository.discover(top, env=hook) as repo:
        commit(repo, dict(CHANGE))
    assert other.read_bytes() == before
    assert git(top, env, "status", "--porcelain") == ""


def test_a_body_that_fails_leaves_nothing_to_finish(plain: Repository, top: Path, env: Env) -> None:
    old, new = build(plain)
    with pytest.raises(Conflict), plain.follow(BRANCH, old, new):
        plain.update_refs([RefUpdate(BRANCH, new, new)], reason="stale")
    assert plain.unfinished_following() == []
    assert git(top, env, "status", "--porcelain") == ""
    assert (top / "a").read_bytes() == b"1\n"


def move_while(repo: Repository, old: str, new: str, deed: Callable[[], object]) -> None:
    """Move the branch, and do something once it has moved."""
    with repo.follow(BRANCH, old, new):
        repo.update_refs([RefUpdate(BRANCH, new, old)], reason="t")
        deed()


def test_what_changes_while_the_branch_moves_is_kept_for_later(plain: Repository, top: Path, env: Env) -> None:
    old, new = build(plain)
    with pytest.raises(WorkTreeLags, match=re.escape(f"{top} could not follow: in the way: a")):
        move_while(plain, old, new, lambda: (top / "a").write_text("precious\n"))
    assert plain.unfinished_following() == [top]
    assert plain.finish_following() == []
    with pytest.raises(Refused, match="lags behind"):
        commit(plain, {"d/c": b"3\n"})
    assert plain.read_ref(BRANCH) == new
    assert (top / "a").read_text() == "precious\n"
    assert plain.unfinished_following() == [top]
    (top / "a").write_bytes(b"1\n")
    assert plain.finish_following() == [top]
    assert git(top, env, "status", "--porcelain") == ""
    assert plain.unfinished_following() == []


@pytest.mark.parametrize("length", [0, 3])
def test_a_file_that_was_half_written_is_written_again(plain: Repository, top: Path, env: Env, length: int) -> None:
    old, new = build(plain)
    (top / "new").mkdir()

    def half() -> None:
        (top / "new/file").write_bytes(b"new\n"[:length])
        (top / "a").unlink()

    with pytest.raises(WorkTreeLags):
        move_while(plain, old, new, half)
    assert plain.finish_following() == [top]
    assert (top / "new/file").read_bytes() == b"new\n"
    assert git(top, env, "status", "--porcelain") == ""


def test_room_is_taken_before_the_branch_moves_and_given_back(plain: Repository, top: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old, new = build(plain)
    before = sorted(top.rglob("*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(GitregError, match=r"nothing was moved: .*File too large"), plain.follow(BRANCH, old, new):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert plain.read_ref(BRANCH) == old
    assert plain.unfinished_following() == []
    assert [path for path in sorted(top.rglob("*")) if "objects" not in path.parts] == [
        path for path in before if "objects" not in path.parts
    ]


class Clock:
    """A clock that only those who wait move on."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_an_index_that_is_being_written_is_waited_for(
    plain: Repository, top: Path, env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(checkout, "time", clock)
    monkeypatch.setattr(worktrees, "time", clock)
    monkeypatch.setattr(checkout, "_PATIENCE", 0.1)
    monkeypatch.setattr(worktrees, "_PATIENCE", 0.1)
    old, new = build(plain)
    (top / ".git/index.lock").touch()
    with pytest.raises(WorkTreeBusy) as caught, plain.follow(BRANCH, old, new):
        plain.update_refs([RefUpdate(BRANCH, new, old)], reason="t")
    assert 0.1 < clock.now < 0.2
    assert str(top / ".git/index.lock") in str(caught.value)
    assert "remove the file" in str(caught.value.hint)
    assert plain.read_ref(BRANCH) == old
    (top / ".git/index.lock").unlink()
    commit(plain, dict(CHANGE))
    assert git(top, env, "status", "--porcelain") == ""


VICTIM = """
import os, pathlib, signal, sys
from gitreg.git import Repository, RefUpdate
path, branch, old, new, when, search = sys.argv[1:]
with Repository.discover(pathlib.Path(path), env={"PATH": search, "HOME": "/"}) as repo, repo.lock(timeout=9):
    with repo.follow(branch, old, new):
        if when == "after":
            repo.update_refs([RefUpdate(branch, new, old)], reason="t")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def kill(repo: Repository, env: Env, when: str) -> tuple[str, str]:
    old, new = build(repo)
    command = [sys.executable, "-c", VICTIM, str(repo.work_tree), BRANCH, old, new, when, env["PATH"]]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert repo.unfinished_following() == [repo.work_tree]
    return old, new


@pytest.mark.slow
def test_killed_before_the_move_there_is_nothing_to_do(plain: Repository, top: Path, env: Env, either_env: Env) -> None:
    kill(plain, either_env, "before")
    assert plain.finish_following() == []
    assert plain.unfinished_following() == []
    assert git(top, env, "status", "--porcelain") == ""
    assert (top / "a").read_bytes() == b"1\n"


@pytest.mark.slow
@pytest.mark.parametrize("further", [False, True])
def test_killed_after_the_move_the_work_tree_is_brought_up_to_date(
    plain: Repository, top: Path, env: Env, either_env: Env, further: bool
) -> None:
    _, new = kill(plain, either_env, "after")
    (top / "mine").write_text("work\n")
    if further:
        later = plain.build_commit(new, {"a": b"3\n", "d/b": b"3\n"}, message="m", author=ADA, committer=ADA)
        git(top, env, "update-ref", BRANCH, later)
    assert plain.finish_following() == [top]
    assert plain.finish_following() == []
    assert git(top, env, "status", "--porcelain") == " M mine"
    assert (top / "a").read_bytes() == (b"3\n" if further else b"2\n")


@pytest.mark.slow
@pytest.mark.parametrize("further", [False, True])
def test_killed_half_way_through_its_files_the_work_tree_is_brought_up_to_date(
    plain: Repository, top: Path, env: Env, either_env: Env, further: bool
) -> None:
    _, new = kill(plain, either_env, "after")
    (top / "a").write_bytes(b"2\n")  # two of three files were written, the index was not
    (top / "new").mkdir()
    (top / "new/file").write_bytes(b"new\n")
    if further:
        later = plain.build_commit(new, {"a": b"3\n", "new/file": b"3\n"}, message="m", author=ADA, committer=ADA)
        git(top, env, "update-ref", BRANCH, later)
    assert plain.finish_following() == [top]
    assert git(top, env, "status", "--porcelain") == ""
    assert (top / "a").read_bytes() == (b"3\n" if further else b"2\n")


@pytest.mark.slow
def test_the_lock_of_a_git_that_was_killed_with_its_writer_is_removed_and_no_other(
    plain: Repository, top: Path, env: Env, either_env: Env
) -> None:
    kill(plain, either_env, "after")
    lock = top / ".git/index.lock"
    lock.touch()
    os.utime(lock, (time.time() + 3600,) * 2)
    assert plain.finish_following() == []
    assert lock.exists(), "it came an hour after the attempt"
    lock.touch()
    assert plain.finish_following() == [top]
    assert not lock.exists()
    assert git(top, env, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_work_tree_that_has_left_the_branch_meanwhile_has_nothing_to_finish(
    plain: Repository, top: Path, env: Env, either_env: Env
) -> None:
    kill(plain, either_env, "after")
    git(top, env, "symbolic-ref", "HEAD", "refs/heads/another")
    assert plain.finish_following() == []
    assert plain.unfinished_following() == []


def test_a_torn_journal_is_skipped(plain: Repository, top: Path) -> None:
    commit(plain, dict(CHANGE))
    (plain.common_dir / "gitreg/following/torn.json").write_text('{"work_tree": "')
    assert plain.unfinished_following() == []
    assert plain.finish_following() == []


def test_executable_files_stay_executable(plain: Repository, top: Path, env: Env) -> None:
    (top / "run").write_text("1")
    (top / "run").chmod(0o755)
    git(top, env, "add", "run")
    git(top, env, "commit", "-qm", "x")
    commit(plain, {"run": b"2"})
    assert (top / "run").stat().st_mode & 0o100
    assert git(top, env, "status", "--porcelain") == ""


def test_a_bare_repository_has_nobody_to_follow(tmp_path: Path, env: Env) -> None:
    with Repository.discover(make(tmp_path, env, "bare"), env=env) as repo:
        commit(repo, dict(START))
        assert not (repo.common_dir / "gitreg/following").exists()


def disturb(top: Path, env: Env, chance: random.Random) -> None:
    """Do to a work tree what users do, and what they should not."""
    paths = ["a", "d/b", "d/c", "mine", "new/file", "new", "d"]
    for _ in range(chance.randint(1, 3)):
        path = top / chance.choice(paths)
        deed = chance.choice(["write", "same", "delete", "link", "folder", "stage", "unstage", "chmod", "ignore"])
        try:
            if deed == "write":
                path.write_text(chance.choice(["1\n", "2\n", "new\n", "mine\n"]))
            elif deed == "same":
                os.utime(path, (1, 1))
            elif deed == "delete":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            elif deed == "link":
                path.unlink()
                path.symlink_to(chance.choice(["mine", "d", "nowhere"]))
            elif deed == "folder":
                path.mkdir()
                (path / "inside").write_text("x\n")
            elif deed == "stage":
                git(top, env, "add", "-A", "--", str(path.relative_to(top)))
            elif deed == "unstage":
                git(top, env, "rm", "-rq", "--cached", "--", str(path.relative_to(top)))
            elif deed == "chmod":
                path.chmod(0o755)
            else:
                with (top / ".git/info/exclude").open("a") as file:
                    file.write(f"/{path.relative_to(top)}\n")
        except (OSError, subprocess.CalledProcessError, AssertionError):
            continue  # it cannot be done to that path now


@pytest.mark.slow
def test_the_short_cut_decides_as_a_dry_run_over_all_files_does(
    tmp_path: Path, env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {"passed": 0, "refused": 0}
    for seed in range(30):
        outcomes = []
        for few in (100, -1):  # with the short cut, and without
            chance = random.Random(seed)
            monkeypatch.setattr(worktrees, "_FEW", few)
            folder = tmp_path / f"{seed}-{few}"
            folder.mkdir()
            with Repository.discover(make(folder, env, "normal"), env=env) as repo:
                commit(repo, dict(START))
                assert repo.work_tree is not None
                top = repo.work_tree
                disturb(top, env, chance)
                try:
                    commit(repo, dict(CHANGE))
                except Refused:
                    outcome = "refused"
                else:
                    outcome = "passed"
                left = {
                    str(path.relative_to(top)): os.readlink(path) if path.is_symlink() else path.read_bytes()
                    for path in sorted(top.rglob("*"))
                    if ".git" not in path.parts and (path.is_symlink() or path.is_file())
                }
                status = git(top, env, "status", "--porcelain", "--ignored")
                outcomes.append((outcome, left, status, repo.unfinished_following() == []))
            shutil.rmtree(folder)
        assert outcomes[0] == outcomes[1], f"seed {seed}"
        taken[outcomes[0][0]] += 1
    assert min(taken.values()) > 3, taken


@pytest.mark.slow
def test_a_lock_that_a_failing_disk_keeps_is_tried_once(
    plain: Repository, top: Path, env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As dulwich would try again where nobody can catch that, it would be printed as a traceback."""
    old = commit(plain, {"a": b"1"})
    tried: list[str] = []

    def fail(path: str | Path) -> None:
        tried.append(str(path))
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("dulwich.file.os.remove", fail)
    with Repository.discover(top, env=env | {"PATH": ""}) as repo:
        with pytest.raises(OSError, match="Input/output error"):
            repo.update_refs([RefUpdate("refs/heads/x", old, "1" * 40)], reason="x")
        (top / "a").write_bytes(b"work")
        with pytest.raises((OSError, GitregError)):
            commit(repo, {"a": b"2"})
    gc.collect()
    assert len(tried) == len(set(tried)) == 2
