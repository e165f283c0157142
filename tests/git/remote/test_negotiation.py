"""What is sent and said to another repository, beside what git says is missing there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import NotFound
from gitreg.git import Repository
from gitreg.git.remote.negotiation import Haves, to_send
from gitreg.git.remote.protocol import Remote
from tests.git.conftest import ADA, git
from tests.git.faraway import MAIN, World, by_http
from tests.servers.gitremotes import Far

NOWHERE: frozenset[str] = frozenset()


Reachable = dict[str, set[str]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, Reachable]]:
    """Lines that part and meet, files that come, change back and go, tags, lying clocks: and what each leads to."""
    folder = tmp_path_factory.mktemp("history")
    env = {"PATH": "", "HOME": str(folder), "GIT_CONFIG_SYSTEM": os.environ["GIT_CONFIG_SYSTEM"]}
    git(folder, env, "init", "-q", "-b", "main")
    stream = []
    for number in range(1, 25):
        when = 1_700_000_000 + number * 10 - (40 if number % 7 == 0 else 0)
        stream += ["commit refs/heads/main", f"mark :{number}", f"committer A <a@x> {when} +0000", "data 0"]
        if number > 1:
            stream.append(f"from :{max(1, number - (3 if number % 5 == 3 else 1))}")
        if number % 5 == 0:
            stream.append(f"merge :{number - 3}")
        path = f"d{number % 3}/f{number % 4}"
        content = str(number % 6)
        stream += [f"M 100644 inline {path}", f"data {len(content)}", content]
        stream += [f"D d{number % 2}/f{number % 4}"] if number % 6 == 0 else []
        stream += [f"tag v{number}", f"from :{number}", f"tagger A <a@x> {when} +0000", "data 0"]
    git(folder, env, "fast-import", "--quiet", "--force", stdin="\n".join([*stream, ""]))
    tags = git(folder, env, "for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/").splitlines()
    reachable = {}
    for oid in (oid for line in tags for oid in line.split(" ")):
        said = git(folder, env, "rev-list", "--objects", oid)
        reachable[oid] = {oid, *(line.split(" ")[0] for line in said.splitlines())}
    with Repository.discover(folder, env=env) as repository:
        yield repository, reachable


@pytest.mark.slow
@given(data=st.data())
def test_all_that_is_missing_is_sent_and_little_else(
    history: tuple[Repository, Reachable], data: st.DataObject
) -> None:
    repository, reachable = history
    some = st.lists(st.sampled_from(list(reachable)), max_size=3)
    wanted, theirs = data.draw(some), data.draw(some)
    sent = to_send(repository._objects, wanted, [*theirs, "0" * 40], NOWHERE)
    has = {oid for each in theirs for oid in reachable[each]}
    needed = {oid for each in wanted for oid in reachable[each]}
    assert needed - has <= set(sent) <= needed
    assert len(set(sent)) == len(sent)


@pytest.mark.slow
def test_one_more_commit_on_a_long_line_is_all_that_is_looked_at(plain: Repository) -> None:
    oids: list[str | None] = [None]
    for number in range(60):
        oids.append(
            plain.build_commit(oids[-1], {f"d{number % 9}/f": b"%d" % number}, message="", author=ADA, committer=ADA)
        )
    (plain.common_dir / "objects" / str(oids[5])[:2] / str(oids[5])[2:]).unlink()  # who goes there fails
    new = to_send(plain._objects, [str(oids[60])], [str(oids[59])], NOWHERE)
    assert len(new) == 4  # the commit, its tree, a folder, a file


def test_what_is_not_here_cannot_be_sent(plain: Repository) -> None:
    with pytest.raises(NotFound):
        to_send(plain._objects, ["1" * 40], [], NOWHERE)


def test_commits_are_told_newest_first_and_none_before_one_that_the_other_side_has(plain: Repository) -> None:
    oids: list[str] = []
    for number in range(6):
        who = ADA._replace(time=ADA.time + number)
        parent = oids[-1] if oids else None
        oids.append(plain.build_commit(parent, {"a": b"%d" % number}, message="", author=who, committer=who))
    haves = Haves(plain._objects, [oids[5]], NOWHERE)
    told = [next(haves), next(haves)]
    haves.ack(oids[4].encode())  # type: ignore[arg-type]
    assert told == [oids[5].encode(), oids[4].encode()]
    assert next(haves) is None
    cut_off = Haves(plain._objects, [oids[5]], frozenset({oids[4]}))
    assert [next(cut_off), next(cut_off), next(cut_off)] == [oids[5].encode(), oids[4].encode(), None]
    assert cut_off.shallow == {oids[4].encode()}


@by_http
def test_a_small_fetch_leaves_no_pack_and_a_large_one_leaves_one(
    world: World, far: Far, here: Repository, remote: Remote, way: tuple[str, str], tmp_path: Path
) -> None:
    packs = here.common_dir / "objects" / "pack"
    for number in range(3):
        tip = world.somebody_else_pushes(files=number + 1)
        remote.fetch([f"+{MAIN}:refs/x/main"])
    assert not list(packs.glob("*"))
    assert here.read(tip, "f2") == b"theirs 2"
    tip = world.somebody_else_pushes(files=150)
    remote.fetch([f"+{MAIN}:refs/x/main"])
    assert len(list(packs.glob("*.pack"))) == 1
    assert here.read(tip, "f149") == b"theirs 149"
    assert world.is_whole()
