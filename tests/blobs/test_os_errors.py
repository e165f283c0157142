"""Real faults: a killed process, a full or failing disk, a limit, an impatient user, many at once, little memory."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitreg.blobs import keys
from gitreg.blobs.buckets.folder import FolderBucket
from gitreg.blobs.store import Store
from tests.blobs.faults import (
    CHECK,
    LOAD,
    PUT,
    ROOT,
    SMALL_SIZES,
    assert_whole,
    in_namespace,
    injected,
    left_in,
    need_strace,
    python,
    run,
)
from tests.blobs.helpers import contents, fetch, put
from tests.measuring import measured

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOMENTS = (1, 2, 3, 4, 5, 7, 9, 12, 16, 20, 26, 34, 50, 80)


@pytest.fixture
def varied(tmp_path: Path) -> Path:
    """Files of each kind, by the sizes of SMALL_SIZES: packed, plain, in chunks."""
    folder = tmp_path / "varied"
    folder.mkdir()
    sizes = {"a.json": 10, "b.json": 900, "middle-1": 2000, "middle-2": 3000, "big-1": 20_000, "big-2": 30_000}
    for name, size in sizes.items():
        (folder / name).write_bytes(os.urandom(size))
    return folder


# -- killed, or refused by the disk ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize(
    "call", ["pwrite64", "fsync", "rename", "mkdir", "fchmod", "unlink", "close", "preadv,preadv2"]
)
def test_a_save_killed_at_any_moment_leaves_only_what_is_whole_and_runs_again(
    varied: Path, tmp_path: Path, call: str
) -> None:
    killed = 0
    for moment in MOMENTS:
        folder = tmp_path / f"{call}-{moment}"
        ended = injected(f"{call}:signal=KILL:when={moment}", python(SMALL_SIZES + PUT, folder, varied))
        store = Store(FolderBucket(folder))
        assert_whole(store.bucket)
        if ended.returncode == 0:
            break
        assert ended.returncode in (-9, 137), ended.stderr
        killed += 1
        manifest = put(store, varied)
        assert_whole(store.bucket)
        assert store.missing([manifest]) == {}
        assert contents(fetch(store, manifest, tmp_path / "out")) == contents(varied)
        shutil.rmtree(tmp_path / "out")
        for left in list(store.bucket.unfinished()):
            store.bucket.discard(left)
        assert left_in(folder) == []
    assert killed


@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize("error", ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES"])
@pytest.mark.parametrize("call", ["pwrite64", "fsync", "rename", "preadv,preadv2"])
def test_whatever_call_the_disk_refuses_is_said_in_words_and_running_again_succeeds(
    varied: Path, tmp_path: Path, call: str, error: str
) -> None:
    refused = 0
    for moment in MOMENTS if error == "EIO" else MOMENTS[:3:2]:
        folder = tmp_path / f"{call}-{moment}"
        ended = injected(f"{call}:error={error}:when={moment}", python(SMALL_SIZES + PUT, folder, varied))
        store = Store(FolderBucket(folder))
        assert_whole(store.bucket)
        if ended.returncode == 0:
            break
        refused += 1
        assert ended.returncode == 1, ended
        assert re.fullmatch(r"cannot (save to the store|read what is to be saved): .*: [^:|]+ \| .+\n", ended.stderr)
        assert left_in(folder) == []
        manifest = put(store, varied)
        assert store.missing([manifest]) == {}
        assert_whole(store.bucket)
    assert refused


@pytest.mark.parametrize("call", ["rename", "copy_file_range", "fsync", "fchmod", "pwrite64"])
def test_a_load_killed_at_any_moment_leaves_nothing_wrong_and_runs_again(
    varied: Path, tmp_path: Path, call: str
) -> None:
    load = python(SMALL_SIZES + LOAD, tmp_path / "store", varied, tmp_path / "cache", tmp_path / "out")
    run(python(SMALL_SIZES + PUT, tmp_path / "store", varied))
    expected = contents(varied)
    for moment in range(1, 25, 3):
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        killed = injected(f"{call}:signal=KILL:when={moment}", load)
        for folder in (tmp_path / "out", *(tmp_path / "cache" / "artifacts").glob("*")):
            seen = contents(folder) if folder.exists() else {}
            assert {name: data for name, data in seen.items() if ".gitreg-" not in name}.items() <= expected.items()
        again = run(load)
        assert (again.returncode, again.stderr) == (0, "")
        assert contents(tmp_path / "out") == expected  # and no partial file beside them
        if killed.returncode == 0:
            break
        [folder] = (tmp_path / "cache" / "artifacts").iterdir()
        assert contents(folder) == expected


def test_names_are_given_to_what_is_on_the_disk_and_recipes_after_their_chunks(varied: Path, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "store"
    traced = [need_strace(), "-f", "-y", "-o", str(log), "-e", "trace=?fsync,?rename,?renameat,?renameat2"]
    assert run([*traced, *python(SMALL_SIZES + PUT, folder, varied)]).returncode == 0
    synced: set[str] = set()  # files and folders that were synced since something was renamed into them
    named: list[str] = []
    for line in log.read_text().splitlines():
        if fsync := re.search(r"fsync\(\d+<([^>]+)>", line):
            synced.add(fsync[1])
        elif (rename := re.search(r'rename\w*\(.*?"([^"]+)".*?"([^"]+)"', line)) and "ENOENT" not in line:
            source, target = rename[1], rename[2]
            if os.path.isdir(target):
                continue
            assert source in synced, f"{target} got its name before its bytes were on the disk"
            if target.startswith(f"{folder}/recipes/") and not any("/recipes/" in name for name in named):
                assert_durable(named, synced, folder)
            named.append(target)
            synced.discard(os.path.dirname(target))
    assert [sum(f"/{kind}/" in name for name in set(named)) for kind in ("recipes", "packs")] == [2, 1]
    assert sum("/sha256/" in name for name in named) > 20
    assert_durable(named, synced, folder)


def assert_durable(named: list[str], synced: set[str], folder: Path) -> None:
    """The folders on the way to each of these names were synced since they were given."""
    for name in named:
        for parent in Path(name).parents:
            if parent.is_relative_to(folder):
                assert str(parent) in synced, f"{parent} was not synced after {name}"


# -- a full disk, limits, a read-only disk ---------------------------------------------------------------------------


def test_a_full_disk_is_an_error_in_words_and_with_more_room_the_save_succeeds(varied: Path, tmp_path: Path) -> None:
    """From disks that hold nothing to one that holds all, so that every write fails at some size."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / "put.py").write_text(SMALL_SIZES + PUT)
    (tmp_path / "check.py").write_text(CHECK)
    program = f"env PYTHONPATH={ROOT} {sys.executable}"
    ended = in_namespace(f"""
        for pages in 4 8 12 16 20 24 28 32 40 48 64 80 160; do
            mount -t tmpfs -o size=$((pages * 4))k none {disk}
            code=0; {program} {tmp_path}/put.py {disk}/store {varied} 2> {tmp_path}/err || code=$?
            echo "$code $(find {disk}/store/tmp -type f 2> /dev/null | wc -l) $(tail -1 {tmp_path}/err)"
            {program} {tmp_path}/check.py {disk}/store
            mount -o remount,size=16m {disk}
            {program} {tmp_path}/put.py {disk}/store {varied}
            {program} {tmp_path}/check.py {disk}/store
            umount {disk}
        done
    """)
    assert (ended.returncode, ended.stderr) == (0, "")
    outcomes = [line.split(" ", 2) for line in ended.stdout.splitlines()]
    full = [(left, said) for code, left, said in outcomes if code != "0"]
    assert 3 < len(full) < len(outcomes), "some disks were too small, and some were not"
    for left, said in full:
        assert left == "0", "nothing half-written is left on a disk that is full"
        assert "No space left on device | make room on that disk and run it again" in said


