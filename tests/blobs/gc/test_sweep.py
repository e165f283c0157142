"""Clearing a store: what goes, what stays, and every interleaving of it with saves, readers and kills."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.blobs import keys as layout
from gitreg.blobs import parallel
from gitreg.blobs.buckets.bucket import ObjectInfo
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.cache.stat_cache import StatCache
from gitreg.blobs.files import collect
from gitreg.blobs.format import chunking
from gitreg.blobs.format.recipe import parse_recipe
from gitreg.blobs.gc import sweep as sweeping
from gitreg.blobs.gc.reachable import ReachableSet
from gitreg.blobs.gc.sweep import find_leftovers, purge, read_unneeded, sweep, undo
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.save import StoreWriter
from gitreg.blobs.store import Store, Target
from gitreg.blobs.trash import trashed
from gitreg.errors import GitregError, IntegrityError

AT_ONCE = -10.0
"""A grace time with which even what was written this moment is old."""

A, B, C = (os.urandom(20 << 10) for _ in range(3))  # big ones, which are cut
SETS = {
    "one": {"big": A + B, "a": b"a", "b": b"b", "middle": b"m" * 2000},
    "same chunks": {"big": A + B + b"more", "a": b"a", "c": b"c", "middle": b"m" * 2000},
    "other": {"big": C, "lonely": b"lonely"},
    "same file": {"again": A + B, "a": b"a"},
    "big pack": {f"{n:03}": C[n * 100 : n * 100 + 100] for n in range(150)},
}


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few kilobytes be a big file, and do one thing after another."""
    monkeypatch.setattr(layout, "SMALL", 1 << 10)
    monkeypatch.setattr(layout, "BIG", 8 << 10)
    for name, size in {"SMALLEST": 256, "USUAL": 1 << 10, "LARGEST": 4 << 10, "_WINDOW": 8 << 10}.items():
        monkeypatch.setattr(chunking, name, size)
    monkeypatch.setattr(parallel, "THREADS", 1)


class Killed(BaseException):
    """What a process does not survive."""


class Watched(FolderBucket):
    """A folder that lets others act before each call, or kills the caller for good."""

    def __init__(self, root: Path, act: Callable[[int], None], kill_at: int | None = None) -> None:
        super().__init__(root)
        self._act = act
        self._kill_at = kill_at
        self.calls = 0

    def tick(self) -> None:
        self.calls += 1
        if self._kill_at is not None and self.calls >= self._kill_at:
            raise Killed
        self._act(self.calls)

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        self.tick()
        return super().read(key, start, stop)

    def find(self, keys: Iterable[str]) -> dict[str, ObjectInfo]:
        self.tick()
        return super().find(keys)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self.tick()
        yield from list(super().list(prefix))

    def write(self, key: str, data: bytes | bytearray | memoryview, sha256: str | None = None) -> None:
        self.tick()
        super().write(key, data)

    def move(self, key: str, to: str) -> None:
        self.tick()
        super().move(key, to)

    def delete(self, keys: Iterable[str]) -> None:
        self.tick()
        super().delete(keys)


class World:
    """A store, the sets that somebody refers to, and a folder with all the files that can be saved."""

    def __init__(self, top: Path) -> None:
        self.root = top / "store"
        self.top = top
        self.bucket = FolderBucket(self.root)
        self.store = Store(self.bucket)
        self.live: dict[str, Manifest] = {}
        for name, files in SETS.items():
            (top / name).mkdir()
            for path, content in files.items():
                (top / name / path).write_bytes(content)
        self.known = StatCache(top / "known", lambda: time.time() + 60)

    def save(self, name: str, through: Store | None = None) -> Iterator[None]:
        """Save as the SDK does, a step at a time."""
        with StoreWriter(through or self.store, self.known) as under_way:
            files = collect([self.top / name])
            manifest = under_way.put(files)
            yield
            under_way.hold()
            yield
            self.live[name] = manifest
            yield
            if under_way.lost():
                under_way.put(files)
                assert not under_way.lost()
        self.known.close()
        self.known = StatCache(self.top / "known", lambda: time.time() + 60)

    def look(self) -> list[Manifest]:
        return list(self.live.values())

    def check(self, names: Iterable[str] | None = None) -> None:
        """Everything live loads whole."""
        for name in self.live if names is None else names:
            with TemporaryDirectory(dir=self.top) as where:
                self.load(name, Path(where))

    def load(self, name: str, where: Path) -> None:
        manifest = self.live[name]
        self.store.fetch(manifest, [Target(entry, where / entry.path) for entry in manifest.files])
        assert {path.name: path.read_bytes() for path in where.iterdir()} == SETS[name]

    def keys(self, *folders: str) -> set[str]:
        return {info.key for folder in folders for info in self.bucket.list(folder)}

    @property
    def weights(self) -> set[str]:
        return self.keys(layout.BLOBS, layout.PACKS, layout.RECIPES)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.known.close()


