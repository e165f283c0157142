"""What a push promises, by the git program and by dulwich, to folders and servers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gitreg.errors import Conflict, Declined, NotAtomic, Refused, StaleRefs
from gitreg.git import ANY, RefUpdate, Repository
from gitreg.git.creation import clone_repository
from gitreg.git.remote.protocol import Remote
from tests.git.conftest import ADA, Env, git
from tests.git.faraway import MAIN, STAGE, TAG, World, by_folder, by_http, by_writers, by_writers_and_ssh
from tests.servers.gitremotes import Far

# -- pushing ---------------------------------------------------------------------------------------------------------


@by_writers_and_ssh
def test_refs_move_together_and_what_they_need_comes_along(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one", **{"folder/b": "two"})
    tag = world.tag(first)
    remote.push([RefUpdate(MAIN, first, None), RefUpdate(TAG, tag, None), RefUpdate(STAGE, first)])
    assert far.refs() == {MAIN: first, TAG: tag, STAGE: first}
    second = world.commit(first, **{"folder/c": "three"})
    remote.push([RefUpdate(MAIN, second, first), RefUpdate(STAGE, second, first)])
    assert far.refs() == {MAIN: second, TAG: tag, STAGE: second}
    assert far.git("show", f"{second}:folder/c") == "three"
    assert far.is_whole()


@by_writers
def test_refs_that_are_where_they_shall_be_are_left_there(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    updates = [RefUpdate(MAIN, first, None), RefUpdate(TAG, world.tag(first), None)]
    remote.push(updates)
    before = far.refs()
    remote.push(updates)
    assert far.refs() == before


@by_writers_and_ssh
def test_a_branch_that_somebody_else_moved_is_a_conflict_and_nothing_moves(
    world: World, far: Far, remote: Remote
) -> None:
    first = world.commit(a="one")
    remote.push([RefUpdate(MAIN, first, None)])
    world.somebody_else_pushes()
    before = far.refs()
    second = world.commit(first, a="two")
    with pytest.raises(Conflict, match="refs/heads/main"):
        remote.push([RefUpdate(MAIN, second, first), RefUpdate(TAG, world.tag(second), None)])
    assert far.refs() == before


@by_writers
def test_a_branch_that_was_rewound_is_a_conflict(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    second = world.commit(first, a="two")
    remote.push([RefUpdate(MAIN, second, None)])
    far.git("update-ref", MAIN, first)
    third = world.commit(second, a="three")
    with pytest.raises(Conflict, match="refs/heads/main"):
        remote.push([RefUpdate(MAIN, third, second)])
    assert far.refs() == {MAIN: first}


@by_writers
def test_a_tag_that_exists_is_a_conflict_that_names_it(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    remote.push([RefUpdate(MAIN, first, None), RefUpdate(TAG, world.tag(first), None)])
    before = far.refs()
    second = world.commit(first, a="two")
    with pytest.raises(Conflict, match="refs/tags/iris/v1"):
        remote.push([RefUpdate(MAIN, second, first), RefUpdate(TAG, world.tag(second), None)])
    assert far.refs() == before


@pytest.mark.slow
@by_writers
def test_any_old_value_is_overwritten_and_none_deletes(world: World, far: Far, remote: Remote) -> None:
    first, other = world.commit(a="one"), world.commit(a="unrelated")
    remote.push([RefUpdate(MAIN, first, None), RefUpdate(STAGE, first, ANY)])
    remote.push([RefUpdate(STAGE, other, ANY)])
    assert far.refs() == {MAIN: first, STAGE: other}
    with pytest.raises(Conflict, match=STAGE):
        remote.push([RefUpdate(STAGE, None, first)])
    remote.push([RefUpdate(STAGE, None, other)])
    assert far.refs() == {MAIN: first}
    remote.push([RefUpdate(STAGE, None, ANY)])  # it is gone: nothing to do
    assert far.refs() == {MAIN: first}


@by_writers
def test_without_atomicity_those_that_can_move_do(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    remote.push([RefUpdate(MAIN, first, None)])
    second = world.commit(first, a="two")
    with pytest.raises(Conflict, match=TAG):
        remote.push([RefUpdate(MAIN, second, first), RefUpdate(TAG, first, second)], atomic=False)
    assert far.refs() == {MAIN: second}


@by_writers
def test_a_hook_that_declines_is_quoted(world: World, far: Far, remote: Remote) -> None:
    far.hook("pre-receive", "echo 'the release is frozen until Monday' >&2; echo; echo 'ask Ada' >&2; exit 1")
    first = world.commit(a="one")
    with pytest.raises(Declined, match="the release is frozen until Monday") as caught:
        remote.push([RefUpdate(MAIN, first, None), RefUpdate(TAG, world.tag(first), None)])
    assert caught.value.message.endswith("the release is frozen until Monday\nask Ada")
    assert set(caught.value.refs) == {MAIN, TAG}
    assert not caught.value.protected
    assert far.refs() == {}


@by_writers_and_ssh
def test_a_hook_that_declines_one_ref_keeps_all_where_they_are_and_that_one_is_named(
    world: World, far: Far, remote: Remote
) -> None:
    far.hook("update", f"test $1 != {TAG} || {{ echo 'no tags here'; exit 1; }}")
    first = world.commit(a="one")
    with pytest.raises(Declined, match="no tags here") as caught:
        remote.push([RefUpdate(MAIN, first, None), RefUpdate(TAG, world.tag(first), None), RefUpdate(STAGE, first)])
    assert caught.value.refs == (TAG,)
    assert far.refs() == {}


@by_folder
def test_a_hook_of_this_repository_that_declines_is_quoted(
    world: World, far: Far, here: Repository, remote: Remote
) -> None:
    hook = here.git_dir / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'the weights are not in the store' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Declined, match="own pre-push hook declines: the weights are not in the store") as caught:
        remote.push([RefUpdate(MAIN, world.commit(a="one"), None)])
    assert not caught.value.refs
    assert far.refs() == {}


@by_writers
@pytest.mark.parametrize(
    "words",
    [
        "GH006: Protected branch update failed for refs/heads/main.",
        "GitLab: You are not allowed to push code to protected branches on this project.",
        "Changes must be made through a pull request.",
    ],
)
def test_a_protected_branch_is_known_by_its_hosts_words(world: World, far: Far, remote: Remote, words: str) -> None:
    far.hook("pre-receive", f"echo '{words}' >&2; exit 1")
    with pytest.raises(Declined, match=words[:20]) as caught:
        remote.push([RefUpdate(MAIN, world.commit(a="one"), None)])
    assert caught.value.protected


@by_writers
def test_refs_that_a_host_keeps_to_itself_are_named_and_only_those(world: World, far: Far, remote: Remote) -> None:
    far.git("config", "receive.hideRefs", "refs/stages")
    first = world.commit(a="one")
    with pytest.raises(Declined) as caught:
        remote.push([RefUpdate(MAIN, first, None), RefUpdate(STAGE, first), RefUpdate(f"{STAGE}2", first)])
    assert set(caught.value.refs) == {STAGE, f"{STAGE}2"}
    assert set(far.refs()) <= {MAIN}  # git's server is not atomic here
    remote.push([RefUpdate(MAIN, first, None), RefUpdate(TAG, first, None)])
    assert far.refs() == {MAIN: first, TAG: first}


@by_writers
def test_a_host_that_cannot_move_refs_together_is_told_apart(world: World, far: Far, remote: Remote) -> None:
    far.git("config", "receive.advertiseAtomic", "false")
    first = world.commit(a="one")
    both = [RefUpdate(MAIN, first, None), RefUpdate(TAG, world.tag(first), None)]
    with pytest.raises(NotAtomic):
        remote.push(both)
    assert far.refs() == {}
    remote.push(both[:1])
    remote.push(both, atomic=False)
    assert set(far.refs()) == {MAIN, TAG}


@by_writers
def test_what_the_host_says_is_returned(world: World, far: Far, remote: Remote) -> None:
    far.hook("post-receive", "echo; echo 'Open a request:'; echo '  https://host/new?branch=main'")
    told = remote.push([RefUpdate(MAIN, world.commit(a="one"), None)])
    assert "Open a request:" in told.splitlines()
    assert "https://host/new?branch=main" in [line.strip() for line in told.splitlines()]


@by_writers_and_ssh
def test_push_options_reach_the_host_or_it_says_that_it_takes_none(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    with pytest.raises(Declined, match="push options") as caught:
        remote.push([RefUpdate(MAIN, first, None)], options=["merge_request.create"])
    assert not caught.value.refs
    assert far.refs() == {}
    far.git("config", "receive.advertisePushOptions", "true")
    far.hook("post-receive", 'echo "got $GIT_PUSH_OPTION_0, $GIT_PUSH_OPTION_1"')
    told = remote.push([RefUpdate(MAIN, first, None)], options=["merge_request.create", "title=é"])
    assert "got merge_request.create, title=" in told


@pytest.mark.slow
@by_writers
def test_names_outside_ascii_and_hundreds_of_refs_are_ordinary(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    names = ["refs/tags/größe/v1", "refs/tags/模型/v1", *(f"refs/stages/m{n}/production" for n in range(300))]
    remote.push([RefUpdate(name, first, None) for name in names])
    assert set(far.refs()) == set(names)
    assert remote.refs("refs/tags/größe/*") == {"refs/tags/größe/v1": first}
    remote.fetch(["refs/tags/*:refs/tags/*"])
    assert world.here.read_ref("refs/tags/模型/v1") == first


@pytest.mark.slow
@by_writers
def test_many_new_tags_go_with_the_branch_or_not_at_all(
    world: World, far: Far, remote: Remote, here: Repository
) -> None:
    first = world.commit(a="one")
    tags = {f"refs/tags/models/iris@{number}": first for number in range(150)}
    remote.push([RefUpdate(MAIN, first, None), *(RefUpdate(name, oid, None) for name, oid in tags.items())])
    assert far.refs() == {MAIN: first, **tags}
    second = world.commit(first, a="two")
    more = {f"refs/tags/models/iris@{number}": second for number in range(149, 300)}
    with pytest.raises(Conflict, match="refs/tags/models/iris@149") as stale:
        remote.push([RefUpdate(MAIN, second, first), *(RefUpdate(name, oid, None) for name, oid in more.items())])
    assert isinstance(stale.value, StaleRefs)
    assert list(stale.value.refs) == ["refs/tags/models/iris@149"]
    assert far.refs() == {MAIN: first, **tags}
    assert here.refs("refs/gitreg/") == {}


@by_http
def test_a_push_from_a_shallow_repository(world: World, far: Far, here: Repository, remote: Remote) -> None:
    for count in (1, 2, 3):
        tip = world.somebody_else_pushes(files=count)
    remote.fetch([f"+{MAIN}:refs/x/main"], depth=1)
    ours = world.commit(tip, ours="yes")
    remote.push([RefUpdate(MAIN, ours, tip), RefUpdate(TAG, world.tag(ours), None)])
    assert far.refs()[MAIN] == ours
    assert far.is_whole()
    assert far.git("rev-list", "--count", MAIN) == "4"


@by_writers
def test_a_push_into_a_shallow_repository(world: World, far: Far, here: Repository, remote: Remote, env: Env) -> None:
    oids = [world.commit(a="0")]
    for n in range(1, 4):
        oids.append(world.commit(oids[-1], a=str(n)))
    here.update_refs([RefUpdate(MAIN, oids[2])], reason="x")
    far.git("fetch", "-q", "--depth=1", f"file://{here.git_dir}", f"{MAIN}:{MAIN}")
    remote.push([RefUpdate(MAIN, oids[3], oids[2])])
    assert far.refs() == {MAIN: oids[3]}
    assert far.is_whole()


@by_writers
def test_a_commit_that_is_on_an_older_one_of_the_remotes_is_pushed(world: World, far: Far, remote: Remote) -> None:
    first = world.commit(a="one")
    second = world.commit(first, a="two")
    remote.push([RefUpdate(MAIN, second, None)])
    side = world.commit(first, b="side")
    remote.push([RefUpdate("refs/heads/side", side, None), RefUpdate(TAG, first, None)])
    assert far.is_whole()


@pytest.mark.parametrize("way", [("no git", "folder")], indirect=True)
def test_without_git_a_folder_is_not_pushed_to(world: World, far: Far, remote: Remote) -> None:
    with pytest.raises(Refused, match="hooks") as caught:
        remote.push([RefUpdate(MAIN, world.commit(a="one"), None)])
    assert caught.value.hint
    assert far.refs() == {}


@pytest.mark.parametrize("way", [("no git", "http")], indirect=True)
@pytest.mark.slow
def test_without_git_a_sha256_repository_is_left_to_git(far: Far, tmp_path: Path, env: Env) -> None:
    shutil.rmtree(far.path)
    far.path.mkdir()
    far.git("init", "-q", "--bare", "--object-format=sha256")
    with pytest.raises(Refused, match="sha256"):
        clone_repository(far.url, tmp_path / "clone", env=far.env)
    git(tmp_path, env, "init", "-q", "--object-format=sha256", "mine")
    with Repository.discover(tmp_path / "mine", env=far.env) as mine:
        oid = mine.build_commit(None, {"a": b"a"}, message="x", author=ADA, committer=ADA)
        with pytest.raises(Refused, match="sha256"):
            mine.remotes.open(far.url).push([RefUpdate(MAIN, oid, None)])
