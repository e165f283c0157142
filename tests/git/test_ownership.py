"""A repository of another user is not used without the consent of this one: decided without becoming another user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitreg.errors import Refused
from gitreg.git.discovery import RepositoryLayout
from gitreg.git.ownership import check_owner
from tests.git.conftest import Env


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryLayout:
    """The folders of a repository, which belong to another user than this one seems to be."""
    git_dir = tmp_path / "theirs" / ".git"
    git_dir.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: git_dir.stat().st_uid + 1)
    return RepositoryLayout(git_dir, git_dir, git_dir.parent, "sha1")


def configure(env: Env, *values: str) -> None:
    lines = "".join(f"\tdirectory = {value}\n" for value in values)
    Path(env["HOME"], ".gitconfig").write_text(f"[safe]\n{lines}")


def test_a_repository_of_another_user_is_refused_with_the_command_that_lets_it_in(
    theirs: RepositoryLayout, either_env: Env
) -> None:
    with pytest.raises(Refused, match="belongs to another user") as caught:
        check_owner(theirs, either_env)
    assert f"safe.directory {theirs.work_tree}" in str(caught.value.hint)


@pytest.mark.parametrize("value", ["*", "{top}/theirs", "{top}/*", "~/../theirs"])
def test_the_users_own_configuration_lets_a_repository_in(
    theirs: RepositoryLayout, either_env: Env, tmp_path: Path, value: str
) -> None:
    configure(either_env, value.format(top=tmp_path))
    check_owner(theirs, either_env)


@pytest.mark.parametrize("values", [["{top}"], ["{top}/the*"], ["theirs"], ["*", ""]])
def test_another_folder_part_of_a_name_or_a_list_that_was_cleared_let_nothing_in(
    theirs: RepositoryLayout, env: Env, tmp_path: Path, values: list[str]
) -> None:
    configure(env, *(value.format(top=tmp_path) for value in values))
    with pytest.raises(Refused):
        check_owner(theirs, env)


def test_the_owner_needs_no_configuration(theirs: RepositoryLayout, env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: theirs.git_dir.stat().st_uid)
    check_owner(theirs, env)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("variables", "lets_in"), [({}, False), ({"SUDO_UID": "54321"}, True), ({"SUDO_UID": "54322"}, False)]
)
def test_root_is_as_any_other_user_but_for_sudo_as_in_git(
    tmp_path: Path, env: Env, variables: dict[str, str], lets_in: bool
) -> None:
    top = tmp_path / "theirs"
    subprocess.run(["git", "init", "-q", top], env=env, check=True)
    for path in (top, *top.rglob("*")):
        os.chown(path, 54321, 54321)
    env = env | variables
    by_git = subprocess.run(["git", "-C", top, "status"], env=env, check=False, capture_output=True).returncode == 0
    layout = RepositoryLayout(top / ".git", top / ".git", top, "sha1")
    if lets_in:
        check_owner(layout, env)
    else:
        with pytest.raises(Refused, match="belongs to another user"):
            check_owner(layout, env)
    assert by_git == lets_in
    check_owner(layout, env | {"GIT_DIR": str(top / ".git")})