def saved(world: World, *names: str) -> World:
    for name in names:
        list(world.save(name))
    return world


# -- what goes ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_no_live_set_needs_goes_to_the_trash_and_the_rest_stays(world: World) -> None:
    saved(world, "one")
    only = world.weights
    saved(world, "same chunks", "other", "big pack")
    others = world.weights - only
    for name in ("same chunks", "other", "big pack"):
        del world.live[name]
    shown = find_leftovers(world.store, world.look, grace=AT_ONCE)
    assert {one.key for one in shown} == others
    assert {one.reason for one in shown} == {"unused"}
    assert world.weights == only | others, "so far it was only shown"
    spared = find_leftovers(world.store, world.look, grace=3600)
    assert {(one.key, one.reason) for one in spared} == {(key, "recent") for key in others}
    assert {one.whole for one in spared} == {one.whole for one in shown}
    taken = sweep(world.store, world.look, grace=AT_ONCE)
    assert sorted(taken) == sorted(shown)
    assert world.weights == only
    world.check()
    thrown = find_leftovers(world.store, world.look, grace=AT_ONCE)
    assert {(one.key, one.reason) for one in thrown} == {(key, "trash") for key in others}


@pytest.mark.slow
def test_a_leftover_says_of_which_file_or_set_it_was_in_the_store_and_in_the_trash(world: World) -> None:
    saved(world, "one", "big pack")
    big = next(entry.sha256 for entry in world.live["one"].files if entry.path == "big")
    packs = {manifest.hex for manifest in world.live.values()}
    alone = {entry.sha256 for entry in world.live["one"].files if entry.path == "middle"}
    world.live.clear()
    wholes = {big} | packs | alone
    assert {one.whole for one in find_leftovers(world.store, world.look, grace=AT_ONCE)} == wholes
    assert {one.whole for one in sweep(world.store, world.look, grace=AT_ONCE)} == wholes
    assert {one.whole for one in find_leftovers(world.store, world.look, grace=AT_ONCE)} == wholes


def test_what_is_younger_than_the_grace_time_stays(world: World) -> None:
    saved(world, "one")
    world.live.clear()
    assert sweep(world.store, world.look, grace=60) == []


def test_old_chunks_of_a_young_list_stay_for_a_save_may_rely_on_the_list(world: World) -> None:
    saved(world, "one")
    world.live.clear()
    age(world, world.weights - world.keys(layout.RECIPES))
    shown = find_leftovers(world.store, world.look, grace=60)
    assert {one.key for one in shown if one.reason == "recent"} > world.keys(layout.RECIPES)
    gone = sweep(world.store, world.look, grace=60)
    assert sorted(gone) == sorted(one for one in shown if one.reason != "recent")
    assert {one.key.partition("/")[0] for one in gone} == {"packs", "sha256"}
    list(world.save("one"))
    world.check()


@pytest.mark.slow
def test_what_a_young_hold_names_stays_with_its_chunks_and_an_old_hold_goes_itself(world: World) -> None:
    saved(world, "one", "other")
    files = world.live.pop("other").files
    world.live.clear()
    big = next(layout.recipe(entry.sha256) for entry in files if entry.path == "big")
    world.bucket.write("holds/a.json", json.dumps([big]).encode())
    world.bucket.write("holds/foreign.json", b"no list")
    sweep(world.store, world.look, grace=AT_ONCE)
    assert big in world.weights
    assert len(world.weights) > 3
    age(world, ["holds/a.json"])
    gone = {one.key for one in sweep(world.store, world.look, grace=AT_ONCE)}
    assert {"holds/a.json", big} <= gone
    assert world.weights == set()


def test_what_is_no_hold_of_ours_holds_nothing(world: World) -> None:
    saved(world, "one")
    for name, text in (("number", b"7"), ("text", b'"x"'), ("half", b"["), ("keys", b"[7, null]")):
        world.bucket.write(f"{layout.HOLDS}{name}.json", text)
    assert sweep(world.store, world.look, grace=3600) == []
    world.check()


