"""Reports of progress, and who sees them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from gitreg import progress
from gitreg.git.program import _without_progress, find_git
from gitreg.progress import Progress, counting, reported, show_with

Reports = list[tuple[str, int | None, str, int]]


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Reports:
    """All work that was reported: title, total, unit and what was done."""
    monkeypatch.setattr(progress, "_shown", [])
    found: Reports = []

    class Sum:
        done = 0

        def advance(self, number: int, /) -> None:
            self.done += number

    @contextmanager
    def noted(title: str, total: int | None, unit: str) -> Iterator[Progress]:
        work = Sum()
        yield work
        found.append((title, total, unit, work.done))

    def shown(title: str, total: int | None, unit: str) -> AbstractContextManager[Progress]:
        return noted(title, total, unit)

    show_with(shown)
    return found


def test_items_are_counted_while_they_are_taken(reports: Reports) -> None:
    assert list(counting("abc", "Indexing", 3, "commits")) == ["a", "b", "c"]
    with reported("Copying", 10) as work:
        work.advance(4)
    assert reports == [("Indexing", 3, "commits", 3), ("Copying", 10, "bytes", 4)]


def test_without_anybody_who_looks_items_pass_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_shown", [])
    assert list(counting(iter("abc"), "Indexing", None, "commits")) == ["a", "b", "c"]


def test_what_git_tells_of_its_progress_is_reported_and_the_rest_is_kept(reports: Reports) -> None:
    chunks = [
        b"Cloning into 'x'...\nremote: Counting objects:  50% (1/2)\rremote: Counting objects: 100% (2/2), done.\n",
        b"Receiving objects:  45% (4/9), 12.30 MiB | 5.",
        b"00 MiB/s\rReceiving objects: 100% (9/9), done.\nfatal: early EOF\n",
    ]
    assert _without_progress(chunks) == b"Cloning into 'x'...\nfatal: early EOF\n"
    assert reports == [("Counting objects", 2, "objects", 2), ("Receiving objects", 9, "objects", 9)]


@pytest.mark.slow
def test_git_itself_tells_its_progress_where_somebody_looks(reports: Reports, tmp_path: Path) -> None:
    source = tmp_path / "source"
    run = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(source))
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    git = find_git(os.environ)
    assert git is not None
    done = git.converse("clone", "--quiet", "--", source.as_uri(), str(tmp_path / "clone"), cwd=tmp_path)
    assert done.returncode == 0
    assert ("Receiving objects", 2, "objects", 2) in reports
    failed = git.converse("clone", "--quiet", "--", (tmp_path / "nothing").as_uri(), "x", cwd=tmp_path)
    assert failed.returncode != 0
    assert b"does not exist" in failed.stderr or b"not appear to be a git repository" in failed.stderr
