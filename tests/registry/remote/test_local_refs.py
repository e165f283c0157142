"""Tags and mirrors that follow from a branch, in the repository that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.registry.promotion.context import UNKNOWN
from gitreg.registry.remote.local_refs import follow
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git, pointer, record, refs


@pytest.fixture
def merged(registry: Registry, weights: Path) -> Registry:
    """iris@1 was saved here; iris@2 and who has production came by plain git."""
    registry.save("iris", weights)
    commit_files(registry.folder, {"models/iris/versions/2.yaml": record("iris", "2", 2)})
    commit_files(registry.folder, {"models/iris/stages/production.yaml": pointer("stage", "2")})
    return registry


def test_what_lacks_is_made_where_it_belongs_and_then_nothing_more(merged: Registry) -> None:
    before = refs(merged.folder)
    assert follow(merged.session.branch, UNKNOWN) == ["refs/tags/models/iris@2", "refs/stages/iris@production"]
    made = {name: oid for name, oid in refs(merged.folder).items() if before.get(name) != oid}
    assert made == {
        "refs/tags/models/iris@2": made["refs/tags/models/iris@2"],
        "refs/stages/iris@production": git(merged.folder, "rev-parse", "main"),
    }
    assert git(merged.folder, "rev-parse", "models/iris@2^{commit}") == git(merged.folder, "rev-parse", "main~1")
    assert follow(merged.session.branch, UNKNOWN) == []


def test_a_tag_made_again_is_the_same_one(merged: Registry) -> None:
    before = refs(merged.folder)["refs/tags/models/iris@1"]
    git(merged.folder, "tag", "-d", "models/iris@1")
    follow(merged.session.branch, UNKNOWN)
    assert refs(merged.folder)["refs/tags/models/iris@1"] == before


@pytest.mark.slow
def test_a_record_that_nobody_could_ever_read_gets_no_tag_and_stops_nothing(merged: Registry) -> None:
    commit_files(merged.folder, {"models/iris/versions/3.yaml": "kind: [", "models/iris/versions/2.yaml": None})
    assert follow(merged.session.branch, UNKNOWN) == ["refs/stages/iris@production"]


@pytest.mark.slow
def test_a_record_edited_later_is_tagged_where_it_came_in(merged: Registry) -> None:
    came_in = git(merged.folder, "rev-parse", "main~1")
    commit_files(merged.folder, {"models/iris/versions/2.yaml": "kind: ["})
    follow(merged.session.branch, UNKNOWN)
    assert git(merged.folder, "rev-parse", "models/iris@2^{commit}") == came_in