def test_what_a_killed_writer_left_goes_after_a_day_and_what_is_being_written_does_not(world: World) -> None:
    saved(world, "one")
    (world.root / "tmp" / "old").write_bytes(b"half")
    (world.root / "tmp" / "young").write_bytes(b"half")
    age(world, ["tmp/old"])
    assert [(one.key, one.reason) for one in sweep(world.store, world.look, grace=AT_ONCE)] == [
        ("tmp/old", "unfinished")
    ]
    assert os.listdir(world.root / "tmp") == ["young"]


def test_a_damaged_object_stays_set_aside_until_it_is_mended_or_needed_no_more(world: World) -> None:
    saved(world, "one")
    key = next(layout.blob(entry.sha256) for entry in world.live["one"].files if entry.path == "middle")
    good = world.bucket.read(key)
    world.bucket.write(layout.DAMAGED + key, b"x" + good[1:])
    world.bucket.delete([key])
    assert sweep(world.store, world.look, grace=AT_ONCE) == [], "it is all that is left of it"
    world.bucket.write(key, good)
    assert [one.reason for one in sweep(world.store, world.look, grace=AT_ONCE)] == ["damaged"]
    undo(world.store)
    assert world.keys(layout.DAMAGED) == {layout.DAMAGED + key}


def test_a_list_of_chunks_that_cannot_be_read_stops_the_collection(world: World) -> None:
    saved(world, "one", "other")
    del world.live["other"]
    recipe = next(layout.recipe(entry.sha256) for entry in world.live["one"].files if entry.path == "big")
    world.bucket.write(recipe, b"gitreg-recipe 1\n")
    before = world.weights
    for work in (find_leftovers, sweep, purge):
        with pytest.raises(IntegrityError, match=recipe):
            work(world.store, world.look, grace=AT_ONCE)
    assert world.weights == before


def test_what_is_none_of_ours_is_never_touched(world: World) -> None:
    saved(world, "one")
    foreign = {"sha256/ab/notes.txt", "sha256/zz/" + "0" * 64, "packs/README", "trash/hello", "trash/sha256/x.1"}
    for key in foreign:
        world.bucket.write(key, b"mine")
    age(world, foreign)
    world.live.clear()
    sweep(world.store, world.look, grace=AT_ONCE)
    purge(world.store, world.look, grace=AT_ONCE)
    assert foreign == world.weights | world.keys(layout.TRASH)


def test_what_is_published_while_it_is_taken_is_back_in_its_place_when_the_collection_ends(world: World) -> None:
    saved(world, "one")
    manifest = world.live.pop("one")
    before = world.weights
    bucket = Watched(world.root, lambda _: None)
    looks: list[list[Manifest]] = []

    def look() -> list[Manifest]:
        looks.append([manifest] if looks else [])
        assert bool(world.weights) == (len(looks) == 1), "all of it was taken"
        return looks[-1]

    assert sweep(Store(bucket), look, grace=AT_ONCE) == []
    assert world.weights == before


# -- undo and purge ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_undo_returns_all_and_what_was_returned_is_young(world: World) -> None:
    saved(world, "one", "other")
    before = world.weights
    manifests = dict(world.live)
    world.live.clear()
    age(world, before)
    taken = sweep(world.store, world.look, grace=60)
    assert {one.key for one in taken} == before
    assert {one.key for one in undo(world.store)} == before
    assert world.weights == before
    assert undo(world.store) == []
    assert sweep(world.store, world.look, grace=60) == []
    world.live = manifests
    world.check()


@pytest.mark.slow
def test_purge_removes_what_lay_in_the_trash_for_the_grace_time_and_returns_what_is_live(world: World) -> None:
    saved(world, "one", "other")
    one = world.live.pop("one")
    other = world.live.pop("other")
    sweep(world.store, world.look, grace=AT_ONCE)
    assert purge(world.store, world.look, grace=3600) == []
    world.live["one"] = one
    gone = purge(world.store, world.look, grace=AT_ONCE)
    assert {layout.blob(entry.sha256) for entry in other.files if entry.path == "lonely"} <= {item.key for item in gone}
    assert world.keys(layout.TRASH) == set()
    world.check()


