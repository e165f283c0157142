from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gitreg.blobs.cache.stat_cache import StatCache

DIGEST = "1" * 64
LATER = 4e9


def status(path: Path) -> os.stat_result:
    return path.stat()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "known.sqlite"


def remembered(memory: Path, file: Path, clock: float = LATER) -> str | None:
    """Remember a file, and say what is known of it by the next process."""
    with closing(StatCache(memory, lambda: clock)) as known:
        known.remember(status(file), DIGEST)
    with closing(StatCache(memory, lambda: clock)) as known:
        return known.sha256(status(file))


def test_a_file_is_known_again_until_anything_about_it_changes(memory: Path, file: Path, tmp_path: Path) -> None:
    assert remembered(memory, file) == DIGEST
    with closing(StatCache(memory, lambda: LATER)) as known:
        before = status(file)
        file.chmod(0o600)  # changes nothing but the ctime
        assert known.sha256(status(file)) is None
        assert known.sha256(before) == DIGEST
        copy = tmp_path / "copy"
        copy.write_bytes(b"weights")
        os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert known.sha256(status(copy)) is None
        file.write_bytes(b"WEIGHTS")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # not even a forged mtime hides it
        assert known.sha256(status(file)) is None


def test_many_files_are_known_where_each_of_them_is(memory: Path, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(b"others")
    assert remembered(memory, file) == DIGEST
    with closing(StatCache(memory, lambda: LATER)) as known:
        assert known.all_sha256([status(file), status(file)]) == [DIGEST, DIGEST]
        assert known.all_sha256([status(file), status(other)]) is None
        assert known.all_sha256([]) == []
    with closing(StatCache(None, lambda: LATER)) as nothing:
        assert nothing.all_sha256([status(file)]) is None
        assert nothing.all_sha256([]) == []


def test_who_has_asked_for_many_files_does_not_keep_others_from_writing(memory: Path, file: Path) -> None:
    assert remembered(memory, file) == DIGEST
    with closing(StatCache(memory, lambda: LATER)) as known:
        assert known.all_sha256([status(file)]) == [DIGEST]
        with closing(sqlite3.connect(memory, timeout=0)) as other, other:
            other.execute("delete from known")
        assert known.all_sha256([status(file)]) is None


def test_a_file_that_changed_just_before_it_was_read_is_not_remembered(memory: Path, file: Path) -> None:
    changed = status(file).st_ctime
    assert remembered(memory, file, changed) is None
    assert remembered(memory, file, changed - 100) is None
    assert remembered(memory, file, changed + 0.005) is None
    assert remembered(memory, file, changed + 3) == DIGEST


def test_it_is_the_time_before_reading_that_counts(memory: Path, file: Path) -> None:
    """A long read makes no change older that happened while it began."""
    now = [status(file).st_ctime + 0.001]
    with closing(StatCache(memory, lambda: now[0])) as known:
        now[0] += 1000
        known.remember(status(file), DIGEST)
    with closing(StatCache(memory, lambda: now[0])) as known:
        assert known.sha256(status(file)) is None


def test_times_that_a_file_system_keeps_are_kept_also_those_far_away(memory: Path, file: Path) -> None:
    for seconds in (-10_000_000, 0, 15_000_000_000):  # 1969, 1970, 2445
        os.utime(file, (seconds, seconds))
        assert remembered(memory, file) == DIGEST


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"x" * 5000])
def test_a_memory_that_is_garbage_begins_anew(memory: Path, file: Path, content: bytes) -> None:
    memory.parent.mkdir()
    memory.write_bytes(content)
    assert remembered(memory, file) == DIGEST


def test_a_memory_that_cannot_be_used_only_costs_time(memory: Path, file: Path, tmp_path: Path) -> None:
    assert remembered(tmp_path / "model.bin" / "below a file", file) is None
    memory.parent.mkdir()
    memory.mkdir()
    assert remembered(memory, file) is None
    assert StatCache(None, lambda: LATER).sha256(status(file)) is None


def test_a_memory_that_another_process_holds_is_waited_for_once_and_not_long(
    memory: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remembered(memory, file) == DIGEST
    with closing(sqlite3.connect(memory, isolation_level=None)) as other:
        other.execute("begin exclusive")
        waits: list[float] = []

        def connect(path: Path, timeout: float, **options: Any) -> sqlite3.Connection:
            waits.append(timeout)
            return sqlite3.Connection(path, timeout=timeout / 100, **options)

        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", connect)
            assert remembered(memory, file) is None
        assert waits == [1, 1]
        other.execute("rollback")
    assert remembered(memory, file) == DIGEST


def test_what_is_closed_knows_nothing_and_may_be_closed_again(memory: Path, file: Path) -> None:
    known = StatCache(memory, lambda: LATER)
    known.close()
    assert known.sha256(status(file)) is None
    known.close()
