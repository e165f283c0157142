"""Branch, prefix and id stay once there are versions: judges refuse the change, readers refuse where it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gitreg.errors import Refused
from gitreg.registry.review.pull_request_check import check
from gitreg.sdk.registry import Registry
from tests.registry.support import commit_files, git

pytestmark = pytest.mark.slow

CHANGES = {
    "branch": ("^branch: .*$", "branch: other", "main"),
    "prefix": ("^prefix: .*$", "prefix: other", "models"),
    "id": ("^id: .*$", f"id: {'f' * 32}", None),
}


def change(registry: Registry, field: str) -> str:
    pattern, new, _ = CHANGES[field]
    settings = (registry.folder / "gitreg.yaml").read_text()
    return commit_files(registry.folder, {"gitreg.yaml": re.sub(pattern, new, settings, flags=re.MULTILINE)})


@pytest.mark.slow
@pytest.mark.parametrize("field", CHANGES)
def test_branch_prefix_id_stay(registry: Registry, weights: Path, field: str) -> None:
    registry.save("iris", weights, stage="production")
    was = CHANGES[field][2] or str(registry.session.snapshot().settings.id)
    base = git(registry.folder, "rev-parse", "HEAD")
    head = change(registry, field)
    report = check(registry.session.branch, base, head)
    assert f"at /{field}: cannot change once there are versions ({was})" in [each.what for each in report.problems]
    told = f"gitreg.yaml changed its {field} from {was} to {CHANGES[field][1].split()[1]} in {head[:12]}"
    readings = (
        lambda: registry.version("iris@production"),
        lambda: registry.list_versions("iris"),
        lambda: registry.promote("iris@1", "staging"),
        registry.verify,
    )
    for read in readings:
        with pytest.raises(Refused, match=re.escape(told)) as caught:
            read()
        assert caught.value.hint == f"git revert {head[:12]}"
    assert next(iter(registry.log()))["commit"] == head
    assert [(each.where, each.what) for each in registry.doctor()] == [
        ("gitreg.yaml", told.removeprefix("gitreg.yaml "))
    ]
    before = git(registry.folder, "for-each-ref")
    registry.repair(registry.doctor())
    assert git(registry.folder, "for-each-ref") == before
    git(registry.folder, "revert", "--no-edit", head[:12])
    assert check(registry.session.branch, head, git(registry.folder, "rev-parse", "HEAD")).ok
    assert registry.version("iris@production").number == 1
    assert registry.doctor() == []


@pytest.mark.slow
def test_what_was_changed_before_stops_no_later_commit_and_a_further_change_is_refused(
    registry: Registry, weights: Path
) -> None:
    registry.save("iris", weights)
    head = change(registry, "prefix")
    later = commit_files(registry.folder, {"models/iris/README.md": "# Iris\n"})
    assert check(registry.session.branch, head, later).ok
    settings = (registry.folder / "gitreg.yaml").read_text()
    again = commit_files(registry.folder, {"gitreg.yaml": settings.replace("prefix: other", "prefix: third")})
    assert not check(registry.session.branch, later, again).ok


@pytest.mark.slow
def test_before_the_first_version_all_is_free(registry: Registry, weights: Path) -> None:
    base = git(registry.folder, "rev-parse", "HEAD")
    assert check(registry.session.branch, base, change(registry, "prefix")).ok
    registry.save("iris", weights)
    assert "refs/tags/other/iris@1" in git(registry.folder, "for-each-ref", "--format=%(refname)")
    assert registry.doctor() == []


@pytest.mark.slow
def test_an_id_may_be_given_once_and_not_be_taken_away(registry: Registry, weights: Path) -> None:
    settings = (registry.folder / "gitreg.yaml").read_text()
    commit_files(registry.folder, {"gitreg.yaml": re.sub("^id: .*\n", "", settings, flags=re.MULTILINE)})
    registry.save("iris", weights)
    base = git(registry.folder, "rev-parse", "HEAD")
    given = commit_files(registry.folder, {"gitreg.yaml": settings})
    assert check(registry.session.branch, base, given).ok
    assert registry.version("iris@1").number == 1
    gone = commit_files(registry.folder, {"gitreg.yaml": re.sub("^id: .*\n", "", settings, flags=re.MULTILINE)})
    assert "at /id: cannot change" in check(registry.session.branch, given, gone).problems[0].what
    with pytest.raises(Refused, match=r"changed its id from [0-9a-f]{32} to nothing in"):
        registry.version("iris@1")
