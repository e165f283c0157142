"""A repository here and one somewhere else, by every way from one to the other: fixtures for tests of remotes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.git import Repository
from gitreg.git.remote.protocol import Remote
from tests.git.conftest import ADA, Env, git
from tests.servers.buckets import Servers
from tests.servers.gitremotes import Far, make_far, ways

MAIN, TAG, STAGE = "refs/heads/main", "refs/tags/iris/v1", "refs/stages/iris/production"


@pytest.fixture
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = getattr(request, "param", ("git", "folder"))
    return found


@pytest.fixture
def far(way: tuple[str, str], tmp_path: Path, env: Env, servers: Servers) -> Far:
    return make_far(way, tmp_path, env, servers)


@pytest.fixture
def here(far: Far, tmp_path: Path, env: Env) -> Iterator[Repository]:
    """Somebody's repository, whose remote ``origin`` it is."""
    git(tmp_path, env, "init", "-q", "-b", "main", "here")
    git(tmp_path / "here", env, "remote", "add", "origin", far.url)
    with Repository.discover(tmp_path / "here", env=far.env) as opened:
        yield opened


@pytest.fixture
def remote(here: Repository) -> Remote:
    return here.remotes.open("origin")


class World:
    """Commits and tags that are made here, and what somebody else does there."""

    def __init__(self, here: Repository, far: Far, tmp_path: Path, env: Env) -> None:
        self.here, self.far, self._tmp_path, self._env = here, far, tmp_path, env

    def commit(self, parent: str | None = None, **files: str) -> str:
        changes: dict[str, bytes | None] = {name: text.encode() for name, text in files.items()}
        return self.here.build_commit(parent, changes, message="change", author=ADA, committer=ADA)

    def tag(self, commit: str, name: str = "iris/v1") -> str:
        return self.here.build_tag(name, commit, message=f"a tag of {commit}", tagger=ADA)

    def somebody_else_pushes(self, *refs: str, files: int = 1) -> str:
        """Put a new commit on top of the far branch, at the refs; return it."""
        tree = "".join(
            f"100644 blob {self.far.git('hash-object', '-w', '--stdin', stdin=f'theirs {n}')}\tf{n}\n"
            for n in range(files)
        )
        parent = self.far.refs().get(MAIN)
        made = self.far.git(
            "-c", "user.name=Bob", "-c", "user.email=bob@example.com", "commit-tree", "-m", "theirs",
            *(["-p", parent] if parent else []), self.far.git("mktree", stdin=tree),
        )  # fmt: skip
        for ref in refs or (MAIN,):
            self.far.git("update-ref", ref, made)
        return made

    def is_whole(self) -> bool:
        git(self.here.git_dir, self._env, "fsck", "--connectivity-only", "--no-dangling")
        return True


@pytest.fixture
def world(here: Repository, far: Far, tmp_path: Path, env: Env) -> World:
    return World(here, far, tmp_path, env)


# Without git nobody pushes to a folder. A connection by SSH takes ten times as long as one by HTTP.
FOLDER = ways("folder")[:1]
by_folder = pytest.mark.parametrize("way", FOLDER, indirect=True)
by_readers = pytest.mark.parametrize("way", ways("folder", "http"), indirect=True)
by_readers_and_ssh = pytest.mark.parametrize("way", ways("folder", "http", "ssh"), indirect=True)
by_writers = pytest.mark.parametrize("way", [*FOLDER, *ways("http")], indirect=True)
by_writers_and_ssh = pytest.mark.parametrize("way", [*FOLDER, *ways("http", "ssh")], indirect=True)
by_servers = pytest.mark.parametrize("way", ways("http", "ssh"), indirect=True)
by_http = pytest.mark.parametrize("way", ways("http"), indirect=True)
by_ssh = pytest.mark.parametrize("way", ways("ssh"), indirect=True)
