"""Several clones and one hub: the remote moves first, the clones follow, and what cannot be is said in words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gitreg.errors import AlreadyExists, Declined, IntegrityError, NotFound, Refused, Unreachable
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import clone, pull, push, sync
from tests.registry.support import commit_files, git, refs

Clones = tuple[Registry, Registry]


@pytest.fixture
def clones(one: Registry, hub: Path, tmp_path: Path) -> Iterator[Clones]:
    with Registry(clone(str(hub), tmp_path / "two")) as two:
        yield one, two


def local(registry: Registry) -> Registry:
    return Registry.open(registry.folder, local=True)


def test_init_publishes_the_registry(one: Registry, hub: Path) -> None:
    assert "remote: origin" in git(hub, "show", "main:gitreg.yaml").splitlines()


@pytest.mark.slow
def test_what_one_saves_and_promotes_the_hub_has_at_once_and_the_other_after_a_pull(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, two = clones
    one.save("iris", weights)
    one.promote("iris@1", "production")
    assert refs(hub) == refs(one.folder)
    assert set(refs(hub)) == {"refs/heads/main", "refs/tags/models/iris@1", "refs/stages/iris@production"}
    pulled = pull(two.session)
    assert pulled.before != pulled.after == refs(hub)["refs/heads/main"]
    assert refs(two.folder) == refs(hub)
    assert (two.folder / "models" / "iris" / "stages" / "production.yaml").exists(), "the work tree follows"
    assert two.version("iris@production").number == 1
    assert pull(two.session).before == pull(two.session).after


@pytest.mark.slow
def test_numbers_are_dense_over_clones_that_did_not_pull(clones: Clones, weights: Path) -> None:
    for number in range(6):
        clones[number % 2].save("iris", weights, metadata={"n": number})
    pull(clones[0].session)
    assert [version.number for version in clones[0].session.snapshot().versions("iris")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_a_clone_has_the_stages_that_git_does_not_clone(
    one: Registry, hub: Path, weights: Path, tmp_path: Path
) -> None:
    one.save("iris", weights, stage="staging")
    with Registry(clone(str(hub), tmp_path / "late")) as late:
        assert refs(late.folder) == refs(hub)
        assert list(late.doctor()) == []


@pytest.mark.slow
def test_what_is_local_stays_until_it_is_pushed(clones: Clones, hub: Path, weights: Path) -> None:
    one, two = clones
    before = refs(hub)
    with local(one) as here:
        here.save("iris", weights)
        here.promote("iris@1", "staging")
    assert refs(hub) == before
    pushed = push(one.session)
    assert (pushed.before, pushed.after) == (before["refs/heads/main"], refs(one.folder)["refs/heads/main"])
    assert refs(hub) == refs(one.folder)
    assert push(one.session).before == push(one.session).after
    pull(two.session)
    assert refs(two.folder) == refs(hub)


@pytest.mark.slow
def test_a_write_publishes_what_was_local_as_well(clones: Clones, hub: Path, weights: Path) -> None:
    one, _ = clones
    with local(one) as here:
        here.save("iris", weights)
    one.promote("iris@1", "production")
    assert refs(hub) == refs(one.folder)


@pytest.mark.slow
def test_both_sides_with_own_commits_are_refused_in_words_and_nothing_moves(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, two = clones
    with local(one) as here:
        here.save("iris", weights)
    two.save("iris", weights, metadata={"by": "two"})
    before = refs(hub), refs(one.folder)
    for act in (partial(pull, one.session), partial(push, one.session), partial(one.save, "iris", weights)):
        with pytest.raises(Refused, match="each has commits that the other lacks") as caught:
            act()
        assert "git rebase --skip" in (caught.value.hint or "")
    assert (refs(hub), refs(one.folder)) == before


@pytest.mark.slow
def test_the_way_out_where_both_have_commits_ends_in_a_sound_registry(clones: Clones, hub: Path, weights: Path) -> None:
    one, two = clones
    with local(one) as here:
        here.save("iris", weights)
        here.save("iris", weights, metadata={"later": True})
        here.save("other", weights)
    two.save("iris", weights, metadata={"by": "two"})
    with pytest.raises(Refused, match="each has commits that the other lacks"):
        push(one.session)
    with pytest.raises(AssertionError, match="CONFLICT"):  # both made an iris@1
        git(one.folder, "rebase", "-q", "origin/main", "main")
    git(one.folder, "rebase", "--skip")
    with Registry.open(one.folder) as rebased:
        rebased.repair(rebased.doctor())
        push(rebased.session)
        assert rebased.save("iris", weights).number == 3
        assert list(rebased.doctor()) == []
        assert rebased.version("iris@1").metadata == {"by": "two"}
    assert refs(hub) == refs(one.folder)


@pytest.mark.slow
def test_a_rewritten_history_is_refused_in_words(clones: Clones, hub: Path, weights: Path) -> None:
    one, two = clones
    one.save("iris", weights)
    pull(two.session)
    git(hub, "update-ref", "refs/heads/main", "main~1")
    before = refs(two.folder)
    for act in (partial(pull, two.session), partial(two.save, "other", weights), partial(sync, two.session)):
        with pytest.raises(Refused, match=r"history of origin \(main\) was rewritten"):
            act()
    assert refs(two.folder) == before


@pytest.mark.slow
def test_an_accepted_rewrite_moves_a_clone_and_says_what_goes(clones: Clones, hub: Path, weights: Path) -> None:
    one, two = clones
    for number in range(2):
        one.save("iris", weights, metadata={"n": number})
        one.promote(f"iris@{number + 1}", "production", force=True)
    one.promote("iris@1", "staging")
    pull(two.session)
    git(hub, "update-ref", "refs/heads/main", "main~3")
    pulled = pull(two.session, accept_rewrite=True)
    assert pulled.after == git(hub, "rev-parse", "main")
    assert pulled.rewrite is not None
    assert [subject.partition(":")[0] for _, subject in pulled.rewrite.gone] == [
        "Promote iris@1 to staging", "Promote iris@2 to production", "Save iris@2"
    ]  # fmt: skip
    assert pulled.rewrite.stages == (("iris@production", "2", "1"), ("iris@staging", "1", None))
    assert two.version("iris@production").number == 1
    assert "refs/stages/iris@staging" not in refs(two.folder)
    assert git(two.folder, "status", "--porcelain") == ""
    assert pull(two.session).rewrite is None


@pytest.mark.slow
@pytest.mark.parametrize("program", ["git", "no git"])
def test_an_accepted_rewrite_takes_nobodys_work(
    clones: Clones, hub: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    one, two = clones
    one.save("iris", weights)
    pull(two.session)
    if program == "git":
        with local(two) as here:
            here.save("mine", weights)
    git(hub, "update-ref", "refs/heads/main", "main~1")
    before = refs(two.folder)
    file = two.folder / "gitreg.yaml"
    said = file.read_text()
    file.write_text(said + "description: mine\n")
    if program == "no git":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with Registry.open(two.folder) as here, pytest.raises(Refused, match="has uncommitted work"):
        pull(here.session, accept_rewrite=True)
    file.write_text(said)
    with Registry.open(two.folder) as here:
        if program == "git":
            with pytest.raises(Refused, match="main has 1 commit of its own"):
                pull(here.session, accept_rewrite=True)
            assert refs(two.folder) == before
        else:
            assert pull(here.session, accept_rewrite=True).rewrite is not None


@pytest.mark.slow
def test_a_tag_that_belongs_to_no_record_keeps_its_number_from_being_given(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, _ = clones
    git(hub, "tag", "models/iris@1", "main")
    with pytest.raises(IntegrityError, match="origin has the tag refs/tags/models/iris@1 already"):
        one.save("iris", weights)
    assert "refs/tags/models/iris@1" not in refs(one.folder)
    assert one.session.snapshot().names_in_use() == []


@pytest.mark.slow
def test_a_hook_that_declines_leaves_both_sides_as_they_were_and_its_words_are_told(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, _ = clones
    hook = hub / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Sunday' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = refs(hub), refs(one.folder)
    with pytest.raises(Declined, match="not on a Sunday"):
        one.save("iris", weights)
    assert (refs(hub), refs(one.folder)) == before
    hook.unlink()
    assert one.save("iris", weights).number == 1


@pytest.mark.slow
def test_a_host_that_takes_no_mirrors_is_remembered_and_the_branch_says_the_same(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, two = clones
    git(hub, "config", "receive.hideRefs", "refs/stages")
    one.save("iris", weights)
    with pytest.warns(UserWarning, match="takes no refs"):
        one.promote("iris@1", "staging")
    one.promote("iris@1", "production")
    assert set(refs(hub)) == {"refs/heads/main", "refs/tags/models/iris@1"}
    pull(two.session)
    assert two.version("iris@production").number == 1
    assert refs(two.folder) == refs(one.folder)


@pytest.mark.slow
def test_a_host_without_atomic_push_gets_the_branch_first(clones: Clones, hub: Path, weights: Path) -> None:
    one, _ = clones
    git(hub, "config", "receive.advertiseAtomic", "false")
    one.save("iris", weights, stage="staging")
    assert refs(hub) == refs(one.folder)


@pytest.mark.slow
def test_what_does_not_answer_is_named_and_nothing_moves(clones: Clones, hub: Path, weights: Path) -> None:
    one, _ = clones
    before = refs(one.folder)
    hub.rename(hub.with_name("gone"))
    for act in (partial(pull, one.session), partial(one.save, "iris", weights)):
        with pytest.raises(NotFound, match="there is no repository at origin"):
            act()
    git(one.folder, "remote", "set-url", "origin", "ssh://nobody@127.0.0.1:9/none")
    with pytest.raises(Unreachable, match="origin cannot be reached"):
        pull(one.session)
    assert refs(one.folder) == before


def test_a_registry_without_a_remote_says_how_to_get_one(registry: Registry) -> None:
    for act in (pull, push, sync):
        with pytest.raises(Refused, match="has no remote") as caught:
            act(registry.session)
        assert "remote set" in (caught.value.hint or "")


def test_a_clone_into_a_folder_that_is_there_is_refused(one: Registry, hub: Path) -> None:
    with pytest.raises(AlreadyExists, match="is there already"):
        clone(str(hub), one.folder)


# -- sync --------------------------------------------------------------------------------------------------------------


def merged(one: Registry, weights: Path, way: str) -> None:
    """Save and promote on a branch of its own, and merge it on the hub as a forge does, without its refs."""
    folder = one.folder
    start = git(folder, "rev-parse", "main")
    with local(one) as here:
        here.save("iris", weights, metadata={"way": way})
        here.promote("iris", "production", force=True)
    end = git(folder, "rev-parse", "main")
    git(folder, "tag", "-d", f"models/iris@{one.version('iris').version}")
    git(folder, "reset", "-q", "--hard", start)
    if way == "squash":
        git(folder, "merge", "-q", "--squash", end)
        git(folder, "commit", "-q", "-m", "Promote (#1)")
    elif way == "merge":
        git(folder, "merge", "-q", "--no-ff", "-m", "Merge (#1)", end)
    else:
        git(folder, "merge", "-q", "--ff-only", end)
    git(folder, "push", "-q", "origin", "main")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["merge", "squash", "rebase"])
def test_sync_makes_what_follows_from_a_merge_here_and_there_and_then_has_nothing_to_do(
    clones: Clones, hub: Path, weights: Path, way: str
) -> None:
    one, two = clones
    merged(one, weights, way)
    assert set(refs(hub)) == {"refs/heads/main"}
    done = sync(two.session)
    assert done.wrong == []
    assert sorted(done.moved) == ["refs/stages/iris@production", "refs/tags/models/iris@1"]
    assert refs(two.folder) == refs(hub)
    assert sync(two.session).moved == []
    assert list(two.doctor()) == []
    assert sync(one.session).moved == []
    pull(one.session)
    assert refs(one.folder) == refs(hub)


@pytest.mark.slow
def test_a_record_that_could_never_be_read_keeps_sync_from_nothing(clones: Clones, weights: Path) -> None:
    one, two = clones
    one.save("iris", weights)
    commit_files(one.folder, {"models/iris/versions/2.yaml": "kind: ["})
    git(one.folder, "push", "-q", "origin", "main")
    assert sync(two.session).wrong == []


@pytest.mark.slow
def test_what_is_synced_after_all_derived_refs_were_lost_has_the_same_ids(
    clones: Clones, hub: Path, weights: Path
) -> None:
    one, _ = clones
    for number in range(5):
        one.save("iris", weights, metadata={"n": number})
        one.promote("iris", "production", force=True)
    before = refs(hub)
    for folder in (hub, one.folder):
        for name in refs(folder):
            if not name.startswith("refs/heads/"):
                git(folder, "update-ref", "-d", name)
    assert len(sync(one.session).moved) == 6
    assert refs(hub) == refs(one.folder) == before


@pytest.mark.slow
def test_a_tag_that_was_moved_on_the_hub_is_named_and_left(clones: Clones, hub: Path, weights: Path) -> None:
    one, _ = clones
    one.save("iris", weights)
    one.save("iris", weights, metadata={"n": 2})
    git(hub, "tag", "-f", "models/iris@1", "main")
    moved = refs(hub)["refs/tags/models/iris@1"]
    assert ["refs/tags/models/iris@1" in sentence for sentence in sync(one.session).wrong] == [True]
    assert refs(hub)["refs/tags/models/iris@1"] == moved


@pytest.mark.slow
def test_what_is_not_found_says_how_old_the_clone_is(clones: Clones, weights: Path) -> None:
    one, two = clones
    one.save("iris", weights)
    with pytest.raises(NotFound) as caught:
        two.version("iris@1")
    assert "--fetch" not in (caught.value.hint or ""), "it was asked a moment ago"
    asked = next((two.folder / ".git" / "gitreg").glob("fetched-*"))
    os.utime(asked, (time.time() - 7300, time.time() - 7300))
    with pytest.raises(NotFound) as caught:
        two.version("iris@1")
    assert "the remote was last asked 2 hours ago; --fetch asks it first" in (caught.value.hint or "")
