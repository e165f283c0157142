"""Where two commits parted, and what one has that the other lacks: as git itself says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.git import Repository
from tests.git.conftest import Env, git


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[int, list[int]]], int, int]:
    """Commits in order, when each was made and which of those before are its parents; and two of them."""
    commits: list[tuple[int, list[int]]] = []
    for number in range(draw(st.integers(2, 9))):
        parents = draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True)) if number else []
        newest = max((commits[parent][0] for parent in parents), default=1000)
        commits.append((newest + draw(st.integers(0, 2)), parents))
    one, other = (draw(st.integers(0, len(commits) - 1)) for _ in range(2))
    return commits, one, other


@pytest.mark.slow
@given(histories())
@example(([(1002, []), (1002, [0]), (1003, [0, 1]), (1000, []), (1000, [])], 2, 1))  # one second, and a short way
def test_it_says_what_git_says(tmp_path: Path, env: Env, history: tuple[list[tuple[int, list[int]]], int, int]) -> None:
    commits, one, other = history
    folder = tmp_path / "r.git"
    if not folder.exists():
        git(tmp_path, env, "init", "-q", "--bare", "r.git")
    stream = []
    for number, (time, parents) in enumerate(commits):
        stream.append(
            f"commit refs/heads/c{number}\nmark :{number + 1}\ncommitter A <a@x> {time} +0000\ndata 1\n{number}"
        )
        stream += [f"{'merge' if place else 'from'} :{parent + 1}" for place, parent in enumerate(parents)]
        stream.append("deleteall\n")
    git(folder, env, "fast-import", "--quiet", "--force", stdin="\n".join(stream))
    oids = [git(folder, env, "rev-parse", f"c{number}") for number in range(len(commits))]
    with Repository.discover(folder, env=env) as repository:
        fork, only = repository.ahead(oids[one], oids[other])
    try:
        bases = git(folder, env, "merge-base", "--all", oids[one], oids[other]).splitlines()
    except AssertionError:
        bases = []
    assert fork in bases if bases else fork is None
    assert {commit.oid for commit in only} == set(git(folder, env, "rev-list", f"{oids[other]}..{oids[one]}").split())
    assert [commit.committer.time for commit in only] == sorted((c.committer.time for c in only), reverse=True)
