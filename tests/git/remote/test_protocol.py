"""What a remote is asked and what is fetched from it, by the git program and by dulwich, from folders and servers."""

from __future__ import annotations

import pytest

from gitreg.errors import Conflict, IntegrityError, NotFound, Refused, Unreachable
from gitreg.git import Repository
from gitreg.git.remote.protocol import Remote, connection_error
from tests.git.faraway import MAIN, STAGE, TAG, World, by_readers, by_readers_and_ssh, by_servers
from tests.servers.gitremotes import Far

# -- asking ----------------------------------------------------------------------------------------------------------


@by_readers_and_ssh
def test_refs_are_given_by_pattern_and_annotated_tags_with_what_they_tag(
    world: World, far: Far, remote: Remote
) -> None:
    commit = world.somebody_else_pushes(MAIN, "refs/heads/other", "refs/stages/iris/production")
    for name in ("iris/v1", "iris/v10", "rose/v1"):
        far.git("-c", "user.name=B", "-c", "user.email=b@x", "tag", "-m", name, name, commit)
    there = far.refs()
    assert remote.refs(MAIN) == {MAIN: commit}
    assert remote.refs(TAG) == {TAG: there[TAG], f"{TAG}^{{}}": commit}
    assert set(remote.refs("refs/tags/iris/*")) == {
        TAG, f"{TAG}^{{}}", "refs/tags/iris/v10", "refs/tags/iris/v10^{}",
    }  # fmt: skip
    assert remote.refs("refs/stages/*", MAIN) == {STAGE: commit, MAIN: commit}
    assert remote.refs("refs/heads/ma") == {}
    assert remote.refs("refs/nothing/*") == {}


@by_readers
def test_a_pattern_means_whole_names(world: World, remote: Remote) -> None:
    world.somebody_else_pushes("refs/heads/x/refs/heads/main")
    assert remote.refs(MAIN) == {}


@by_readers
def test_head_is_the_branch_that_the_remote_names(world: World, far: Far, remote: Remote) -> None:
    world.somebody_else_pushes("refs/heads/trunk", MAIN)
    far.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert remote.head() == "refs/heads/trunk"


@by_readers
def test_an_empty_repository_has_no_refs_and_no_branch_to_fetch(remote: Remote) -> None:
    assert remote.refs("refs/*") == {}
    assert remote.head() in (None, MAIN)  # newer protocols say what the first branch shall be
    with pytest.raises(NotFound, match="has no refs/heads/main"):
        remote.fetch([f"+{MAIN}:refs/gitreg/origin/main"])


# -- fetching --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@by_readers_and_ssh
def test_a_fetch_brings_what_is_named_and_all_it_needs_but_no_other_tag(
    world: World, far: Far, here: Repository, remote: Remote
) -> None:
    first = world.somebody_else_pushes()
    far.git("tag", "loose", first)
    remote.fetch([f"+{MAIN}:refs/gitreg/origin/main"])
    ours = {name: oid for name, oid in here.refs("refs/").items() if name != "refs/remotes/origin/main"}
    assert ours == {"refs/gitreg/origin/main": first}  # git moves the branch's own tracking ref too
    second = world.somebody_else_pushes(files=3)
    remote.fetch([f"+{MAIN}:refs/gitreg/origin/main"])
    assert here.read_ref("refs/gitreg/origin/main") == second
    assert here.read(second, "f2") == b"theirs 2"
    assert [commit.oid for commit in here.history(second)] == [second, first]
    remote.fetch([f"+{MAIN}:refs/gitreg/origin/main"])  # nothing is new
    assert world.is_whole()


@pytest.mark.slow
@by_readers
def test_tags_come_by_pattern_and_those_that_are_here_already_too(
    world: World, far: Far, here: Repository, remote: Remote
) -> None:
    for number in (1, 2, 3):
        commit = world.somebody_else_pushes(files=number)
        far.git("-c", "user.name=B", "-c", "user.email=b@x", "tag", "-m", "x", f"iris/v{number}", commit)
    far.git("tag", "rose/v1", commit)
    remote.fetch([f"{TAG}*:{TAG}*"])
    assert set(here.refs("refs/")) == {TAG}
    remote.fetch(["refs/tags/iris/*:refs/tags/iris/*"])
    assert here.refs("refs/tags/iris/") == {k: v for k, v in far.refs().items() if "iris" in k}
    assert world.is_whole()


@by_readers
def test_a_named_ref_that_is_not_there_is_said_to_be(world: World, remote: Remote, here: Repository) -> None:
    world.somebody_else_pushes()
    with pytest.raises(NotFound, match="refs/heads/other"):
        remote.fetch([f"+{MAIN}:refs/x/main", "+refs/heads/other:refs/x/other"])
    remote.fetch(["+refs/heads/other*:refs/x/other*"])  # with a star it may be none
    assert here.refs("refs/") == {}


@by_readers
def test_a_tag_that_was_moved_there_is_refused(world: World, far: Far, here: Repository, remote: Remote) -> None:
    first = world.somebody_else_pushes(MAIN, TAG)
    remote.fetch(["refs/tags/*:refs/tags/*"])
    world.somebody_else_pushes(MAIN, TAG)
    with pytest.raises(IntegrityError, match="iris/v1"):
        remote.fetch(["refs/tags/*:refs/tags/*"])
    assert here.read_ref(TAG) == first


