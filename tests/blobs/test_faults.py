"""Real faults: a killed process, a full disk, a limit, a read-only folder, little memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gitreg.blobs import NO_PROGRESS, BlobStore, collect, open_store
from tests.blobs.helpers import contents
from tests.measuring import measured

pytestmark = pytest.mark.slow

PUT = """
import sys; from pathlib import Path
from gitreg.blobs import NO_PROGRESS, collect, open_store
from gitreg.errors import GitregError
try:
    open_store(sys.argv[1]).put(collect([Path(sys.argv[2])]), progress=NO_PROGRESS)
except GitregError as error:
    sys.exit(f"{error} | {error.hint}")
"""

LOAD = """
import sys; from pathlib import Path
from gitreg.blobs import NO_PROGRESS, Cache, collect, manifest_digest, open_store
from gitreg.errors import GitregError
store = open_store(sys.argv[1])
try:
    files = store.put(collect([Path(sys.argv[2])]), progress=NO_PROGRESS)
    Cache(Path(sys.argv[3])).checkout(manifest_digest(files), files, store)
    Cache(Path(sys.argv[3])).export(files, store, Path(sys.argv[4]))
except GitregError as error:
    sys.exit(f"{error} | {error.hint}")
"""


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_only_whole_blobs(store_folder: Path) -> None:
    blobs = [path for path in (store_folder / "sha256").rglob("*") if path.is_file()]
    lines = "".join(f"{path.name}  {path}\n" for path in blobs)
    subprocess.run(["sha256sum", "--check", "--quiet"], input=lines or None, text=True, check=bool(blobs))


def need_strace() -> str:
    strace = shutil.which("strace")
    if not strace or run([strace, "true"]).returncode:
        pytest.skip("strace does not run here")
    return strace


def in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount."""
    if run(["unshare", "-rm", "true"]).returncode:
        pytest.skip("this machine does not let us make a mount namespace (unshare -rm)")
    return run(["unshare", "-rm", "sh", "-ec", textwrap.dedent(script)])


@pytest.mark.parametrize("call", ["write", "pwrite64", "copy_file_range", "fsync", "rename", "mkdir", "unlink"])
def test_a_save_killed_at_any_moment_leaves_only_whole_blobs_and_runs_again(
    model: Path, tmp_path: Path, call: str
) -> None:
    strace = need_strace()
    killed = 0
    for moment in range(1, 12):
        folder = tmp_path / f"{call}-{moment}"
        inject = f"inject={call}:signal=KILL:when={moment}"
        ended = run([strace, "-f", "-qq", "-o", "/dev/null", "-e", inject, *python(PUT, folder, model)])
        if (folder / "sha256").is_dir():
            assert_only_whole_blobs(folder)
        if ended.returncode == 0:
            break
        killed += 1
        store = open_store(str(folder))
        for entry in store.put(collect([model]), progress=NO_PROGRESS):
            store.verify(entry, progress=NO_PROGRESS)
        list(store.sweep([], older_than=float("inf"), apply=True))
        assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert killed or call in ("pwrite64", "copy_file_range", "mkdir", "unlink")


@pytest.mark.parametrize("call", ["rename", "copy_file_range", "fsync", "fchmod"])
def test_a_load_killed_at_any_moment_leaves_nothing_wrong_and_runs_again(
    model: Path, tmp_path: Path, call: str
) -> None:
    strace = need_strace()
    load = python(LOAD, tmp_path / "store", model, tmp_path / "cache", tmp_path / "out")
    expected = contents(model)
    for moment in range(1, 25, 2):
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        killed = run([strace, "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={moment}", *load])
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


def test_every_blob_is_on_the_disk_before_it_gets_its_name_and_the_names_follow(model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    (model / "empty").unlink()  # there is nothing of it to lose
    run(
        [
            need_strace(),
            "-f",
            "-y",
            "-o",
            str(log),
            "-e",
            "trace=?fsync,?rename,?renameat",
            *python(PUT, tmp_path / "store", model),
        ]
    )
    calls = [line.partition(" ")[2].strip() for line in log.read_text().splitlines()]
    first = next(index for index, call in enumerate(calls) if call.startswith("rename"))
    last = max(index for index, call in enumerate(calls) if call.startswith("rename"))
    assert sum("fsync(" in call and "/tmp/" in call for call in calls[:first]) >= 3
    assert sum("fsync(" in call and "/sha256" in call for call in calls[last:]) >= 2


def test_a_blob_that_is_saved_again_while_a_sweep_removes_it_stays(tmp_path: Path, store: BlobStore) -> None:
    strace = need_strace()
    digest = store.put_bytes(b"x")
    path = store.local_path(digest)
    assert path
    os.utime(path, (1000, 1000))
    code = "import sys; from gitreg.blobs import open_store; "
    code += "print(list(open_store(sys.argv[1]).sweep([], older_than=2000, apply=True)))"
    slow_rename = [strace, "-f", "-qq", "-o", "/dev/null", "-e", "inject=?rename,?renameat:delay_enter=2000000"]
    with subprocess.Popen(
        [*slow_rename, *python(code, tmp_path / "store")], stdout=subprocess.PIPE, text=True
    ) as sweeper:
        time.sleep(1)  # it has found the blob old and is about to rename it
        store.put_bytes(b"x")
        assert sweeper.communicate()[0] == "[]\n"
    assert store.read_bytes(digest, limit=1) == b"x"


def test_a_full_disk_is_an_error_in_words_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    command = python(PUT, tmp_path / "disk" / "store", model)
    ended = in_namespace(f"""
        mount -t tmpfs -o size=2m none {tmp_path}/disk
        "{command[0]}" -c '{PUT}' {command[3]} {command[4]} || true
        find {tmp_path}/disk -type f
    """)
    assert "No space left on device | make room on that disk" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_full_disk_while_loading_leaves_nothing_wrong(model: Path, tmp_path: Path) -> None:
    for name in ("out", "cache"):
        (tmp_path / name).mkdir()
    for full in ("out", "cache"):
        ended = in_namespace(f"""
            mount -t tmpfs -o size=2m none {tmp_path}/{full}
            "{sys.executable}" -c '{LOAD}' {tmp_path}/store {model} {tmp_path}/cache {tmp_path}/out || true
            find {tmp_path}/{full} -name model.safetensors -o -name '*.partial'
        """)
        assert "No space left on device | make room on that disk" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert ended.stdout == ""


def test_a_limit_on_file_sizes_is_an_error_in_words(model: Path, tmp_path: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n" + PUT
    ended = run(python(code, tmp_path / "store", model))
    assert "File too large | raise the limit on file sizes" in ended.stderr
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_read_only_store_is_read_and_refuses_a_save_in_words(model: Path, tmp_path: Path, store: BlobStore) -> None:
    store.put(collect([model / "run.sh"]), progress=NO_PROGRESS)
    ended = in_namespace(f"""
        mount --bind {tmp_path}/store {tmp_path}/store
        mount -o remount,ro,bind {tmp_path}/store
        "{sys.executable}" -c '{PUT}' {tmp_path}/store {model}
    """)
    assert ended.returncode == 1
    assert "Read-only file system | it is mounted read-only" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_memory_stays_small_however_large_the_file(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as stream:
        for _ in range(300):
            stream.write(os.urandom(1 << 20))
    command = python(LOAD, tmp_path / "store", tmp_path / "large", tmp_path / "cache", tmp_path / "out")
    ended = measured(command, cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.peak < 100 * 1024  # KiB
