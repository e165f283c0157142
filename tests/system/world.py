"""A person with a home, the real ``gitreg`` and ``git`` programs, and what they leave behind."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gitreg.names import slug
from tests.system.forking import Forking

PROGRAMS = Path(sys.executable).parent


@cache
def forking() -> Forking:
    """Return this process's own, which ends with it."""
    started = Forking()
    atexit.register(started.close)
    return started


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Person:
    """Somebody who runs programs in a folder.

    Parameters
    ----------
    here:
        The folder that programs run in.
    """

    home: Path
    here: Path
    env: dict[str, str]

    def at(self, folder: Path) -> Person:
        return replace(self, here=folder)

    def with_env(self, **env: str) -> Person:
        return replace(self, env=self.env | env)

    def run(self, *command: str | Path, stdin: str | None = None) -> Ended:
        """Run a program to its end, whatever that is; ``gitreg`` by forking, where it would be started as ever."""
        if Path(command[0]) == PROGRAMS / "gitreg" and Forking.can(self.env):
            return Ended(*forking().run([str(each) for each in command[1:]], self.here, self.env, stdin))
        done = subprocess.run(
            list(map(str, command)), cwd=self.here, env=self.env, input=stdin, capture_output=True, check=False,
            encoding="utf-8", errors="surrogateescape",
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            list(map(str, command)), cwd=self.here, env=self.env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def gitreg(self, *arguments: str | Path, code: int = 0) -> Ended:
        """Run ``gitreg``, which must end with the code; where it is no success, in an error and perhaps a hint."""
        ended = self.run(PROGRAMS / "gitreg", *arguments)
        assert ended.code == code, f"gitreg {arguments} ended with {ended.code}:\n{ended.out}\n{ended.err}"
        if code not in (0, 130):
            assert_in_words(ended)
        return ended

    def git(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Run ``git``, which must succeed, and give what it prints."""
        ended = self.run("git", *arguments, stdin=stdin)
        assert ended.code == 0, f"git {arguments}: {ended.err}"
        return ended.out.strip("\n")

    def doctor_says(self) -> list[dict[str, Any]]:
        """Give the problems that doctor finds."""
        ended = self.run(PROGRAMS / "gitreg", "doctor", "--json")
        assert ended.code in (0, 6), ended.err
        problems: list[dict[str, Any]] = ended.data["problems"]
        assert bool(problems) == (ended.code == 6)
        return problems


def assert_in_words(ended: Ended) -> None:
    """One line for an error, more where it quotes a server, at most one for what to do, and never a traceback.

    Where JSON was asked for, it is one object.
    """
    lines = [line for line in ended.err.splitlines() if not line.startswith(("warning: ", "       "))]
    assert "Traceback" not in ended.err
    assert "fault of gitreg's" not in ended.err, ended.err
    assert lines, f"nothing was said: {ended}"
    if lines[0].startswith("{"):
        assert [json.loads(line)["error"]["exit_code"] for line in lines] == [ended.code], ended.err
        return
    assert lines[0].startswith("error: "), ended.err
    assert len(lines[0]) > len("error: x"), ended.err
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith(" hint: ")), ended.err


def make_person(where: Path) -> Person:
    """Give a person with an empty home and a name."""
    home = where / "home"
    home.mkdir()
    env = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GITREG_CACHE": str(where / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PAGER": "cat",
        "GIT_AUTHOR_NAME": "Ada Lovelace",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada Lovelace",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    return Person(home, where, env)


# -- what lies on the disk -------------------------------------------------------------------------------------------


def write(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files below a folder, which is made, and give the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Give content and mode of every file below a folder, Git's own left out."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def without_git(where: Path, person: Person) -> Person:
    """Give the same person on a machine without git."""
    folder = where / "no-git"
    folder.mkdir(exist_ok=True)
    return person.with_env(PATH=str(folder))


def store_of(registry: Path) -> Path:
    """Give the store's folder of a registry that was made without --store."""
    git = registry / ".git"
    return (git if git.is_dir() else registry) / "gitreg" / "store"


def blob(store: Path, sha256: str) -> Path:
    return store / "sha256" / sha256[:2] / sha256


def record_path(model: str, version: str) -> str:
    return f"models/{slug(model)}/versions/{slug(version)}.yaml"


def commit_by_hand(person: Person, branch: str, files: dict[str, bytes | str | None], message: str = "by hand") -> str:
    """Commit files to a branch as a person does with plain git, in a linked work tree made for it."""
    tree = person.here.parent / f"hand-{os.urandom(4).hex()}"
    person.git("worktree", "add", "-q", "--detach", tree, branch)
    there = person.at(tree)
    for name, content in files.items():
        if content is None:
            (tree / name).unlink()
        else:
            write(tree, {name: content})
    there.git("add", "-A")
    there.git("commit", "-q", "-m", message)
    commit = there.git("rev-parse", "HEAD")
    checked_out = person.run("git", "symbolic-ref", "--short", "HEAD").out.strip() == branch
    if checked_out and person.git("rev-parse", "--is-bare-repository") == "false":
        person.git("merge", "-q", "--ff-only", commit)
    else:
        person.git("update-ref", f"refs/heads/{branch}", commit)
    person.git("worktree", "remove", "--force", tree)
    return commit


# -- faults ----------------------------------------------------------------------------------------------------------


def need_strace() -> str:
    strace = shutil.which("strace")
    if not strace or subprocess.run([strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace does not run here")
    return strace


def in_namespace(person: Person, script: str) -> Ended:
    """Run a shell script that may mount; ``gitreg`` and ``git`` are on its PATH."""
    if person.run("unshare", "-rm", "true").code:
        pytest.skip("this machine does not let us make a mount namespace (unshare -rm)")
    return person.run("unshare", "-rm", "sh", "-ec", textwrap.dedent(script))


def assert_sound(person: Person) -> None:
    """Neither doctor nor git finds anything wrong."""
    assert person.doctor_says() == []
    fsck = person.run("git", "fsck", "--strict", "--no-dangling", "--no-progress")
    assert (fsck.code, fsck.err) == (0, ""), fsck
