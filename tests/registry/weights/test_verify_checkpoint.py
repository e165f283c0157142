"""What a verification keeps so that it can go on, and when it does not."""

from __future__ import annotations

import os
from pathlib import Path

from gitreg.registry.weights.verify_checkpoint import VerifyCheckpoint

DAY = 86400.0


def noted(path: Path, *tokens: str) -> VerifyCheckpoint:
    run = VerifyCheckpoint(path, path.stat().st_mtime if path.exists() else 0.0)
    for token in tokens:
        run.note(token)
    run.close()
    return run


def again(path: Path, later: float = 0.0) -> VerifyCheckpoint:
    return VerifyCheckpoint(path, path.stat().st_mtime + later)


def test_a_run_that_was_interrupted_knows_what_it_noted_and_keeps_its_seed(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "verified" / "x.txt"
    first = noted(path, "a" * 32, "b" * 32)
    second = noted(path, "c" * 32)
    third = again(path)
    assert (first.before, second.before, third.before) == (0, 2, 3)
    assert third.seed == second.seed == first.seed
    assert "a" * 32 in third
    assert "d" * 32 not in third


def test_a_run_that_ended_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    noted(path, "a" * 32).end()
    assert list(tmp_path.iterdir()) == []
    assert VerifyCheckpoint(path, 0.0).seed != VerifyCheckpoint(path, 0.0).seed


def test_a_line_that_was_cut_off_counts_for_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    noted(path, "a" * 32, "b" * 32)
    os.truncate(path, path.stat().st_size - 5)
    assert noted(path, "c" * 32).before == 1
    run = again(path)
    assert "a" * 32 in run
    assert "b" * 32 not in run
    assert "c" * 32 in run


def test_what_is_no_such_file_or_lay_there_for_a_week_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    noted(path, "a" * 32)
    assert again(path, 6 * DAY).before == 1
    assert again(path, 8 * DAY).before == 0
    for content in (b"", b"\xff\xfe", b"something else\nand more\n", b"gitreg-verified 2 " + b"0" * 32 + b"\nx\n"):
        path.write_bytes(content)
        assert noted(path, "b" * 32).before == 0
        assert "b" * 32 in again(path)


def test_where_nothing_can_be_written_only_time_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = noted(tmp_path / "file" / "x.txt", "a" * 32)
    assert "a" * 32 in run
    run.end()
