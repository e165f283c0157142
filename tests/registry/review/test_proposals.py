"""A change on a branch of its own: nothing moves before the merge, and everything follows after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import Protected, Refused
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import sync
from tests.registry.support import commit_files, git, refs

pytestmark = pytest.mark.slow


def proposing(registry: Registry) -> Registry:
    again = Registry.open(registry.folder)
    again.proposing = True
    return again


def merge(hub: Path, branch: str) -> None:
    """Merge a branch on the hub, as a forge does."""
    tree = git(hub, "merge-tree", "--write-tree", "main", branch)
    commit = git(hub, "commit-tree", "-p", "main", "-p", branch, "-m", "Merge", tree)
    git(hub, "update-ref", "refs/heads/main", commit)


@pytest.mark.slow
def test_a_proposed_promotion_moves_nothing_until_it_is_merged_and_synced(
    one: Registry, hub: Path, weights: Path
) -> None:
    one.save("team/iris", weights)
    before = refs(hub)
    with proposing(one) as other:
        other.promote("team/iris@1", "production")
        other.promote("team/iris@1", "production")
    branch = "refs/heads/gitreg/promote/team/iris-production-1"
    assert refs(hub) == before | {branch: refs(hub)[branch]}
    assert refs(one.folder) == before
    merge(hub, "gitreg/promote/team/iris-production-1")
    assert sync(one.session).moved == ["refs/stages/team/iris@production"]
    assert one.version("team/iris@production").number == 1


@pytest.mark.slow
def test_a_proposed_version_takes_its_number_when_it_is_merged(one: Registry, hub: Path, weights: Path) -> None:
    with proposing(one) as other:
        assert other.save("iris", weights, stage="staging").number == 1
    assert one.session.snapshot().names_in_use() == []
    merge(hub, "gitreg/save/iris-staging-1")
    assert sync(one.session).moved == ["refs/tags/models/iris@1", "refs/stages/iris@staging"]
    assert one.save("iris", weights, metadata={"n": 2}).number == 2


@pytest.mark.slow
def test_a_protected_stage_is_entered_by_a_proposal_only(one: Registry, hub: Path, weights: Path) -> None:
    one.save("iris", weights)
    text = (one.folder / "gitreg.yaml").read_text()
    commit_files(one.folder, {"gitreg.yaml": text + "policies:\n  production:\n    protected: true\n"})
    git(one.folder, "push", "-q", "origin", "main")
    with pytest.raises(Protected, match="pull request") as caught:
        one.promote("iris@1", "production")
    assert "--pr" in (caught.value.hint or "")
    with proposing(one) as other:
        assert other.promote("iris@1", "production").stage == "production"
    assert one.session.snapshot().stages("iris") == {}


@pytest.mark.slow
def test_two_proposals_conflict_where_they_disagree_and_nowhere_else(one: Registry, hub: Path, weights: Path) -> None:
    for number in range(2):
        one.save("iris", weights, metadata={"n": number})
    with proposing(one) as other:
        other.promote("iris@1", "staging")
        other.promote("iris@2", "production")
        other.promote("iris@1", "production")
    merge(hub, "gitreg/promote/iris-staging-1")
    merge(hub, "gitreg/promote/iris-production-2")
    with pytest.raises(AssertionError, match="CONFLICT"):
        merge(hub, "gitreg/promote/iris-production-1")


def test_a_registry_without_a_remote_has_nobody_to_propose_to(registry: Registry, weights: Path) -> None:
    registry.save("iris", weights)
    with proposing(registry) as other, pytest.raises(Refused, match="no remote to propose to"):
        other.promote("iris@1", "production")
