"""A load into a folder where somebody else writes at the same moment: theirs stays, and ours is whole or refused."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from gitreg.blobs import file_io
from gitreg.blobs.cache import prune
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.file_io import PARTIAL
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.store import Store, Target
from gitreg.errors import Refused
from gitreg.progress import NO_PROGRESS, Progress
from tests.blobs.faults import ROOT, python
from tests.blobs.helpers import Watched, contents, put


class Meanwhile(Store):
    """A store beside which something happens when a file is first asked of it."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        super().__init__(store.bucket)
        self._happens: list[Callable[[], object]] = [happens]

    def fetch(self, manifest: Manifest, targets: Sequence[Target], *, progress: Progress = NO_PROGRESS) -> None:
        while self._happens:
            self._happens.pop()()
        super().fetch(manifest, targets, progress=progress)


@pytest.fixture(params=["a new folder", "an empty folder"])
def dest(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    if request.param == "an empty folder":
        folder.mkdir()
    return folder


@pytest.fixture
def other(store: Store, tmp_path: Path) -> Manifest:
    """Another set that has a file of the same name."""
    source = tmp_path / "other"
    source.mkdir()
    (source / "model.safetensors").write_bytes(b"another model")
    (source / "zebra").write_bytes(b"a file of its own")
    return put(store, source)


def test_what_somebody_else_loads_meanwhile_is_taken_as_loaded(
    cache: Cache, store: Store, saved: Manifest, model: Path, dest: Path
) -> None:
    cache.export(saved, Meanwhile(store, lambda: cache.export(saved, store, dest)), dest)
    assert contents(dest) == contents(model)


def test_another_version_that_is_loaded_meanwhile_is_not_mixed_with_this_one(
    cache: Cache, store: Store, saved: Manifest, other: Manifest, dest: Path, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=r"model\.safetensors exists already and differs"):
        cache.export(saved, Meanwhile(store, lambda: cache.export(other, store, dest)), dest)
    assert contents(dest).items() >= contents(tmp_path / "other").items()


def test_a_file_of_the_users_own_that_appears_meanwhile_stays(
    cache: Cache, store: Store, saved: Manifest, dest: Path
) -> None:
    def edit() -> None:
        dest.mkdir(exist_ok=True)
        (dest / "model.safetensors").write_text("my own")

    with pytest.raises(Refused, match=r"model\.safetensors exists already and differs"):
        cache.export(saved, Meanwhile(store, edit), dest)
    assert (dest / "model.safetensors").read_text() == "my own"


def test_what_appears_beside_the_files_meanwhile_stays_beside_them(
    cache: Cache, store: Store, saved: Manifest, model: Path, dest: Path
) -> None:
    def edit() -> None:
        dest.mkdir(exist_ok=True)
        (dest / "notes.txt").write_text("my own")

    cache.export(saved, Meanwhile(store, edit), dest)
    assert contents(dest) == contents(model) | {"notes.txt": b"my own"}


def test_a_file_that_takes_the_folders_name_meanwhile_stays(
    cache: Cache, store: Store, saved: Manifest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(Refused, match="is no folder"):
        cache.export(saved, Meanwhile(store, lambda: out.write_text("my own")), out)
    assert out.read_text() == "my own"
    assert list(tmp_path.glob(PARTIAL.format("*"))) == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["export", "link"])
@pytest.mark.parametrize("is_there", [True, False])
def test_eight_processes_may_load_the_same_into_the_same_folder(
    store_folder: Path, cache: Cache, saved: Manifest, model: Path, tmp_path: Path, way: str, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "out").mkdir()
    load = f"""
import sys, time; from pathlib import Path
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.urls import open_store
store, digest, cache, out, go = sys.argv[1:]
store = open_store(store)
manifest = store.read_manifest(digest, limit=1 << 20)
print(flush=True)
while not Path(go).exists():
    pass
Cache(Path(cache)).{way}(manifest, store, Path(out))
"""
    bucket = Store(Watched(store_folder)).bucket
    bucket.write(f"sha256/{saved.hex[:2]}/{saved.hex}", saved.text)
    started = [
        subprocess.Popen(
            python(load, store_folder, saved.digest, cache.layout.root, tmp_path / "out", tmp_path / "go"),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(8)
    ]  # fmt: skip
    for process in started:
        assert process.stdout
        process.stdout.readline()
    (tmp_path / "go").touch()
    assert [process.communicate()[1] for process in started] == [""] * 8
    assert contents(tmp_path / "out") == contents(model)


def test_a_hard_link_that_is_removed_while_its_file_is_copied_changes_no_byte(
    cache: Cache, store_folder: Path, saved: Manifest, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Store(Watched(store_folder))
    cache.link(saved, far, tmp_path / "linked")
    copy = file_io.copy

    def copy_and_remove(*args: Any) -> int:
        shutil.rmtree(tmp_path / "linked", ignore_errors=True)
        return copy(*args)

    monkeypatch.setattr(file_io, "copy", copy_and_remove)
    cache.export(saved, far, tmp_path / "out")
    assert not (tmp_path / "linked").exists()
    assert contents(tmp_path / "out") == contents(model)


def test_a_file_that_is_damaged_in_the_cache_while_it_is_copied_comes_from_the_store(
    cache: Cache, store_folder: Path, saved: Manifest, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Store(Watched(store_folder))
    damaged = cache.checkout(saved, far) / "model.safetensors"
    copy = file_io.copy

    def damage_and_copy(*args: Any) -> int:
        damaged.chmod(0o644)
        damaged.write_bytes(bytes(damaged.stat().st_size))
        return copy(*args)

    monkeypatch.setattr(file_io, "copy", damage_and_copy)
    cache.export(saved, far, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(model)


@pytest.mark.parametrize("way", ["export", "link"])
def test_a_cache_that_is_emptied_before_it_was_read_from_is_filled_again(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    checkout = Cache.checkout
    emptied: list[object] = []

    def checkout_and_empty(
        self: Cache, manifest: Manifest, store: Store, paths: Collection[str] | None = None, **options: Any
    ) -> Path:
        folder = checkout(self, manifest, store, paths, **options)
        if not emptied:
            emptied.extend(prune.prune(cache.layout, 0, unused_for=0))
        return folder

    monkeypatch.setattr(Cache, "checkout", checkout_and_empty)
    getattr(cache, way)(saved, Store(Watched(store.bucket.local_path("") or Path())), tmp_path / "out")
    assert emptied
    assert contents(tmp_path / "out") == contents(model)


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links_is_written_to_as_well(
    cache: Cache,
    store: Store,
    saved: Manifest,
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refusal: int,
) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", link)
    out = tmp_path / "out"
    out.mkdir()
    cache.export(saved, store, out)
    assert contents(out) == contents(model)
    (out / "model.safetensors").unlink()
    with pytest.raises(Refused, match="differs"):
        cache.export(saved, Meanwhile(store, lambda: (out / "model.safetensors").write_text("my own")), out)
    assert (out / "model.safetensors").read_text() == "my own"


def test_who_admits_the_files_sees_all_of_them_before_one_stands_in_the_folder(
    cache: Cache, store: Store, saved: Manifest, model: Path, dest: Path
) -> None:
    def admit(folder: Path) -> None:
        assert contents(folder) == contents(model)
        assert not dest.exists() or list(dest.iterdir()) == [folder]

    cache.export(saved, store, dest, admit=admit)
    assert contents(dest) == contents(model)


def test_what_is_not_admitted_leaves_nothing_behind(
    cache: Cache, store: Store, saved: Manifest, dest: Path, tmp_path: Path
) -> None:
    if dest.exists():
        (dest / "notes.txt").write_text("my own")
    before = contents(tmp_path)

    def refuse(folder: Path) -> None:
        raise Refused(f"{folder} is not wanted")

    with pytest.raises(Refused, match="is not wanted"):
        cache.export(saved, store, dest, admit=refuse)
    assert contents(tmp_path) == before
    assert not dest.exists() or [path.name for path in dest.iterdir()] == ["notes.txt"]


def test_what_is_there_already_is_shown_to_who_admits_it_and_stays(
    cache: Cache, store: Store, saved: Manifest, model: Path, tmp_path: Path
) -> None:
    shutil.copytree(model, tmp_path / "out")
    (tmp_path / "out" / "run.sh").unlink()
    shown: list[dict[str, bytes]] = []
    inode = (tmp_path / "out" / "model.safetensors").stat().st_ino
    cache.export(saved, store, tmp_path / "out", admit=lambda folder: shown.append(contents(folder)))
    assert shown == [contents(model)]
    assert contents(tmp_path / "out") == contents(model)
    assert (tmp_path / "out" / "model.safetensors").stat().st_ino == inode


def test_what_is_admitted_overwrites_nothing_that_appears_meanwhile(
    cache: Cache, store: Store, saved: Manifest, dest: Path
) -> None:
    def edit(_: Path) -> None:
        dest.mkdir(exist_ok=True)
        (dest / "model.safetensors").write_text("my own")

    with pytest.raises(Refused, match=r"model\.safetensors exists already and differs"):
        cache.export(saved, store, dest, admit=edit)
    assert (dest / "model.safetensors").read_text() == "my own"


INTERRUPTED = """
import os, signal, sys, time; from pathlib import Path
from gitreg.blobs.cache.cache import Cache
from gitreg.blobs.urls import open_store
from tests.blobs.helpers import put
store, cache, dest = open_store(sys.argv[1]), Cache(Path(sys.argv[3])), Path(sys.argv[4])
manifest = put(store, Path(sys.argv[2]))
cache.checkout(manifest, store)
copied = []
class Interrupt:
    def advance(self, number):
        copied.append(number)
        if len(copied) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
try:
    cache.export(manifest, store, dest, progress=Interrupt())
except KeyboardInterrupt:
    print(max(copied), sum(copied))
"""


@pytest.mark.slow
def test_an_interrupt_ends_a_copy_from_the_cache_before_it_is_complete_and_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    size = 128 << 20
    for number in range(2):
        with open(tmp_path / "model" / f"part-{number}", "wb") as stream:
            stream.truncate(size)
    (tmp_path / "there").mkdir()
    command = python(
        INTERRUPTED, *(tmp_path / name for name in ("store", "model", "cache")), tmp_path / "there" / "out"
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    step, copied = map(int, done.stdout.split())
    if step == size:
        pytest.skip("this file system shares blocks: a copy is one step")
    assert copied < 2 * size
    assert list((tmp_path / "there").iterdir()) == []
