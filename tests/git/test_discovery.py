from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.errors import NotFound, Refused
from gitreg.git import Repository
from gitreg.git.discovery import read_plain_config
from tests.git.conftest import Env, git, make


def test_a_repository_is_found_from_below_its_top_and_from_inside_its_git_folder(tmp_path: Path, env: Env) -> None:
    top = make(tmp_path, env, "normal")
    (top / "a/b").mkdir(parents=True)
    for start in (top, top / "a/b", top / ".git", top / ".git/refs/heads"):
        repo = Repository.discover(start)
        assert (repo.work_tree, repo.git_dir) == (top, top / ".git")


def test_nothing_found_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no Git repository at") as caught:
        Repository.discover(tmp_path)
    assert caught.value.hint
    assert str(tmp_path) in str(caught.value)


def test_git_dir_in_the_environment_goes_first(tmp_path: Path, env: Env) -> None:
    top, bare = make(tmp_path, env, "normal"), make(tmp_path, env, "bare")
    assert Repository.discover(top, env={"GIT_DIR": str(bare)}).git_dir == bare
    assert Repository.discover(top, env={"GIT_DIR": ".git"}).work_tree == top
    inside = Repository.discover(top / ".git", env={"GIT_DIR": "."})  # as in a post-receive hook
    assert inside.work_tree == top
    moved = Repository.discover(tmp_path, env={"GIT_DIR": str(top / ".git"), "GIT_WORK_TREE": "elsewhere"})
    assert moved.work_tree == tmp_path / "elsewhere"
    with pytest.raises(NotFound, match="GIT_DIR"):
        Repository.discover(top, env={"GIT_DIR": str(tmp_path / "none")})


def test_a_separate_git_folder_and_a_submodule_know_their_work_trees(tmp_path: Path, env: Env) -> None:
    git(tmp_path, env, "init", "-q", "--separate-git-dir", "store", "work")
    assert Repository.discover(tmp_path / "work").work_tree == tmp_path / "work"
    source, top = make(tmp_path, env, "normal"), tmp_path / "super"
    git(source, env, "commit", "-q", "--allow-empty", "-m", "x")
    git(tmp_path, env, "init", "-q", "super")
    git(top, env, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), "sub")
    assert Repository.discover(top / "sub").work_tree == top / "sub"
    assert Repository.discover(top / ".git/modules/sub").work_tree == top / "sub"


def test_a_linked_work_tree_of_a_bare_repository_has_files(tmp_path: Path, env: Env) -> None:
    bare, source = make(tmp_path, env, "bare"), make(tmp_path, env, "normal")
    git(source, env, "commit", "-q", "--allow-empty", "-m", "x")
    git(source, env, "push", "-q", str(bare), "HEAD:refs/heads/registry")
    git(bare, env, "worktree", "add", "-q", "../tree", "registry")
    repo = Repository.discover(tmp_path / "tree")
    assert (repo.work_tree, repo.common_dir) == (tmp_path / "tree", bare)
    assert repo.git_dir == bare / "worktrees/tree"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"extensions.refStorage": "reftable"}, "reftable"),
        ({"extensions.brandNew": "true"}, "extensions.brandnew"),
        ({"extensions.objectFormat": "sha512"}, "sha512"),
        ({"core.repositoryFormatVersion": "2"}, "version 2"),
    ],
)
def test_a_format_that_we_do_not_know_is_refused_by_its_name(
    tmp_path: Path, env: Env, settings: dict[str, str], word: str
) -> None:
    top = make(tmp_path, env, "normal")
    for key, value in ({"core.repositoryFormatVersion": "1"} | settings).items():
        git(tmp_path, env, "config", "-f", str(top / ".git/config"), key, value)
    with pytest.raises(Refused, match=word) as caught:
        Repository.discover(top)
    assert caught.value.hint


def test_a_head_that_reftable_left_is_refused(tmp_path: Path, env: Env) -> None:
    top = make(tmp_path, env, "normal")
    (top / ".git/HEAD").write_text("ref: refs/heads/.invalid\n")
    with pytest.raises(Refused, match="reftable"):
        Repository.discover(top)


def test_plain_config_is_read_as_git_reads_it(tmp_path: Path, env: Env) -> None:
    path = tmp_path / "config"
    path.write_text(
        '; c\n[core] bare = true # yes\n\tworktree = "/a b;c" ; d\n[EXTensions]\nobjectFormat=sha256\nnoop\n'
        '[remote "O.x"]\n\turl = u\n[core]\n\tbare = false\n'
    )
    found = read_plain_config(path)
    listed = git(tmp_path, env, "config", "-f", str(path), "-z", "--list").split("\0")[:-1]
    assert found == {k: v or "true" for k, _, v in (one.partition("\n") for one in listed)}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_users_repository_is_refused_until_it_is_called_safe(tmp_path: Path, env: Env) -> None:
    top = make(tmp_path, env, "normal")
    for path in [tmp_path, *tmp_path.parents]:
        if path.stat().st_uid == 0 and path != Path("/") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    home = Path(env["HOME"])
    env = {**env, "GIT_CONFIG_NOSYSTEM": "1"}  # the tests' own file is unreadable to nobody, too
    del env["GIT_CONFIG_SYSTEM"]
    code = (
        "import os, pathlib, sys, subprocess, shutil, dulwich.config, encodings.idna\n"  # unreadable to nobody later
        "from gitreg.git import Repository; from gitreg.errors import Refused\n"
        "os.setuid(65534)\n"
        "try: print(Repository.discover(pathlib.Path(sys.argv[1]), env=eval(sys.argv[2])).work_tree)\n"
        "except Refused as error: print(error, error.hint)"
    )

    def as_nobody(user: Env) -> str:
        command = [sys.executable, "-c", code, str(top), repr(user)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    for user in (env, env | {"PATH": ""}):
        (home / ".gitconfig").write_text("")
        said = as_nobody(user)
        assert "belongs to another user" in said
        assert f"git config --global --add safe.directory {top}" in said
        (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {top}\n")
        assert as_nobody(user) == f"{top}\n"