@pytest.mark.slow
def test_purge_keeps_old_chunks_of_a_list_that_it_keeps(world: World) -> None:
    saved(world, "one")
    one = dict(world.live)
    world.live.clear()
    sweep(world.store, world.look, grace=AT_ONCE)
    for place in world.keys(layout.TRASH) - world.keys(layout.TRASH + layout.RECIPES):  # as if trashed long ago
        world.bucket.move(place, f"{place.rpartition('.')[0]}.1000-00000000")
    assert {item.key.partition("/")[0] for item in purge(world.store, world.look, grace=3600)} == {"packs", "sha256"}
    undo(world.store)
    big = [entry for entry in one["one"].files if entry.path == "big"]
    world.store.fetch(one["one"], [Target(entry, world.top / "back") for entry in big])
    assert (world.top / "back").read_bytes() == A + B


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"", b"x", None])
@pytest.mark.parametrize("act", ["collect", "undo", "purge"])
def test_what_was_saved_again_is_never_replaced_by_what_is_in_the_trash(
    world: World, damage: bytes | None, act: str
) -> None:
    saved(world, "one")
    world.live.clear()
    sweep(world.store, world.look, grace=AT_ONCE)
    for key in world.keys(layout.TRASH):
        place = world.bucket.local_path(key)
        assert place
        place.chmod(0o644)
        place.write_bytes(bytes(place.stat().st_size) if damage is None else damage)
    saved(world, "one")
    if act == "collect":
        assert sweep(world.store, world.look, grace=3600) == []
    elif act == "undo":
        assert undo(world.store) == []
    else:
        assert {one.key for one in purge(world.store, world.look, grace=AT_ONCE)} == world.weights
        assert world.keys(layout.TRASH) == set()
    world.check()


def test_a_manifest_in_the_trash_is_read_and_stays_there(world: World) -> None:
    with StoreWriter(world.store, world.known) as under_way:
        manifest = under_way.put(collect([world.top / "one"]))
        under_way.put_manifest(manifest)
    assert read_unneeded(world.store, manifest.digest) == manifest
    sweep(world.store, world.look, grace=AT_ONCE)
    assert read_unneeded(world.store, manifest.digest) == manifest
    assert world.weights == set()
    purge(world.store, world.look, grace=AT_ONCE)
    assert read_unneeded(world.store, manifest.digest) is None


# -- readers -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SETS))
def test_a_reader_takes_what_is_live_out_of_the_trash(world: World, name: str, tmp_path: Path) -> None:
    saved(world, name)
    sweep(world.store, list, grace=AT_ONCE)
    assert world.weights == set()
    assert world.store.missing(world.look()) == {}
    world.check()
    assert world.keys(layout.TRASH) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SETS))
def test_a_reader_that_may_not_write_reads_from_the_trash(world: World, name: str) -> None:
    saved(world, name)
    sweep(world.store, list, grace=AT_ONCE)

    class ReadOnly(FolderBucket):
        def move(self, key: str, to: str) -> None:
            raise GitregError(f"cannot move {key} to {to}: Permission denied")

    before = world.keys("")
    world.store = Store(ReadOnly(world.root))
    assert world.store.missing(world.look()) == {}
    world.check()
    assert world.keys("") == before


@pytest.mark.slow
def test_a_reader_beside_a_collection_that_moves_a_file_at_any_moment_never_fails(world: World) -> None:
    saved(world, "one", "big pack")
    for moment in range(1, 60):

        def act(call: int, moment: int = moment) -> None:
            if call == moment:
                sweep(world.store, list, grace=AT_ONCE)

        quiet, world.store = world.store, Store(Watched(world.root, act))
        world.check()
        world.store = quiet


# -- interleavings -----------------------------------------------------------------------------------------------------

WORK: dict[str, Callable[[Store, sweeping.Live], object]] = {
    "sweep": lambda store, look: sweep(store, look, grace=AT_ONCE),
    "purge": lambda store, look: purge(store, look, grace=AT_ONCE),
    "undo": lambda store, _: undo(store),
    "show": lambda store, look: find_leftovers(store, look, grace=AT_ONCE),
}
names = st.sampled_from(sorted(SETS))
works = st.tuples(st.sampled_from(["sweep", "sweep", "purge", "undo", "show"]), st.none() | st.integers(1, 80))
moments = st.sets(st.integers(1, 120), max_size=4)
many = settings(
    max_examples=int(os.environ.get("GITREG_EXAMPLES", "12")),
)