def test_a_full_disk_while_loading_leaves_nothing_wrong(model: Path, tmp_path: Path) -> None:
    for name in ("out", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "load.py").write_text(LOAD)
    for full in ("out", "cache"):
        ended = in_namespace(f"""
            mount -t tmpfs -o size=2m none {tmp_path}/{full}
            env PYTHONPATH={ROOT} {sys.executable} {tmp_path}/load.py \
                {tmp_path}/store {model} {tmp_path}/cache {tmp_path}/out || true
            find {tmp_path}/{full} -name model.safetensors -o -name '*.partial'
        """)
        assert "No space left on device | make room on that disk" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert ended.stdout == ""


def test_a_limit_on_file_sizes_is_an_error_in_words(model: Path, tmp_path: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n" + PUT
    ended = run(python(code, tmp_path / "store", model))
    assert "File too large | raise the limit on file sizes" in ended.stderr
    assert_whole(FolderBucket(tmp_path / "store"))
    assert left_in(tmp_path / "store") == []


def test_a_read_only_store_is_read_and_refuses_a_save_in_words(model: Path, tmp_path: Path, store: Store) -> None:
    put(store, model / "run.sh")
    (tmp_path / "put.py").write_text(PUT)
    ended = in_namespace(f"""
        mount --bind {tmp_path}/store {tmp_path}/store
        mount -o remount,ro,bind {tmp_path}/store
        env PYTHONPATH={ROOT} {sys.executable} {tmp_path}/put.py {tmp_path}/store {model}
    """)
    assert ended.returncode == 1
    assert "Read-only file system | it is mounted read-only" in ended.stderr
    assert "Traceback" not in ended.stderr


# -- an impatient user -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunking", ["True", "False"])
def test_a_save_that_is_interrupted_ends_at_once_and_leaves_nothing(tmp_path: Path, chunking: str) -> None:
    with open(tmp_path / "huge", "wb") as stream:
        stream.truncate(8 << 30)  # a hole: it takes no room, but a while to read
    code = PUT.replace("Path(source))", f"Path(source), chunking={chunking})")
    with subprocess.Popen(
        python(code, tmp_path / "store", tmp_path / "huge"), cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / "store" / "tmp").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert err.rstrip().endswith("KeyboardInterrupt"), err[-500:]
    assert left_in(tmp_path / "store") == []
    assert_whole(FolderBucket(tmp_path / "store"))
    assert list(FolderBucket(tmp_path / "store").list(keys.RECIPES)) == []


# -- many at once ----------------------------------------------------------------------------------------------------


def test_eight_processes_put_overlapping_sets_at_once_while_others_fetch(tmp_path: Path) -> None:
    shared = {f"shared-{n}": os.urandom(size) for n, size in enumerate((10, 800, 3000, 5000, 20_000, 40_000))}
    sources = []
    for number in range(8):
        source = tmp_path / f"source-{number}"
        source.mkdir()
        for name, data in shared.items():
            (source / name).write_bytes(data)
        (source / "own").write_bytes(os.urandom(30_000) + shared["shared-5"])
        sources.append(source)
    started = [
        subprocess.Popen(
            python(SMALL_SIZES + LOAD, tmp_path / "store", source, tmp_path / "cache", tmp_path / f"out-{number}"),
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for number, source in enumerate(sources)
    ]  # fmt: skip
    for process in started:
        assert process.communicate()[1] == ""
        assert process.returncode == 0
    assert_whole(FolderBucket(tmp_path / "store"))
    assert left_in(tmp_path / "store") == []
    for number, source in enumerate(sources):
        assert contents(tmp_path / f"out-{number}") == contents(source)


@pytest.mark.usefixtures("small_sizes")
def test_what_is_fetched_while_the_same_is_put_again_and_again_is_whole(varied: Path, tmp_path: Path) -> None:
    store = Store(FolderBucket(tmp_path / "store"))
    manifest = put(store, varied)
    forever = PUT.replace("for source in", "while True:\n      for source in")
    with subprocess.Popen(python(SMALL_SIZES + forever, tmp_path / "store", varied), cwd=ROOT) as process:
        try:
            for _ in range(40):
                fetch(store, manifest, tmp_path / "out")
                assert contents(tmp_path / "out") == contents(varied)
                shutil.rmtree(tmp_path / "out")
        finally:
            process.kill()
    assert list(store.bucket.list(keys.DAMAGED)) == []


# -- memory ----------------------------------------------------------------------------------------------------------


def test_memory_stays_small_for_a_file_of_a_gibibyte(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as stream:
        stream.writelines(os.urandom(1 << 20) for _ in range(1024))
    command = python(LOAD, tmp_path / "store", tmp_path / "large", tmp_path / "cache", tmp_path / "out")
    ended = measured(command, cwd=ROOT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.peak < 300 * 1024  # KiB
    shutil.rmtree(tmp_path / "store")


def test_memory_stays_small_for_ten_thousand_files(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(10_000):
        (tmp_path / "many" / f"{number}.json").write_bytes(os.urandom(4096))
    command = python(LOAD, tmp_path / "store", tmp_path / "many", tmp_path / "cache", tmp_path / "out")
    ended = measured(command, cwd=ROOT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.peak < 300 * 1024  # KiB
