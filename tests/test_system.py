"""What differs between operating systems: the ways of this one, and of the others as far as they can be had here."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from gitreg import system


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