def do(world: World, work: str, kill_at: int | None, act: Callable[[int], None]) -> bool:
    """Do it, or be killed at some call; say whether it came to its end."""
    bucket = Watched(world.root, act, kill_at)

    def look() -> list[Manifest]:
        bucket.tick()
        found = world.look()
        bucket.tick()
        return found

    with suppress(Killed):
        WORK[work](Store(bucket), look)
        return True
    return False


def finish(world: World, *, killed: bool) -> None:
    """What is live is whole, and lies where it belongs; two more runs leave it, and nothing else."""
    if not killed:
        needed = ReachableSet(world.bucket, world.look, held_since=0, written_since=time.time())
        assert {one.key for one in trashed(world.bucket) if one.key in needed} <= world.weights
    world.check()
    do(world, "sweep", None, lambda _: None)
    world.check()
    do(world, "purge", None, lambda _: None)
    assert world.keys(layout.TRASH, layout.HOLDS) == set()
    kept = world.weights
    world.check()
    assert find_leftovers(world.store, world.look, grace=AT_ONCE) == []
    assert world.weights == kept


@pytest.mark.slow
@pytest.mark.parametrize("work", ["sweep", "undo", "purge"])
def test_a_run_killed_at_any_call_leaves_no_list_without_its_chunks_and_ends_well_when_run_again(
    world: World, work: str
) -> None:
    saved(world, "one", "other")
    kept, gone = world.live.pop("one"), world.live.pop("other")
    world.live["one"] = kept
    ended = False
    for kill_at in count(1):
        if ended:
            break
        if work != "sweep":
            sweep(world.store, world.look, grace=AT_ONCE)
        ended = do(world, work, kill_at, lambda _: None)
        for recipe in world.keys(layout.RECIPES):
            chunks = {layout.blob(chunk.sha256) for chunk in parse_recipe(world.bucket.read(recipe))}
            assert chunks <= world.weights
        do(world, work, None, lambda _: None)
        world.check()
        there = {layout.blob(entry.sha256) for entry in gone.files if entry.path == "lonely"} <= world.weights
        assert there == (work == "undo")
        list(world.save("other"))
        del world.live["other"]


@pytest.mark.slow
@pytest.mark.parametrize("held", [True, False])
@many
@given(
    begun=st.sets(names, max_size=3), deleted=st.sets(names), saving_=names,
    plan=st.lists(st.tuples(works, moments), min_size=1, max_size=4),
)  # fmt: skip
def test_a_save_that_goes_on_at_any_moment_of_collections_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
    held: bool,
    begun: set[str],
    deleted: set[str],
    saving_: str,
    plan: list[tuple[tuple[str, int | None], set[int]]],
) -> None:
    monkeypatch.setattr(sweeping, "WRITING", 86400.0 if held else AT_ONCE)
    with TemporaryDirectory() as top:
        world = saved(World(Path(top)), *sorted(begun))
        for name in deleted:
            world.live.pop(name, None)
        steps = world.save(saving_)
        for (work, kill_at), goes_on in plan:
            do(world, work, kill_at, lambda call, at=goes_on: next(steps, None) if call in at else None)  # type: ignore[misc]
        for _ in steps:
            pass
        finish(world, killed=any(kill_at for (_, kill_at), _ in plan))
        world.known.close()


@pytest.mark.slow
@pytest.mark.parametrize("held", [True, False])
@many
@given(
    begun=st.sets(names, max_size=3), deleted=st.sets(names), saving_=names,
    plan=st.dictionaries(st.integers(1, 90), works, min_size=1, max_size=4),
)  # fmt: skip
def test_collections_at_any_moment_of_a_save_lose_nothing(
    monkeypatch: pytest.MonkeyPatch,
    held: bool,
    begun: set[str],
    deleted: set[str],
    saving_: str,
    plan: dict[int, tuple[str, int | None]],
) -> None:
    monkeypatch.setattr(sweeping, "WRITING", 86400.0 if held else AT_ONCE)
    with TemporaryDirectory() as top:
        world = saved(World(Path(top)), *sorted(begun))
        for name in deleted:
            world.live.pop(name, None)

        def act(call: int) -> None:
            if call in plan:
                do(world, *plan[call], lambda _: None)

        bucket = Watched(world.root, act)
        for _ in world.save(saving_, Store(bucket)):
            bucket.tick()
        finish(world, killed=any(kill_at for _, kill_at in plan.values()))
        world.known.close()


def age(world: World, keys: Iterable[str]) -> None:
    """Let objects be a month old."""
    for key in keys:
        os.utime(world.root / key, (time.time() - 30 * 86400,) * 2)
