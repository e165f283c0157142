"""When commits came, by committers, by the branch's order and by what was seen here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.git import Commit, Identity, Repository
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.dates import Dates, dated_after, misdated
from gitreg.registry.state.receipts import Receipt, damaged_receipts, read_receipts, receipts_path, write_receipt
from tests.disk import Disk
from tests.registry.support import World, git

MAIN = "refs/heads/main"


def oid(seq: int) -> str:
    return f"{seq:040x}"


def commit(time: int, seq: int = 1) -> Commit:
    who = Identity("Ada", "ada@example.com", time, 0)
    return Commit(oid(seq), "0" * 40, (), who, who, "m")


def world_of(world: World, *times: int) -> World:
    """Let a branch have commits of these dates alone."""
    world.index.rewind(0)
    world.index.extend((commit(time, seq), (), False) for seq, time in enumerate(times, start=1))
    return world


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    git(tmp_path, "init", "-q", "-b", "main", "here")
    with Repository.discover(tmp_path / "here", env={}) as found:
        yield found


def seen(repository: Repository, *lines: tuple[int, int, str]) -> RegistryBranch:
    """Note that the branch was at places, each at a time."""
    for seq, at, by in lines:
        with repository.lock(timeout=1):
            assert write_receipt(repository, Receipt(MAIN, oid(seq), at, by))
    return RegistryBranch(repository, "main")


@pytest.mark.parametrize(
    ("times", "now", "came", "soaked"),
    [
        ((10, 20, 30), 90, [10, 20, 30], [10, 20, 30]),
        ((10, 40, 30), 90, [10, 40, 40], [10, 40, 40]),  # set back: as late as the latest before it
        ((10, 99, 30), 90, [10, 10, 30], [10, 90, 30]),  # after now: left out, and nothing soaks by it
        ((10, 20, 99), 90, [10, 20, 90], [10, 20, 90]),
        ((99, 20, 30), 90, [90, 20, 30], [90, 20, 30]),
        ((99, 99), 90, [90, 90], [90, 90]),
        ((10, 10, 10), 10, [10, 10, 10], [10, 10, 10]),
    ],
)
def test_without_receipts_the_committers_and_the_order_tell(
    world: World, times: tuple[int, ...], now: int, came: list[int], soaked: list[int]
) -> None:
    dates = Dates(world_of(world, *times).index, now)
    places = range(1, len(times) + 1)
    assert [dates.came(seq) for seq in places] == [(time, False) for time in came]
    assert [dates.seen(seq) for seq in places] == [(time, False) for time in soaked]


def test_a_push_dates_what_it_brought_and_a_first_look_does_not(world: World, repository: Repository) -> None:
    index = world_of(world, 10, 20, 21, 22, 60).index
    branch = seen(repository, (2, 50, "hooks install"), (4, 55, "post-receive"))
    dates = Dates(index, 90, branch)
    assert [dates.seen(seq) for seq in range(1, 6)] == [(50, True), (50, True), (55, True), (55, True), (60, False)]
    assert [dates.came(seq) for seq in range(1, 6)] == [(10, False), (20, False), (55, True), (55, True), (60, False)]
    assert [dates.newest(time, 5) for time in (9, 10, 22, 54, 55, 59, 60)] == [None, 1, 2, 2, 4, 4, 5]


def test_what_follows_the_last_receipt_is_no_older(world: World, repository: Repository) -> None:
    dates = Dates(world_of(world, 10, 11).index, 90, seen(repository, (1, 50, "sync")))
    assert [dates.seen(1), dates.seen(2)] == [(50, True), (50, True)]
    assert [dates.came(1), dates.came(2)] == [(10, False), (11, False)]


def test_what_is_being_pushed_is_seen_now(world: World, repository: Repository) -> None:
    dates = Dates(world_of(world, 10, 11, 12).index, 90, seen(repository, (1, 50, "post-receive")), before_push=oid(1))
    assert [dates.seen(seq) for seq in (1, 2, 3)] == [(50, True), (90, True), (90, True)]
    assert dates.came(3) == (90, True)


def test_times_of_receipts_only_grow_and_those_of_other_branches_and_of_the_future_do_not_count(
    world: World, repository: Repository
) -> None:
    index = world_of(world, 10, 11, 12).index
    lines = [(1, 50, "post-receive"), (2, 40, "post-receive"), (3, 99, "post-receive")]
    branch = seen(repository, *lines)
    dates = Dates(index, 90, branch)
    assert [dates.seen(seq) for seq in (1, 2, 3)] == [(50, True)] * 3
    with repository.lock(timeout=1):
        write_receipt(repository, Receipt("refs/heads/other", oid(3), 80, "post-receive"))
        write_receipt(repository, Receipt(MAIN, "f" * 40, 85, "post-receive"))  # no commit of the branch any more
    assert Dates(index, 90, branch).seen(3) == (50, True)


def test_damaged_receipts_are_told_and_the_others_stand(repository: Repository) -> None:
    seen(repository, (1, 50, "post-receive"))
    path = receipts_path(repository)
    sound = json.loads(path.read_text())
    wrong = [
        b"", b"{", b"[]", b"\xff", b"7", b"[" * 5000, b'{"a": 1}', json.dumps(sound | {"at": "50"}).encode(),
        json.dumps(sound | {"at": True}).encode(), json.dumps(sound | {"at": -1}).encode(),
        json.dumps(sound | {"at": 10**30}).encode(), json.dumps(sound | {"commit": None}).encode(),
        json.dumps(sound | {"more": 1}).encode(), b'{"ref": "refs/heads/main", "comm',  # cut off by a crash
    ]  # fmt: skip
    with path.open("ab") as file:
        file.write(b"\n".join(wrong))
    seen(repository, (2, 60, "post-receive"), (3, 55, "sync"))
    assert [each.at for each in read_receipts(repository, MAIN)] == [50, 60, 55]
    told = dict(damaged_receipts(repository))
    assert list(told) == [*range(2, 2 + len(wrong)), 3 + len(wrong)]
    assert "before an earlier line's" in told[len(wrong) + 3]
    assert path.read_bytes().count(b"\n") == len(wrong) + 3


def test_a_branch_that_did_not_move_gets_no_receipt_anew(repository: Repository) -> None:
    seen(repository, (1, 50, "sync"))
    with repository.lock(timeout=1):
        assert not write_receipt(repository, Receipt(MAIN, oid(1), 60, "post-receive"))
    assert len(read_receipts(repository, MAIN)) == 1


@pytest.mark.parametrize(
    ("time", "parent", "now", "says"),
    [
        (20, 10, 30, None),
        (20, 20, 20, None),
        (20, None, 20, None),
        (19, 20, 30, "dated 1970-01-01T00:00:19Z, before its parent (1970-01-01T00:00:20Z)"),
        (19, 20, None, "before its parent"),
        (630, 10, 30, None),  # ten minutes are forgiven
        (631, 10, 30, "yet to come"),
        (631, 700, 30, "yet to come"),
        (20, 700, 30, None),  # a parent from the future says nothing: else nothing could follow it
    ],
)
def test_a_move_is_dated_after_its_parent_and_not_after_now(
    time: int, parent: int | None, now: int | None, says: str | None
) -> None:
    what = misdated(commit(time), None if parent is None else commit(parent), now)
    assert what is None if says is None else says in (what or "")


def test_a_writer_dates_no_commit_before_its_parent_unless_that_is_nonsense() -> None:
    ada = Identity("Ada", "ada@example.com", 100, 0)
    assert dated_after(ada, commit(50)).time == 100
    assert dated_after(ada, commit(5000)).time == 5000
    assert dated_after(ada, commit(10**9)).time == 100


def test_a_receipt_is_on_the_disk_and_so_is_the_folder_of_the_first(repository: Repository, disk: Disk) -> None:
    seen(repository, (1, 50, "sync"))
    path = receipts_path(repository)
    assert disk.was_synced(path)
    assert disk.was_synced(path.parent)
