from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from gitreg.errors import GitregError, InvalidInput
from gitreg.git import Repository
from tests.git.conftest import ADA, Env, git, make


def configure(env: Env, **settings: str) -> None:
    for key, value in settings.items():
        git(Path(env["HOME"]), env, "config", "--global", key.replace("_", "."), value)


@pytest.fixture
def ssh(env: Env) -> Env:
    """A user who signs everything with an SSH key."""
    home = Path(env["HOME"])
    key = home / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(key)], check=True)
    (home / "allowed").write_text(f"ada@example.com {key.with_suffix('.pub').read_text()}")
    configure(
        env, gpg_format="ssh", user_signingKey="~/key", commit_gpgSign="true", tag_gpgSign="true",
        gpg_ssh_allowedSignersFile=str(home / "allowed"),
    )  # fmt: skip
    return env


def sign_both(repo: Repository) -> tuple[str, str]:
    commit = repo.build_commit(None, {"a": b"1"}, message="signed", author=ADA, committer=ADA)
    return commit, repo.build_tag("v1", commit, message="signed", tagger=ADA)


@pytest.mark.parametrize("program", ["git", "no git"])
def test_git_verifies_what_an_ssh_key_signed(tmp_path: Path, ssh: Env, object_format: str, program: str) -> None:
    folder = make(tmp_path, ssh, "normal", object_format)
    env = ssh
    if program == "no git":
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "ssh-keygen").symlink_to(shutil.which("ssh-keygen") or "")
        env = ssh | {"PATH": str(tools)}
    with Repository.discover(folder, env=env) as repo:
        commit, tag = sign_both(repo)
        found = repo.tag(tag)
        assert found is not None
        assert (found.signed, found.message) == (True, "signed\n")
        assert repo.commit(commit).message == "signed\n"
    git(folder, ssh, "verify-commit", commit)
    git(folder, ssh, "verify-tag", tag)
    assert git(folder, ssh, "fsck", "--strict", "--no-dangling") == ""


def test_a_key_of_the_agent_is_named_by_its_text(tmp_path: Path, ssh: Env) -> None:
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    variables = dict(part.split("=", 1) for part in said.replace("\n", " ").split("; ") if "=" in part)
    agent = {key.strip(): value for key, value in variables.items() if key.strip().startswith("SSH_")}
    env = ssh | agent
    try:
        home = Path(ssh["HOME"])
        subprocess.run(["ssh-add", "-q", str(home / "key")], env=env, check=True)
        configure(ssh, user_signingKey=f"key::{(home / 'key.pub').read_text().strip()}")
        (home / "key").unlink()
        folder = make(tmp_path, ssh, "normal")
        with Repository.discover(folder, env=env) as repo:
            git(folder, ssh, "verify-commit", sign_both(repo)[0])
    finally:
        subprocess.run(["ssh-agent", "-k"], env=env, check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gpg"), reason="needs gpg")
def test_git_verifies_what_gpg_signed(env: Env) -> None:
    # a short path: gpg-agent's socket does not fit into pytest's long ones
    with tempfile.TemporaryDirectory(prefix="g") as short:
        user = env | {"GNUPGHOME": short}
        made = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "Ada Lovelace <ada@example.com>"]
        subprocess.run(made, env=user, check=True, capture_output=True)
        configure(user, commit_gpgSign="true", tag_forceSignAnnotated="true")
        folder = make(Path(short), user, "normal")
        with Repository.discover(folder, env=user) as repo:
            commit, tag = sign_both(repo)
        git(folder, user, "verify-commit", commit)
        git(folder, user, "verify-tag", tag)
        subprocess.run(["gpgconf", "--kill", "all"], env=user, check=True)


def test_unsigned_where_nothing_is_configured(plain: Repository) -> None:
    _, tag = sign_both(plain)
    found = plain.tag(tag)
    assert found is not None
    assert not found.signed


def test_the_repository_may_ask_for_signatures_but_not_name_the_program(tmp_path: Path, ssh: Env) -> None:
    folder = make(tmp_path, ssh, "normal")
    ran, evil = tmp_path / "ran", tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {ran}\n")
    evil.chmod(0o755)
    configure(ssh, commit_gpgSign="false")
    for key, value in {"commit.gpgSign": "true", "gpg.ssh.program": str(evil), "gpg.program": str(evil)}.items():
        git(folder, ssh, "config", key, value)
    with Repository.discover(folder, env=ssh) as repo:
        commit, _ = sign_both(repo)
    assert not ran.exists()
    git(folder, ssh, "config", "--unset", "gpg.ssh.program")
    git(folder, ssh, "verify-commit", commit)


def test_a_program_that_does_not_sign_is_said_in_words(tmp_path: Path, ssh: Env) -> None:
    folder = make(tmp_path, ssh, "normal")
    Path(ssh["HOME"], "key").write_text("no key")
    with Repository.discover(folder, env=ssh) as repo, pytest.raises(GitregError, match="did not sign"):
        sign_both(repo)
    configure(ssh, gpg_ssh_program="/nowhere/sign")
    with Repository.discover(folder, env=ssh) as repo, pytest.raises(GitregError, match="/nowhere/sign cannot be run"):
        sign_both(repo)


def test_a_key_that_others_may_read_is_said_to_be_one(tmp_path: Path, ssh: Env) -> None:
    folder = make(tmp_path, ssh, "normal")
    Path(ssh["HOME"], "key").chmod(0o644)
    with Repository.discover(folder, env=ssh) as repo, pytest.raises(GitregError, match=r"others .* may read") as told:
        sign_both(repo)
    assert "@@" not in told.value.message
    assert "chmod 600" in (told.value.hint or "")


@pytest.mark.parametrize("settings", [{"user_signingKey": ""}, {"gpg_format": "crayon"}])
def test_a_configuration_that_cannot_sign_is_refused_with_a_hint(
    tmp_path: Path, ssh: Env, settings: dict[str, str]
) -> None:
    configure(ssh, **settings)
    with Repository.discover(make(tmp_path, ssh, "normal"), env=ssh) as repo, pytest.raises(InvalidInput) as caught:
        sign_both(repo)
    assert caught.value.hint