@pytest.mark.slow
@by_readers
def test_a_rewritten_branch_is_fetched_only_by_force(world: World, far: Far, here: Repository, remote: Remote) -> None:
    first = world.somebody_else_pushes()
    remote.fetch([f"{MAIN}:refs/x/main"])
    second = world.somebody_else_pushes()
    remote.fetch([f"{MAIN}:refs/x/main"])  # it follows
    far.git("update-ref", MAIN, first)
    with pytest.raises(Conflict, match="main"):
        remote.fetch([f"{MAIN}:refs/x/main"])
    assert here.read_ref("refs/x/main") == second
    remote.fetch([f"+{MAIN}:refs/x/main"])
    assert here.read_ref("refs/x/main") == first


@by_servers  # from a folder, all comes at once
def test_a_shallow_fetch_stops_where_it_was_asked_to_and_goes_on_from_there(
    world: World, here: Repository, remote: Remote
) -> None:
    commits = [world.somebody_else_pushes(files=n) for n in (1, 2, 3)]
    remote.fetch([f"+{MAIN}:refs/x/main"], depth=1)
    assert here.is_boundary(commits[2])
    assert here.line(commits[2]) == [commits[2]]
    fourth = world.somebody_else_pushes(files=4)
    remote.fetch([f"+{MAIN}:refs/x/main"])
    assert here.line(fourth) == [fourth, commits[2]]
    remote.fetch([f"+{MAIN}:refs/x/main"], depth=3)
    assert here.line(fourth) == [fourth, commits[2], commits[1]]
    assert not here.is_boundary(commits[2])
    assert world.is_whole()
    remote.fetch([f"+{MAIN}:refs/x/main"], depth=0x7FFFFFFF)  # what ``git fetch --unshallow`` asks for
    assert here.line(fourth) == [fourth, *reversed(commits)]
    assert not here.is_shallow
    assert world.is_whole()


@pytest.mark.slow
@by_readers
def test_what_has_lost_its_history_is_not_fetched_from(
    world: World, far: Far, here: Repository, remote: Remote
) -> None:
    commits = [world.somebody_else_pushes(files=n) for n in (1, 2, 3)]
    (far.path / "shallow").write_text(f"{commits[1]}\n")
    far.git("gc", "-q", "--prune=now")
    with pytest.raises(IntegrityError, match="not have all"):
        remote.fetch([f"+{MAIN}:refs/x/main"])
    assert here.refs("refs/x/") == {}
    assert not here.is_shallow
    assert world.is_whole()


@pytest.mark.parametrize("way", [("no git", "folder")], indirect=True)
def test_without_git_a_folder_is_never_fetched_from_by_halves(world: World, here: Repository, remote: Remote) -> None:
    commits = [world.somebody_else_pushes(files=n) for n in (1, 2, 3)]
    remote.fetch([f"+{MAIN}:refs/x/main"], depth=1)
    assert here.line(commits[2]) == [*reversed(commits)]
    assert world.is_whole()


def test_a_full_disk_is_no_trouble_of_the_network() -> None:
    error = connection_error("origin", "fatal: unable to write loose object file: No space left on device\n")
    assert not isinstance(error, Unreachable)
    assert "a disk is full" in error.message
    assert "make room" in (error.hint or "")


def test_a_repository_of_another_user_is_no_trouble_of_the_network() -> None:
    error = connection_error(
        "origin",
        "fatal: detected dubious ownership in repository at '/far/x.git'\nTo add an exception, call:\n\n"
        "\tgit config --global --add safe.directory /far/x.git\nfatal: Could not read from remote repository.\n",
    )
    assert type(error) is Refused
    assert "origin belongs to another user" in error.message
    assert "safe.directory /far/x.git`" in (error.hint or "")


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("fatal: --mirror can't be combined with refspecs\n", Refused),
        ("fatal: refusing to fetch into branch 'refs/heads/main' checked out at '/here'\n", Refused),
        ("fatal: no support for --signed push\nfatal: the remote end hung up unexpectedly\n", Refused),
        ("error: gpg failed\nfatal: failed to sign the push certificate\n", Refused),
        ("", Unreachable),
        ("fatal: the remote end hung up unexpectedly\n", Unreachable),
        ("fatal: unable to access 'http://far/x': Failed to connect to far port 80\n", Unreachable),
        ("fatal: unable to look up far (port 9418) (Name or service not known)\n", Unreachable),
        ("ssh: connect to host far port 22: refused\nfatal: Could not read from remote repository.\n", Unreachable),
        ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF\n", Unreachable),
        ("fatal: expected flush after ref listing\n", Unreachable),
    ],
)
def test_what_git_itself_refuses_is_no_trouble_of_the_network(output: str, kind: type[Exception]) -> None:
    assert type(connection_error("origin", output)) is kind


SSH_ADVICE = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n"
    "and the repository exists.\n"
)


def test_a_remote_that_the_clone_does_not_know_is_told_from_an_address_without_a_repository() -> None:
    unknown = connection_error("up", f"fatal: 'up' does not appear to be a git repository\n{SSH_ADVICE}")
    assert isinstance(unknown, NotFound)
    assert unknown.message == "there is no remote 'up' in this clone's configuration"
    assert "`git remote add up URL`" in (unknown.hint or "")
    for remote, place in (("up", "../models"), ("/srv/models", "/srv/models")):
        empty = connection_error(remote, f"fatal: '{place}' does not appear to be a git repository\n{SSH_ADVICE}")
        assert isinstance(empty, NotFound)
        assert empty.message.startswith(f"there is no repository at {remote}: ")


def test_what_git_adds_to_every_failure_is_left_out() -> None:
    error = connection_error("origin", f"ssh: connect to host far port 22: Connection refused\n{SSH_ADVICE}")
    assert error.message == "origin cannot be reached: ssh: connect to host far port 22: Connection refused"
    assert "it said nothing" not in connection_error("origin", "fatal: the remote end hung up unexpectedly\n").message
