"""Real repositories, made by the real git program: every hash, every kind of folder, a user with a home."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitreg.git import Identity, RefUpdate, Repository

BRANCH = "refs/heads/registry"
ADA = Identity("Ada Lovelace", "ada@example.com", 1_700_000_000, 120)
Env = dict[str, str]


def git(cwd: Path, env: Env, *arguments: str, stdin: str = "") -> str:
    """Run the real git program, whatever PATH the test's user has, and return what it prints."""
    run_env = env | {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env=run_env, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.strip("\n")


@pytest.fixture
def env(tmp_path: Path) -> Env:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n")
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_SYSTEM": os.environ["GIT_CONFIG_SYSTEM"]}


@pytest.fixture(params=["git", "no git"])
def either_env(request: pytest.FixtureRequest, env: Env, tmp_path: Path) -> Env:
    """A user with and a user without a git program."""
    return env if request.param == "git" else env | {"PATH": str(tmp_path / "empty")}


@pytest.fixture(params=["sha1", "sha256"])
def object_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["normal", "bare", "linked"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, env: Env, object_format: str) -> Path:
    """An empty repository's folder, on the unborn branch ``registry``."""
    return make(tmp_path, env, request.param, object_format)


def make(where: Path, env: Env, kind: str, object_format: str = "sha1") -> Path:
    options = ["-q", "-b", "registry", f"--object-format={object_format}"]
    if kind == "linked":
        git(where, env, "init", "-q", "-b", "main", f"--object-format={object_format}", "main")
        git(where / "main", env, "commit", "-q", "--allow-empty", "-m", "code")
        git(where / "main", env, "worktree", "add", "-q", "--detach", "../linked")
        git(where / "linked", env, "symbolic-ref", "HEAD", BRANCH)
        return where / "linked"
    git(where, env, "init", *options, *(["--bare"] if kind == "bare" else []), kind)
    return where / kind


@pytest.fixture
def repo(folder: Path, either_env: Env) -> Iterator[Repository]:
    with Repository.discover(folder, env=either_env) as opened:
        yield opened


@pytest.fixture
def plain(tmp_path: Path, either_env: Env, env: Env) -> Iterator[Repository]:
    """An ordinary sha1 repository with a work tree."""
    with Repository.discover(make(tmp_path, env, "normal"), env=either_env) as opened:
        yield opened


Commit = Callable[..., str]


def commit(repo: Repository, changes: dict[str, bytes | None], message: str = "change") -> str:
    """Commit to the branch as the registry does: lock, build, follow, move."""
    with repo.lock(timeout=30):
        old = repo.read_ref(BRANCH)
        new = repo.build_commit(old, changes, message=message, author=ADA, committer=ADA)
        with repo.follow(BRANCH, old, new):
            repo.update_refs([RefUpdate(BRANCH, new, old)], reason=message)
    return new
