"""Lock files that a killed Git process has left: told with their path after a few tries, and named by doctor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import CloneLags, Conflict
from gitreg.registry.doctor import examine
from gitreg.registry.writing import commit
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import pull
from tests.registry.support import git, refs


@pytest.fixture
def saved(one: Registry, weights: Path) -> Registry:
    one.save("iris", weights)
    return one


@pytest.mark.slow
@pytest.mark.parametrize("name", ["refs/stages/iris@production.lock", "refs/heads/main.lock"])
def test_a_stale_lock_on_the_remote_is_told_with_its_path_and_not_waited_for_without_end(
    saved: Registry, hub: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "LOCK_PATIENCE", 0.2)
    lock = hub / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    before = refs(hub)
    with pytest.warns(UserWarning, match="waiting for it") as told, pytest.raises(Conflict) as caught:
        saved.promote("iris@1", "production")
    assert str(lock) in str(told[0].message)
    assert str(lock) in caught.value.message
    assert "remove that file" in (caught.value.hint or "")
    assert refs(hub) == before
    lock.unlink()
    saved.promote("iris@1", "production")
    assert "refs/stages/iris@production" in refs(hub)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["HEAD.lock", "refs/heads/main.lock"])
def test_a_lock_that_could_not_be_removed_here_is_told_with_its_path(
    saved: Registry, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "LOCK_PATIENCE", 0.2)
    lock = saved.folder / ".git" / name
    lock.touch()
    with (
        Registry.open(saved.folder, local=True) as alone,
        pytest.warns(UserWarning, match="waiting for it"),
        pytest.raises(Conflict) as caught,
    ):
        alone.promote("iris@1", "production")
    assert str(lock) in caught.value.message
    lock.unlink()
    saved.promote("iris@1", "production")


@pytest.mark.slow
def test_what_was_published_though_a_lock_stays_here_is_an_error_that_says_so(
    saved: Registry, hub: Path, weights: Path
) -> None:
    lock = saved.folder / ".git/HEAD.lock"
    lock.touch()
    weights.write_bytes(b"more")
    with pytest.raises(CloneLags) as caught:
        saved.save("iris", weights)
    assert caught.value.exit_code == 1
    assert git(hub, "rev-parse", "main")[:12] in caught.value.message
    assert str(lock) in caught.value.message
    for what in ("do not repeat it", "remove that file", "`gitreg pull`"):
        assert what in (caught.value.hint or "")
    lock.unlink()
    with Registry.open(saved.folder) as again:
        pull(again.session)
        assert again.version("iris").version == "2"
    assert git(saved.folder, "status", "--porcelain") == ""


@pytest.mark.slow
def test_a_lock_that_goes_away_is_waited_for(saved: Registry, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = hub / "refs/heads/main.lock"
    lock.touch()
    waited = commit._LockInTheWay.pause

    def removed_meanwhile(self: commit._LockInTheWay) -> float:
        pause = waited(self)
        if pause:
            lock.unlink(missing_ok=True)
        return pause

    monkeypatch.setattr(commit._LockInTheWay, "pause", removed_meanwhile)
    saved.promote("iris@1", "production")
    assert "refs/stages/iris@production" in refs(hub)


@pytest.mark.slow
def test_doctor_names_the_locks_of_a_clone_and_of_a_remote_that_it_can_see(saved: Registry, hub: Path) -> None:
    locks = {hub / "refs/stages/iris@production.lock", hub / "packed-refs.lock", saved.folder / ".git/index.lock"}
    for lock in locks:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    assert {problem.where for problem in examine(saved.session.branch, saved.session.upstream)} == set(map(str, locks))
    for lock in locks:
        lock.unlink()
    assert list(examine(saved.session.branch, saved.session.upstream)) == []


@pytest.mark.slow
def test_the_pause_before_another_try_neither_overflows_nor_vanishes(saved: Registry) -> None:
    upstream = saved.session.upstream
    assert upstream is not None
    for attempt in (1, 2, 3, 10, 2000, 10**6):
        assert 0 < upstream.pause(attempt, 0.1) < 60
        assert 0 < commit._pause(attempt) < 60
