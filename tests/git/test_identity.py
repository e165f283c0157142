from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.errors import InvalidInput
from gitreg.git import Identity, Repository
from tests.git.conftest import Env, git, make


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Env]:
    """A machine in a time zone that is not UTC; the variables that say so."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield {"TZ": "Europe/Berlin"}
    time.tzset()


@pytest.fixture
def top(tmp_path: Path, env: Env) -> Path:
    return make(tmp_path, env, "normal")


def test_the_configured_user_commits(top: Path, either_env: Env) -> None:
    repo = Repository.discover(top, env=either_env)
    assert repo.identity(time=5, offset=-90) == Identity("Ada Lovelace", "ada@example.com", 5, -90)
    assert repo.author_identity(time=5, offset=0).name == "Ada Lovelace"


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"GIT_COMMITTER_NAME": "Bob", "GIT_AUTHOR_EMAIL": "carol@x"},
        {"GIT_COMMITTER_NAME": " Bob <,", "EMAIL": "unused@x"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Dan"},
        {"GIT_COMMITTER_DATE": "@1700000000 -0330", "GIT_AUTHOR_DATE": "2024-02-03T04:05:06+07:00"},
        {"GIT_COMMITTER_DATE": "1700000000", "GIT_AUTHOR_DATE": "Sat, 3 Feb 2024 04:05:06 -0500"},
        {"GIT_COMMITTER_DATE": "2024-02-03T04:05:06", "GIT_AUTHOR_DATE": "2024-07-03 04:05:06"},
        {"GIT_COMMITTER_DATE": "Sat, 3 Feb 2024 04:05:06", "GIT_AUTHOR_DATE": "@1720000000"},
    ],
)
def test_the_environment_goes_first_as_git_has_it(top: Path, either_env: Env, extra: Env, berlin: Env) -> None:
    either_env |= berlin
    repo = Repository.discover(top, env=either_env | extra)
    for role, ours in (("COMMITTER", repo.identity), ("AUTHOR", repo.author_identity)):
        theirs = git(top, either_env | {f"GIT_{role}_DATE": "1600000000 +0100"} | extra, "var", f"GIT_{role}_IDENT")
        who = ours(time=1600000000, offset=60)
        zone = f"{'-' if who.offset < 0 else '+'}{abs(who.offset) // 60:02d}{abs(who.offset) % 60:02d}"
        assert f"{who} {who.time} {zone}" == theirs


def test_the_repositorys_own_name_and_the_roles_own_name_go_before_the_users(
    top: Path, env: Env, either_env: Env
) -> None:
    git(top, env, "config", "user.name", "Local")
    git(top, env, "config", "committer.email", "committer@x")
    repo = Repository.discover(top, env=either_env)
    assert str(repo.identity(time=5, offset=0)) == "Local <committer@x>"
    assert str(repo.author_identity(time=5, offset=0)) == "Local <ada@example.com>"


@pytest.mark.parametrize("extra", [{}, {"GIT_COMMITTER_NAME": "", "GIT_COMMITTER_EMAIL": "a@x"}, {"EMAIL": "a@x"}])
def test_nobody_is_told_how_to_become_somebody(top: Path, either_env: Env, extra: Env) -> None:
    Path(either_env["HOME"], ".gitconfig").write_text("")
    either_env |= extra
    with pytest.raises(InvalidInput, match="git does not know who you are") as caught:
        Repository.discover(top, env=either_env).identity(time=5, offset=0)
    assert "git config --global user.name" in str(caught.value.hint)


def test_nobody_without_a_home_is_told_the_variables_for_git_has_no_file_for_them(top: Path, either_env: Env) -> None:
    del either_env["HOME"]
    with pytest.raises(InvalidInput, match="git does not know who you are") as caught:
        Repository.discover(top, env=either_env).identity(time=5, offset=0)
    assert "GIT_COMMITTER_EMAIL" in str(caught.value.hint)
    assert "--global" not in str(caught.value.hint)


def test_a_date_that_is_none_is_refused(top: Path, env: Env) -> None:
    with pytest.raises(InvalidInput, match="GIT_COMMITTER_DATE"):
        Repository.discover(top, env=env | {"GIT_COMMITTER_DATE": "next week"}).identity(time=5, offset=0)


def test_a_broken_configuration_is_said_in_words(top: Path, either_env: Env) -> None:
    Path(either_env["HOME"], ".gitconfig").write_text("[user\n")
    with pytest.raises(InvalidInput, match="cannot be read") as caught:
        Repository.discover(top, env=either_env).identity(time=5, offset=0)
    assert caught.value.hint


@pytest.mark.parametrize("date", ["2024-02-03", "yesterday", "12"])
def test_what_git_takes_for_no_date_is_none(top: Path, either_env: Env, date: str) -> None:
    with pytest.raises(InvalidInput, match="which is no date"):
        Repository.discover(top, env=either_env | {"GIT_AUTHOR_DATE": date}).author_identity(time=5, offset=0)


def test_relative_paths_of_settings_start_at_the_top_of_the_work_tree_as_for_git(top: Path, either_env: Env) -> None:
    (top / "sub").mkdir()
    (top / "team.cfg").write_text("[user]\n\tname = Team\n\temail = team@x\n")
    either_env |= {"GIT_CONFIG_GLOBAL": "team.cfg"}
    repo = Repository.discover(top / "sub", env=either_env)
    assert str(repo.author_identity(time=5, offset=0)) == "Team <team@x>"
