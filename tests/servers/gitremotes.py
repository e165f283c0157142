"""Repositories on real Git servers, and users with and without a git program who can reach them."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.buckets import Servers
from tests.servers.proxy import Proxy, proxy

WITHOUT_GIT = ["sh", "ssh", "ssh-keygen", "cat"]
"""The programs that somebody without git has."""


def ways(*by: str) -> list[object]:
    """Give who asks by which ways: ``folder``, ``http``, ``ssh``; each with and without git."""
    return [
        pytest.param((user, each), id=f"{user}-{each}", marks=[] if each == "folder" else pytest.mark.slow)
        for user in ("git", "no git")
        for each in by
    ]


@dataclass
class Far:
    """A repository somewhere else.

    Parameters
    ----------
    url:
        How it is reached.
    path:
        Where it is, for tests to look into it.
    env:
        The user who reaches it.
    port:
        The server's, where there is one.
    """

    url: str
    path: Path
    env: dict[str, str]
    port: int = 0
    _git_env: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str, stdin: str = "") -> str:
        """Do something to it behind everybody's back."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**self._git_env, "PATH": os.environ["PATH"]},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip("\n")

    def refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def hook(self, name: str, script: str) -> None:
        file = self.path / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def is_whole(self) -> bool:
        """Whether all that its refs need is there."""
        self.git("fsck", "--connectivity-only", "--no-dangling")
        return True


def make_far(way: tuple[str, str], tmp_path: Path, env: Mapping[str, str], servers: Servers) -> Far:
    """Make an empty bare repository, and let a user know how to reach it.

    Parameters
    ----------
    way:
        Whether the user has git, and what the repository is reached by.
    env:
        The user's environment.
    """
    user, by = way
    user_env = dict(env)
    if user == "no git":
        user_env["PATH"] = str(_few_programs(tmp_path))
    path, url, port = tmp_path / "far.git", str(tmp_path / "far.git"), 0
    if by == "http":
        said = servers["githttp"]
        path = Path(said["repositories"]) / f"{secrets.token_hex(6)}.git"
        port = int(said["port"])
        url = f"http://{said['user']}:{said['password']}@127.0.0.1:{port}/{path.name}"
    elif by == "ssh":
        said = servers["sshd"]
        port = int(said["port"])
        user_env["GIT_SSH_COMMAND"] = _ssh(said, tmp_path, port)
        url = f"ssh://store{path}"
    elif by == "gitolite":
        said = servers["gitolite"]
        port = int(said["port"])
        user_env["GIT_SSH_COMMAND"] = _ssh(said, tmp_path, port)
        name = f"ada/{secrets.token_hex(6)}"
        path, url = Path(said["repositories"]) / f"{name}.git", f"ssh://store/{name}"
        asked = subprocess.run(["git", "ls-remote", url], env=user_env, capture_output=True, text=True, check=False)
        assert asked.returncode == 0, asked.stderr  # gitolite makes what its rules let users make
    far = Far(url, path, user_env, port, dict(env))
    if by != "gitolite":
        path.mkdir()
        far.git("init", "-q", "--bare", "-b", "main")
    far.git("symbolic-ref", "HEAD", "refs/heads/main")
    return far


@contextmanager
def on_a_bad_line(far: Far, tmp_path: Path, servers: Servers) -> Iterator[tuple[str, dict[str, str], Proxy]]:
    """Give another URL and environment by which a repository is reached through a proxy."""
    with proxy(far.port) as line:
        if far.url.startswith("http"):
            yield far.url.replace(f":{far.port}/", f":{line.at}/"), far.env, line
        else:
            yield far.url, far.env | {"GIT_SSH_COMMAND": _ssh(servers["sshd"], tmp_path, line.at)}, line


def _ssh(said: Mapping[str, str], tmp_path: Path, port: int) -> str:
    known = tmp_path / "known_hosts"
    known.write_text(f"store {said['host_key']}")
    options = {
        "HostName": "127.0.0.1", "HostKeyAlias": "store", "Port": port, "User": said["user"],
        "IdentityFile": said["key"], "IdentitiesOnly": "yes", "UserKnownHostsFile": known,
        "StrictHostKeyChecking": "yes", "BatchMode": "yes", "LogLevel": "ERROR",
    }  # fmt: skip
    return shlex.join(["ssh", "-F", "/dev/null", *(f"-o{key}={value}" for key, value in options.items())])


def _few_programs(tmp_path: Path) -> Path:
    folder = tmp_path / "few programs"
    folder.mkdir(exist_ok=True)
    for name in WITHOUT_GIT:
        if found := shutil.which(name):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(found)
    return folder
