"""Commits replayed through the git program and in process: the same, whatever stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import IntegrityError
from gitreg.git import Commit, Repository
from gitreg.git.history.replay import WORTH_A_PROCESS
from gitreg.git.values import Oversized
from tests.git.conftest import BRANCH, Env, git, make

pytestmark = pytest.mark.slow

LENGTH = WORTH_A_PROCESS + 20
Told = list[tuple[Commit, list[tuple[str, bytes | Oversized | None]]]]


def odd_history(folder: Path, env: Env) -> None:
    """Commit what a person's own Git may bring: links, modes, merges, files that become folders, odd names."""
    changes = {
        2: "M 100755 inline registry/run\ndata 1\nx",
        3: "M 120000 inline registry/link\ndata 3\nrun",
        4: "M 100644 inline registry/link\ndata 3\nrun",
        5: "M 120000 inline registry/link\ndata 3\nrun",
        6: "M 100644 inline registry/run/below\ndata 1\ny",
        7: "D registry/run",
        8: 'M 100644 inline "registry/caf\\303\\251 \\377\\tx"\ndata 0\n',
        9: "M 100644 inline elsewhere/*\ndata 1\nz",
        10: "M 100644 inline registry/0.yaml\ndata 4\n\0\n\n:",
        11: "M 100755 inline registry/0.yaml\ndata 4\n\0\n\n:",
        12: "",
        13: f"M 160000 {'1' * 40} registry/module",
    }
    stream = ["commit refs/heads/side\nmark :1000\ncommitter A <a@x> 1 +0000\ndata 4\nside"]
    stream.append("M 100644 inline registry/side\ndata 1\ns")
    for number in range(1, LENGTH + 1):
        stream.append(f"commit {BRANCH}\nmark :{number}\ncommitter Zoë <z@x> {number} +0130\ndata 2\n{number % 10}\n")
        stream.append("merge :1000\nM 100644 inline registry/side\ndata 1\ns" if number == 14 else "")
        stream.append(changes.get(number, f"M 100644 inline registry/{number % 7}.yaml\ndata 3\n{number:3}"))
    text = "\n".join(part for part in stream if part) + "\n"
    git(folder, env, "fast-import", "--quiet", stdin=text)


def told(repo: Repository, before: str | None, line: list[str], folder: str) -> Told:
    return [(commit, list(files)) for commit, files in repo.replay(before, line, folder)]


@pytest.fixture
def history(tmp_path: Path, env: Env) -> Path:
    folder = make(tmp_path, env, "bare")
    odd_history(folder, env)
    return folder


def both(folder: Path, env: Env, tmp_path: Path) -> tuple[Repository, Repository]:
    return (
        Repository.discover(folder, env=env),
        Repository.discover(folder, env=env | {"PATH": str(tmp_path / "empty")}),
    )


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "registry"])
@pytest.mark.parametrize("skipped", [0, 4])
def test_git_and_no_git_tell_the_same_story(history: Path, env: Env, tmp_path: Path, folder: str, skipped: int) -> None:
    by_git, in_process = both(history, env, tmp_path)
    with by_git, in_process:
        head = by_git.read_ref(BRANCH)
        assert head
        line = by_git.line(head)
        assert line == in_process.line(head) == [commit.oid for commit in in_process.history(head)]
        oldest_first = line[::-1]
        before = oldest_first[skipped - 1] if skipped else None
        stories = [told(repo, before, oldest_first[skipped:], folder) for repo in (by_git, in_process)]
        assert stories[0] == stories[1]
        assert any(files for _, files in stories[0])
        paths = {path for _, files in stories[0] for path, _ in files}
        assert ("elsewhere/*" in paths) is (folder == "")
        assert by_git.line(head, until=oldest_first[3]) == in_process.line(head, until=oldest_first[3]) == line[:-4]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, LENGTH - 5])
def test_a_shallow_line_ends_where_the_clone_was_cut(history: Path, env: Env, tmp_path: Path, depth: int) -> None:
    git(tmp_path, env, "clone", "-q", "--bare", f"--depth={depth}", "-b", "registry", history.as_uri(), "cut")
    by_git, in_process = both(tmp_path / "cut", env, tmp_path)
    with by_git, in_process:
        head = by_git.read_ref(BRANCH)
        assert head
        line = by_git.line(head)
        assert line == in_process.line(head)
        assert len(line) == depth
        assert told(by_git, None, line[::-1], "") == told(in_process, None, line[::-1], "")


def test_a_commit_that_is_not_there_is_named(history: Path, env: Env) -> None:
    with Repository.discover(history, env=env) as repo:
        head = repo.read_ref(BRANCH)
        assert head
        line = repo.line(head)
        with pytest.raises(IntegrityError, match="cannot read"):
            told(repo, None, ["0" * 39 + "1", *line[::-1]], "")


@pytest.mark.slow
def test_the_commits_that_many_tags_mean_are_the_same_with_git_and_without(
    history: Path, env: Env, tmp_path: Path
) -> None:
    git(history, env, "config", "user.name", "Ada")
    git(history, env, "config", "user.email", "ada@example.com")
    git(history, env, "tag", "light", BRANCH)
    git(history, env, "tag", "-m", "a tree", "tree", f"{BRANCH}^{{tree}}")
    for number in range(WORTH_A_PROCESS):
        git(history, env, "tag", "-m", f"{number}", f"plain-{number}", f"{BRANCH}~{number}")
    git(history, env, "tag", "-m", "a tag", "nested", "plain-0")
    by_git, in_process = both(history, env, tmp_path)
    with by_git, in_process:
        refs = by_git.refs("refs/tags/")
        asked = [*refs.values(), "0" * 40]
        found = by_git.tagged_commits(asked)
        assert found == in_process.tagged_commits(asked)
        line = by_git.line(by_git.read_ref(BRANCH) or "")
        expected = {refs[f"refs/tags/plain-{number}"]: line[number] for number in range(WORTH_A_PROCESS)}
        assert found == expected
