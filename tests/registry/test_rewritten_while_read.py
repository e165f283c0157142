"""A history that is rewritten while it is read: each snapshot says what one line says, to its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from gitreg.registry.state.snapshot import Snapshot
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import clone, pull
from tests.registry.support import git


@pytest.fixture
def lines(one: Registry, hub: Path, weights: Path) -> list[str]:
    """Two histories of one registry, of which neither follows from the other: six versions by Ada, three by Bob."""
    one.save("iris", weights, metadata={"by": "ada"})
    begun = git(one.folder, "rev-parse", "main")
    for number in range(5):
        one.save("iris", weights, metadata={"by": "ada", "n": number})
    ada = git(one.folder, "rev-parse", "main")
    for name in git(hub, "tag").splitlines()[1:]:
        git(hub, "tag", "-d", name)
        git(one.folder, "tag", "-d", name)
    git(hub, "update-ref", "refs/heads/main", begun)
    git(one.folder, "update-ref", "refs/gitreg/origin/accepted/main", begun)
    git(one.folder, "reset", "-q", "--hard", begun)
    for number in range(2):
        one.save("iris", weights, metadata={"by": "bob", "n": number})
    bob = git(one.folder, "rev-parse", "main")
    git(hub, "fetch", "-q", str(one.folder), f"{ada}:refs/heads/kept")
    return [ada, bob]


@pytest.fixture
def two(lines: list[str], hub: Path, tmp_path: Path) -> Iterator[Registry]:
    with Registry(clone(str(hub), tmp_path / "two")) as two:
        yield two


def said(snapshot: Snapshot) -> list[object]:
    versions = snapshot.versions("iris")
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    for version in versions:
        assert snapshot.find_number("iris", version.number) == version
    return [version.record.metadata["by"] for version in versions]


EACH = (["ada", *5 * ["ada"]], ["ada", *2 * ["bob"]])


@pytest.mark.slow
def test_a_snapshot_goes_on_after_a_rewrite_was_accepted(two: Registry, hub: Path, lines: list[str]) -> None:
    before = two.session.snapshot()
    assert said(before) == EACH[1]
    git(hub, "update-ref", "refs/heads/main", lines[0])
    pull(two.session, accept_rewrite=True)
    unasked = [row["commit"] for row in two.log("iris")]
    assert said(two.session.snapshot()) == EACH[0]
    assert said(before) == EACH[1]
    assert before.index.moment(before.seq).oid == lines[1]
    assert unasked[0] == lines[0]


@pytest.mark.slow
def test_threads_read_one_line_or_the_other_while_rewrites_are_accepted(
    two: Registry, hub: Path, lines: list[str]
) -> None:
    failed: list[BaseException] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            try:
                snapshot = two.session.snapshot()
                assert said(snapshot) in EACH
                assert [len(snapshot.versions("iris")), len(list(two.log("iris")))][0] in (3, 6)
                two.lineage("iris@1")
                two.version("iris")
            except BaseException as error:
                failed.append(error)
                return

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _, line in zip(range(6), cycle(lines)):
            git(hub, "update-ref", "refs/heads/main", line)
            pull(two.session, accept_rewrite=True)
            assert said(two.session.snapshot()) == EACH[lines.index(line)]
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert failed == []
