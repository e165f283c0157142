"""The one way to write: operations run again on what others left, and refs move with the commit or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import Conflict, GitregError, IntegrityError, WorkTreeBusy
from gitreg.git import Repository
from gitreg.registry.operations.stages import promote
from gitreg.registry.operations.versions import save_version
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import commit
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, new_version, pointer, record

pytestmark = pytest.mark.slow


def commits(registry: Registry) -> int:
    return int(git(registry.folder, "rev-list", "--count", "main"))


def test_a_commit_tells_its_story_and_moves_branch_tag_and_mirror_together(registry: Registry, weights: Path) -> None:
    registry.save("team/Iris 1", weights, stage="production", message="trained on Sunday", description="the first")
    folder = registry.folder
    assert git(folder, "show", "-s", "--format=%B") == (
        "Save team/Iris 1@1 as production\n\ntrained on Sunday\n\n"
        "Gitreg-Operation: save\nGitreg-Model: team/Iris 1\nGitreg-Version: 1\nGitreg-Stage: production"
    )
    head = git(folder, "rev-parse", "main")
    assert git(folder, "rev-parse", "refs/tags/models/team/Iris%201@1^{commit}") == head
    assert git(folder, "cat-file", "-t", "refs/tags/models/team/Iris%201@1") == "tag"
    assert git(folder, "rev-parse", "refs/stages/team/Iris%201@production") == head
    assert git(folder, "status", "--porcelain") == ""
    git(folder, "fsck", "--strict")


def test_a_trailer_cannot_be_forged_by_a_name_or_a_reason(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    registry.promote("iris@1", "production", reason="fine\n\nGitreg-Version: 9\n")
    trailers = git(registry.folder, "show", "-s", "--format=%(trailers:key=Gitreg-Version,valueonly)").split()
    assert trailers == ["1"]


def test_a_dry_run_changes_nothing(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    before = git(registry.folder, "for-each-ref"), git(registry.folder, "count-objects")
    outcome = registry.session.commit(partial(promote, reference="iris@1", stage="production"), dry_run=True)
    assert outcome.commit is None
    assert set(outcome.written) == {"models/iris/stages/production.yaml"}
    assert (git(registry.folder, "for-each-ref"), git(registry.folder, "count-objects")) == before
    assert registry.session.snapshot().stages("iris") == {}


@pytest.mark.slow
def test_a_lock_that_a_killed_git_left_in_the_work_tree_is_named_at_once(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    lock = registry.folder / ".git/index.lock"
    lock.touch()
    before = git(registry.folder, "for-each-ref")
    tries: list[int] = []

    def counted(snapshot: Snapshot) -> Changes:
        tries.append(1)
        return promote(snapshot, reference="iris@1", stage="production")

    with pytest.raises(WorkTreeBusy) as caught:
        registry.session.commit(counted)
    assert len(tries) == 1  # the lock was waited for once, and not again by each further try
    assert str(lock) in caught.value.message
    assert git(registry.folder, "for-each-ref") == before
    lock.unlink()
    registry.promote("iris@1", "production")


def test_nothing_to_do_makes_no_commit(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, stage="production")
    before = git(registry.folder, "for-each-ref")
    outcome = registry.session.commit(partial(promote, reference="iris@1", stage="production"))
    assert outcome.commit is None
    assert git(registry.folder, "for-each-ref") == before


@pytest.mark.slow
def test_a_refused_operation_leaves_everything_as_it_was(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights, stage="production")
    registry.save("iris", weights)
    before = git(registry.folder, "for-each-ref")
    with pytest.raises(GitregError):
        registry.promote("iris@2", "production")
    assert git(registry.folder, "for-each-ref") == before


@pytest.mark.slow
def test_an_operation_runs_again_on_what_plain_git_left(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    seen: list[int] = []

    def operation(snapshot: Snapshot) -> Changes:
        seen.append(snapshot.highest_number("iris"))
        if len(seen) < 4:  # somebody who does not take our lock is faster, three times
            number = len(seen) + 1
            commit_files(registry.folder, {f"models/iris/versions/{number}.yaml": record("iris", str(number), number)})
        return save_version(snapshot, new_version())

    outcome = registry.session.commit(operation)
    assert seen == [1, 2, 3, 4]
    assert outcome.changes.version == ("iris", "5")
    assert [version.number for version in registry.session.snapshot().versions("iris")] == [1, 2, 3, 4, 5]
    assert git(registry.folder, "rev-list", "--count", "main") == "6"


@pytest.mark.slow
def test_patience_runs_out_as_a_conflict(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)

    def operation(snapshot: Snapshot) -> Changes:
        git(registry.folder, "commit", "-q", "--allow-empty", "-m", "faster")
        return save_version(snapshot, new_version())

    with pytest.raises(Conflict):
        commit(registry.session.branch, operation, registry.session.writer, patience=0.3)
    assert len(registry.session.snapshot().versions("iris")) == 1


@pytest.mark.slow
def test_an_index_that_fails_after_the_refs_moved_does_not_commit_twice(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    calls = []

    def operation(snapshot: Snapshot) -> Changes:
        calls.append(snapshot.commit)
        changes = save_version(snapshot, new_version())
        assert snapshot.settings.prefix == "models"  # known from here on: the damage shows itself after the commit
        index = registry.session.branch._index
        assert index is not None
        index._db.execute("DROP TABLE documents")
        return changes

    registry.session.commit(operation)
    assert len(calls) == 1
    assert [version.number for version in registry.session.snapshot().versions("iris")] == [1, 2]


@pytest.mark.slow
def test_a_tag_that_is_there_without_a_record_stops_a_save_of_its_name(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    git(registry.folder, "tag", "-a", "-m", "mine", "models/iris@alpha")
    git(registry.folder, "tag", "-a", "-m", "mine", "models/iris@5")
    git(registry.folder, "tag", "models/iris@99999999999999999999")
    with pytest.raises(IntegrityError, match="models/iris@alpha"):
        registry.save("iris@alpha", weights)
    assert registry.save("iris", weights).number == 6


@pytest.mark.slow
def test_two_threads_with_handles_of_their_own_and_plain_git_between_lose_nothing(
    registry: Registry, weights: Path
) -> None:
    registry.save("iris", weights)
    failed: list[BaseException] = []

    def write(seed: int) -> None:
        try:
            with Registry.open(registry.folder) as own:
                for _ in range(6):
                    own.session.commit(partial(save_version, new=new_version(content=str(seed))))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    by_hand = 0
    while by_hand < 6 and any(thread.is_alive() for thread in threads):
        # Plumbing, as a server or another tool would: no work tree, no lock of ours.
        head = git(registry.folder, "rev-parse", "main")
        made = git(registry.folder, "commit-tree", f"{head}^{{tree}}", "-p", head, "-m", "by hand")
        done = subprocess.run(
            ["git", "update-ref", "refs/heads/main", made, head], cwd=registry.folder, capture_output=True, check=False
        )
        by_hand += done.returncode == 0
        threads[0].join(random.random() / 5)
    for thread in threads:
        thread.join()
    assert failed == []
    assert [version.number for version in registry.session.snapshot().versions("iris")] == list(range(1, 14))
    assert commits(registry) == 14 + by_hand
    assert git(registry.folder, "rev-list", "--count", "--merges", "main") == "0"
    assert registry.repair(registry.doctor()) == []


WRITE = """
import sys
from gitreg.errors import GitregError
from gitreg.sdk.registry import Registry
with Registry.open(sys.argv[1]) as registry:
    for n in range(8):
        registry.save("iris", sys.argv[1] + "/gitreg.yaml", metadata={"n": n})
        try:
            registry.promote("iris", "production", force=True)
        except GitregError as error:
            print(type(error).__name__, error)
