"""Networks and servers on a bad day, and logins that do not fit: the right error, its words, and no half states."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import GitregError, NotFound, Unreachable
from gitreg.git import RefUpdate, Repository
from tests.git.conftest import Env
from tests.git.faraway import MAIN, TAG, World, by_http, by_readers, by_servers, by_ssh, by_writers_and_ssh
from tests.servers.buckets import Servers
from tests.servers.gitremotes import Far, on_a_bad_line

pytestmark = pytest.mark.slow
FETCHED = "refs/gitreg/origin/main"


def everything(here: Repository, url: str, oid: str) -> list[Callable[[], object]]:
    there = here.remotes.open(url)
    return [
        lambda: there.refs(MAIN),
        there.head,
        lambda: there.fetch([f"+{MAIN}:{FETCHED}"]),
        lambda: there.push([RefUpdate(MAIN, oid, None), RefUpdate(TAG, oid, None)]),
    ]


def fails(acts: list[Callable[[], object]], kind: type[GitregError]) -> list[str]:
    words = []
    for act in acts:
        with pytest.raises(kind) as caught:
            act()
        assert type(caught.value) is kind
        assert caught.value.hint
        words.append(caught.value.message)
    return words


@by_http
def test_a_wrong_password_is_said_to_be_one_and_not_shown(world: World, far: Far, here: Repository) -> None:
    oid = world.commit(a="one")
    for words in fails(everything(here, far.url.replace("s3cr3t-pass", "wr0ng-pass"), oid), Unreachable):
        assert "does not let us in" in words
        assert "wr0ng" not in words
    for words in fails(everything(here, far.url.replace("ada:s3cr3t-pass@", ""), oid), Unreachable):
        assert "does not let us in" in words


@by_ssh
def test_a_key_that_the_server_does_not_know_is_said_to_be_one(
    world: World, far: Far, tmp_path: Path, env: Env, servers: Servers
) -> None:
    command = far.env["GIT_SSH_COMMAND"].replace(servers["sshd"]["key"], str(tmp_path / "no key"))
    with Repository.discover(world.here.git_dir, env=far.env | {"GIT_SSH_COMMAND": command}) as here:
        for words in fails(everything(here, far.url, world.commit(a="one")), Unreachable):
            assert "does not let us in" in words
            assert "Permission denied" in words


@by_ssh
def test_a_host_key_that_nobody_knows_is_refused(world: World, far: Far, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    for words in fails(everything(world.here, far.url, world.commit(a="one")), Unreachable):
        assert "Host key verification failed" in words


@by_writers_and_ssh
def test_a_repository_that_is_not_there(world: World, far: Far, here: Repository) -> None:
    acts = everything(here, f"{far.url}x", world.commit(a="one"))
    for words in fails(acts, NotFound):
        assert "no repository" in words
        assert "s3cr3t" not in words


@pytest.mark.parametrize("way", [("no git", "folder")], indirect=True)
def test_a_folder_that_is_no_repository_is_said_to_be_none_without_git_too(
    world: World, far: Far, here: Repository
) -> None:
    assert "no repository" in fails(everything(here, f"{far.url}x", world.commit(a="one"))[:3], NotFound)[0]


@by_servers
def test_a_server_that_does_not_answer(
    world: World, far: Far, here: Repository, tmp_path: Path, servers: Servers
) -> None:
    oid = world.commit(a="one")
    with on_a_bad_line(far, tmp_path, servers) as (url, env, _):
        pass  # nobody listens there any more
    with Repository.discover(here.git_dir, env=env) as asking:
        for words in fails(everything(asking, url, oid), Unreachable):
            assert "refused" in words.lower() or "connect" in words.lower()
            assert "s3cr3t" not in words


@by_http
def test_a_host_that_does_not_exist(world: World, far: Far, here: Repository) -> None:
    for words in fails(everything(here, "http://ada:s3cr3t@nowhere.invalid/x.git", world.commit(a="x")), Unreachable):
        assert "nowhere.invalid" in words
        assert "s3cr3t" not in words


@by_http
def test_a_host_that_forbids_or_breaks_down_says_so(world: World, far: Far, here: Repository) -> None:
    base, oid = far.url.rpartition("/")[0], world.commit(a="one")
    for words in fails(everything(here, f"{base}/forbidden/x.git", oid), Unreachable):
        assert "does not let us in" in words
        assert "403" in words
    for words in fails(everything(here, f"{base}/broken/x.git", oid), Unreachable):
        assert "500" in words
        assert "s3cr3t" not in words


@pytest.mark.parametrize("way", [("no git", "http")], indirect=True)
def test_a_silent_host_is_waited_for_once(
    world: World, far: Far, tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitreg.git.remote.connections._PATIENCE", 0.5)
    with on_a_bad_line(far, tmp_path, servers) as (url, _, line):
        line.silent = 10
        with pytest.raises(Unreachable, match=r"[Tt]imed out|timeout"):
            world.here.remotes.open(url).refs(MAIN)
        assert line.connections == 1


@by_http
@pytest.mark.parametrize("broken", ["cut_request", "cut_answer"])
def test_a_fetch_that_is_cut_at_any_request_leaves_all_as_it_was_or_has_done_it(
    world: World, far: Far, here: Repository, tmp_path: Path, servers: Servers, broken: str
) -> None:
    first = world.somebody_else_pushes()
    here.remotes.open("origin").fetch([f"+{MAIN}:{FETCHED}"])
    second = world.somebody_else_pushes(MAIN, TAG, files=5)
    specs = [f"+{MAIN}:{FETCHED}", f"{TAG}*:{TAG}*"]
    outcomes = set()
    for number in range(1, 10):
        with on_a_bad_line(far, tmp_path, servers) as (url, _, line):
            setattr(line, broken, number)
            outcomes.add(done := _succeeds(lambda: here.remotes.open(url).fetch(specs)))
            assert done or line.requests >= number
        found = here.refs("refs/gitreg/") | here.refs("refs/tags/")
        assert found == ({FETCHED: second, TAG: second} if done else {FETCHED: first})
        assert world.is_whole()
        if done:
            break
    assert outcomes == {True, False}
    assert here.read(second, "f4") == b"theirs 4"


@by_http
@pytest.mark.parametrize("broken", ["cut_request", "cut_answer"])
def test_a_push_that_is_cut_at_any_request_has_moved_all_or_nothing_and_can_be_done_again(
    world: World, far: Far, here: Repository, tmp_path: Path, servers: Servers, broken: str
) -> None:
    oid = world.commit(a="one")
    updates = [RefUpdate(MAIN, oid, None), RefUpdate(TAG, world.tag(oid), None)]
    outcomes = set()
    for number in range(1, 10):
        for update in updates:
            far.git("update-ref", "-d", update.name)
        with on_a_bad_line(far, tmp_path, servers) as (url, _, line):
            setattr(line, broken, number)
            done = _succeeds(lambda: here.remotes.open(url).push(updates))
        moved = set(far.refs())
        outcomes.add((done, bool(moved)))
        assert moved in ({MAIN, TAG}, set())
        assert moved or not done
        assert far.is_whole()
        here.remotes.open("origin").push(updates)
        assert set(far.refs()) == {MAIN, TAG}
        if done:
            break
    assert {(False, False), (True, True)} <= outcomes
    if broken == "cut_answer":
        assert (False, True) in outcomes  # done, and who asked does not know


@by_ssh
def test_an_ssh_connection_that_is_cut_anywhere_leaves_no_half_state(
    world: World, far: Far, here: Repository, tmp_path: Path, servers: Servers
) -> None:
    noise = os.urandom(60_000).hex()
    oid = world.commit(a=noise)
    updates = [RefUpdate(MAIN, oid, None), RefUpdate(TAG, world.tag(oid), None)]
    with on_a_bad_line(far, tmp_path, servers) as (url, env, line), Repository.discover(here.git_dir, env=env) as near:
        near.remotes.open(url).push(updates)
        up = line.up
    outcomes = set()
    for share in (0.1, 0.4, 0.8, 0.97, 0.999):
        for update in updates:
            far.git("update-ref", "-d", update.name)
        with (
            on_a_bad_line(far, tmp_path, servers) as (url, env, line),
            Repository.discover(here.git_dir, env=env) as near,
        ):
            line.cut_up = int(up * share)
            done = _succeeds(lambda: near.remotes.open(url).push(updates))
        moved = set(far.refs())
        assert moved in ({MAIN, TAG}, set())
        assert moved or not done
        outcomes.add((done, bool(moved)))
    assert (False, False) in outcomes
    far.git("update-ref", MAIN, oid)
    with on_a_bad_line(far, tmp_path, servers) as (url, env, line), Repository.discover(here.git_dir, env=env) as near:
        line.cut_down = 8_000
        remote = near.remotes.open(url)
        assert not _succeeds(lambda: remote.fetch([f"+{MAIN}:{FETCHED}"])) or near.read_ref(FETCHED) == oid
    assert world.is_whole()


@by_readers
def test_a_repository_that_is_damaged_there_moves_nothing_here(world: World, far: Far, here: Repository) -> None:
    made = world.somebody_else_pushes(files=3)
    blob = far.git("rev-parse", f"{made}:f1")
    (far.path / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitregError):
        here.remotes.open("origin").fetch([f"+{MAIN}:{FETCHED}"])
    assert here.read_ref(FETCHED) is None


def _succeeds(act: Callable[[], object]) -> bool:
    failed = None
    try:
        act()
    except Unreachable as error:
        failed = error
    assert failed is None or failed.hint
    assert "s3cr3t" not in str(failed)
    return failed is None
