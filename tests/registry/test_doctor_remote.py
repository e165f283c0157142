"""Doctor asks the remote, too: what was cut in half, what lost a race, what lags there, each in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.doctor import Problem
from gitreg.sdk.registry import Registry
from gitreg.sdk.verbs.remotes import push
from tests.registry.support import commit_files, git, record, refs

pytestmark = pytest.mark.slow


@pytest.fixture
def iris(one: Registry, weights: Path) -> Registry:
    one.save("iris", weights, stage="production")
    one.save("iris", weights)
    assert one.doctor() == []
    return one


def named(registry: Registry) -> dict[str, Problem]:
    problems = registry.doctor()
    assert len({problem.where for problem in problems}) == len(problems)
    assert all(problem.remedy for problem in problems)
    return {problem.where: problem for problem in problems}


Spoil = Callable[[Path, Path], object]

MENDED: dict[str, tuple[Spoil, str, str]] = {
    "a branch that was pushed without its tag": (
        lambda hub, _: git(hub, "tag", "-d", "models/iris@2"),
        "origin refs/tags/models/iris@2", "is missing on origin",
    ),
    "a mirror that is not there": (
        lambda hub, _: git(hub, "update-ref", "-d", "refs/stages/iris@production"),
        "origin refs/stages/iris@production", "is missing on origin",
    ),
    "a mirror that lags": (
        lambda hub, _: git(hub, "update-ref", "refs/stages/iris@production", "main~2"),
        "origin refs/stages/iris@production", "lags on origin: it is at",
    ),
    "a tag of this clone that lost a race": (
        lambda _, here: git(here, "tag", "-f", "-a", "-m", "mine", "models/iris@2", "models/iris@2^{commit}"),
        "refs/tags/models/iris@2", "is another one on origin, which came first",
    ),
    "a tag of this clone that was moved": (
        lambda _, here: git(here, "tag", "-f", "-a", "-m", "x", "models/iris@2", "main~2"),
        "refs/tags/models/iris@2", "was moved to",
    ),
    "a tag that a save left which lost a race": (
        lambda _, here: git(here, "tag", "-a", "-m", "x", "models/iris@9"),
        "refs/tags/models/iris@9", "neither branch nor remote knows",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", MENDED)
def test_what_follows_from_the_branch_is_named_and_mended(iris: Registry, hub: Path, what: str) -> None:
    spoil, where, says = MENDED[what]
    here, there = refs(iris.folder), refs(hub)
    spoil(hub, iris.folder)
    found = named(iris)
    assert set(found) == {where}
    assert says in found[where].what
    assert len(iris.repair(list(found.values()))) == 1
    assert iris.doctor() == []
    assert (refs(iris.folder), refs(hub)) == (here, there)


@pytest.mark.slow
def test_a_signed_tag_comes_back_from_the_remote_as_it_was(iris: Registry, hub: Path) -> None:
    """Made anew, it would be another one than everybody else has."""
    git(hub, "tag", "-f", "-a", "-m", "signed, perhaps", "models/iris@2", "models/iris@2^{commit}")
    git(iris.folder, "tag", "-d", "models/iris@2")
    found = named(iris)
    assert set(found) == {"refs/tags/models/iris@2"}
    iris.repair(list(found.values()))
    assert refs(iris.folder)["refs/tags/models/iris@2"] == refs(hub)["refs/tags/models/iris@2"]
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_tag_that_was_pushed_without_its_branch_is_half_a_push(iris: Registry, hub: Path, weights: Path) -> None:
    iris.session.local = True
    iris.save("iris", weights)
    iris.session.local = False
    assert iris.doctor() == []  # what is only here is no fault
    git(iris.folder, "push", "-q", "origin", "models/iris@3")
    found = named(iris)
    assert set(found) == {"origin refs/tags/models/iris@3"}
    assert "a push was cut in half" in found["origin refs/tags/models/iris@3"].what
    assert found["origin refs/tags/models/iris@3"].remedy == "`gitreg push` brings the record"
    push(iris.session)
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_tag_on_the_remote_of_which_nobody_knows_is_named(iris: Registry, hub: Path) -> None:
    git(hub, "tag", "-a", "-m", "x", "models/iris@9", "main")
    found = named(iris)
    assert "git push origin --delete models/iris@9" in found["origin refs/tags/models/iris@9"].remedy
    assert set(found) == {"origin refs/tags/models/iris@9"}
    git(iris.folder, "push", "-q", "origin", "--delete", "models/iris@9")
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_tag_that_was_moved_on_the_remote_is_named_and_goes_back_by_the_remedy(iris: Registry, hub: Path) -> None:
    before = refs(hub)
    git(hub, "tag", "-f", "-a", "-m", "x", "models/iris@2", "main~2")
    found = named(iris)
    assert set(found) == {"origin refs/tags/models/iris@2"}
    problem = found["origin refs/tags/models/iris@2"]
    assert "it was moved" in problem.what
    command = problem.remedy.split("`")[1]
    git(iris.folder, *command.split()[1:])
    iris.repair(iris.doctor())
    assert refs(hub) == before
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_rewritten_branch_and_one_that_went_another_way_are_told_apart(iris: Registry, hub: Path) -> None:
    kept = git(hub, "rev-parse", "main")
    git(hub, "update-ref", "refs/heads/main", "main~1")
    assert "was rewritten" in named(iris)["origin/main"].what
    git(hub, "update-ref", "refs/heads/main", kept)
    made = git(hub, "commit-tree", "-p", "main", "-m", "theirs", "main^{tree}")
    git(hub, "update-ref", "refs/heads/main", made)
    commit_files(iris.folder, {"models/iris/README.md": "ours"})
    assert "each has commits that the other lacks" in named(iris)["main"].what


@pytest.mark.slow
def test_a_record_that_was_merged_without_gitreg_is_synced(iris: Registry, hub: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(hub), "plain")
    commit_files(tmp_path / "plain", {"models/iris/versions/3.yaml": record("iris", "3", 3)})
    git(tmp_path / "plain", "push", "-q", "origin", "main")
    found = named(iris)
    assert set(found) == {"origin refs/tags/models/iris@3"}
    iris.repair(list(found.values()))
    assert "refs/tags/models/iris@3" in refs(hub)
    assert iris.doctor() == []


@pytest.mark.slow
def test_a_remote_that_does_not_answer_is_left_out_and_that_is_said(iris: Registry, hub: Path) -> None:
    hub.rename(hub.with_name("elsewhere"))
    with pytest.warns(UserWarning, match="origin was not looked at"):
        assert iris.doctor() == []
    iris.session.local = True
    assert iris.doctor() == []


@pytest.mark.slow
def test_by_url_the_remotes_own_tags_and_mirrors_are_looked_at_and_the_cache_needs_none(
    iris: Registry, hub: Path
) -> None:
    with Registry.open(f"file://{hub}") as by_url:
        assert by_url.doctor() == []
    git(hub, "tag", "-d", "models/iris@2")
    git(hub, "update-ref", "-d", "refs/stages/iris@production")
    with Registry.open(f"file://{hub}") as by_url:
        kept = refs(by_url.folder)
        found = by_url.doctor()
        assert {problem.where.rpartition(" ")[2] for problem in found} == {
            "refs/tags/models/iris@2",
            "refs/stages/iris@production",
        }
        assert all("is missing on file://" in problem.what for problem in found)
        assert refs(by_url.folder) == kept
        by_url.repair(found)
        assert by_url.doctor() == []
    assert iris.doctor() == []