"""


@pytest.mark.slow
def test_processes_that_save_and_promote_at_once_leave_one_holder_and_dense_numbers(registry: Registry) -> None:
    folder = registry.folder
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(4)
    ]
    said = [writer.communicate(timeout=200)[0] for writer in writers]
    assert said == [""] * 4
    versions = registry.session.snapshot().versions("iris")
    assert [version.number for version in versions] == list(range(1, 33))
    assert [version.stage for version in versions].count("production") == 1
    assert registry.doctor() == []
    git(folder, "fsck", "--strict")


@pytest.mark.slow
def test_a_file_broken_by_hand_is_not_written_over(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    commit_files(registry.folder, {"models/iris/stages/production.yaml": "version: ["})
    with pytest.raises(GitregError, match=r"production\.yaml"):
        registry.promote("iris@1", "production")
    commit_files(registry.folder, {"models/iris/stages/production.yaml": b"# mine\n" + pointer("stage", "1")})
    registry.save("iris", weights)
    registry.promote("iris@2", "production", force=True)
    assert "# mine" in (registry.folder / "models/iris/stages/production.yaml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("in_the_way", [False, True])
def test_the_next_reader_finishes_what_a_killed_writer_left_behind(
    registry: Registry, weights: Path, monkeypatch: pytest.MonkeyPatch, in_the_way: bool
) -> None:
    registry.save("iris", weights)
    record = registry.folder / "models/iris/versions/2.yaml"
    move = Repository.update_refs

    def killed(self: Repository, *arguments: Any, **options: Any) -> None:
        move(self, *arguments, **options)
        raise KeyboardInterrupt

    weights.write_bytes(b"more")
    with monkeypatch.context() as patched:
        patched.setattr(Repository, "update_refs", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.save("iris", weights)
    assert git(registry.folder, "status", "--porcelain").startswith("D  models/iris/versions/2.yaml")
    if in_the_way:
        record.write_text("precious")
    with Registry.open(registry.folder) as again:
        assert again.list_versions("iris").total == 2
    if in_the_way:
        assert record.read_text() == "precious"
    else:
        assert git(registry.folder, "status", "--porcelain") == ""
