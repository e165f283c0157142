"""Calls that differ between operating systems: those of this one, and of others as far as they can be had here."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from gitreg import system
from gitreg.blobs import file_io
from gitreg.progress import NO_PROGRESS


def test_readers_share_a_lock_and_a_writer_has_it_alone(tmp_path: Path) -> None:
    files = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    assert system.lock(files[0], shared=True, wait=False)
    assert system.lock(files[1], shared=True, wait=False)
    assert not system.lock(files[2], wait=False)
    os.close(files[0])
    os.close(files[1])
    assert system.lock(files[2])
    os.close(files[2])


@pytest.mark.parametrize("supported", [True, False])
def test_on_macos_a_file_is_written_to_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supported: bool
) -> None:
    called: list[str] = []

    def control(_: int, command: int) -> None:
        called.append(f"fcntl {command}")
        if not supported:
            raise OSError

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _: called.append("fsync"))
    with (tmp_path / "file").open("w") as file:
        system.sync(file.fileno())
    assert called == ["fcntl 51", *([] if supported else ["fsync"])]


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A stand-in for the calls of macOS that clone a file: the path of a descriptor, and a copy with mode and times."""
    control = fcntl.fcntl

    def path_of(descriptor: int, command: int, *argument: bytes) -> object:
        if command != 50:
            return control(descriptor, command, *argument)
        return os.readlink(f"/proc/self/fd/{descriptor}").encode().ljust(len(argument[0]), b"\0")

    def clone(source: int, path: bytes) -> bool:
        shutil.copy2(f"/proc/self/fd/{source}", os.fsdecode(path))
        return True

    monkeypatch.setattr(fcntl, "F_GETPATH", 50, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", path_of)
    monkeypatch.setattr(system, "_clone_file", clone)
    return monkeypatch


def test_on_macos_a_copy_shares_its_blocks_and_is_a_file_of_its_own(macos: pytest.MonkeyPatch, tmp_path: Path) -> None:
    macos.delattr(os, "copy_file_range")
    (tmp_path / "source").write_text("weights")
    (tmp_path / "source").chmod(0o444)
    os.utime(tmp_path / "source", (1, 1))
    source = os.open(tmp_path / "source", os.O_RDONLY)
    target = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT, 0o640)
    assert file_io.copy_hashed(source, target, NO_PROGRESS, durable=True) == (sha256(b"weights").hexdigest(), 7)
    other = os.open(tmp_path / "target", os.O_RDONLY)
    assert os.path.sameopenfile(target, other)
    assert not system.lock(other, wait=False), "a file that is written is locked"
    status = os.fstat(target)
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert status.st_mtime > 1, "its age begins now"
    assert not os.get_inheritable(target)
    assert {path.name for path in tmp_path.iterdir()} == {"source", "target"}
    for each in (source, target, other):
        os.close(each)


@pytest.mark.parametrize("fails", ["clone", "rename"])
def test_what_macos_cannot_clone_is_copied(macos: pytest.MonkeyPatch, tmp_path: Path, fails: str) -> None:
    def refuse(*_: object) -> bool:
        raise OSError

    if fails == "clone":
        macos.setattr(system, "_clone_file", lambda *_: False)
    else:
        macos.setattr(os, "replace", refuse)
    (tmp_path / "source").write_text("weights")
    source = os.open(tmp_path / "source", os.O_RDONLY)
    target = os.open(tmp_path / "target", os.O_RDWR | os.O_CREAT)
    assert file_io.copy(source, target, NO_PROGRESS) == 7
    assert (tmp_path / "target").read_text() == "weights"
    assert {path.name for path in tmp_path.iterdir()} == {"source", "target"}
    for each in (source, target):
        os.close(each)


@pytest.mark.skipif(sys.platform != "darwin", reason="the call is that of macOS")
def test_macos_clones_a_file(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("weights")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("w+b") as target:
        assert system.clone(source.fileno(), target.fileno())
        assert target.read() == b"weights"


def test_bytes_are_read_and_written_at_an_offset_as_where_there_are_calls_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pread", "preadv", "pwrite"):
        monkeypatch.delattr(os, name)
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    assert system.write_at(file, memoryview(b"0123456789"), 0) == 10
    assert system.write_at(file, memoryview(b"ab"), 4) == 2
    assert system.read_at(file, 4, 3) == b"3ab6"
    buffer = bytearray(4)
    assert system.read_into(file, buffer, 8) == 2
    assert buffer == b"89\0\0"
    os.close(file)


def test_a_file_that_is_used_for_a_moment_is_replaced_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, replace = [2], os.replace

    def busy(source: Path, target: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(system, "POSIX", False)
    (tmp_path / "new").write_text("new")
    system.replace(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"
