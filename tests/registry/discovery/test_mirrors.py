"""A registry that is named by its URL: read and written without a clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import IntegrityError, InvalidInput, NotFound, Refused
from gitreg.registry.discovery.mirrors import is_address
from gitreg.sdk.registry import Registry
from tests.registry.support import git


@pytest.fixture
def url(one: Registry, hub: Path, weights: Path) -> str:
    for number in range(3):
        one.save("iris", weights, metadata={"n": number})
        one.promote("iris", "production", force=True)
    return f"file://{hub}"


def objects(mirror: Path) -> int:
    return int(git(mirror, "rev-list", "--all", "--count"))


@pytest.mark.slow
def test_reading_brings_the_newest_commit_alone(url: str) -> None:
    with Registry.open(url) as registry:
        assert registry.version("iris@production").number == 3
        assert objects(registry.folder) == 2  # with the one that its tag is at
        assert git(registry.folder, "tag") == "models/iris@3"


@pytest.mark.slow
def test_what_others_write_is_seen_when_it_is_opened_again(url: str, tmp_path: Path) -> None:
    Registry.open(url).close()
    with Registry.open(tmp_path / "one") as one:
        one.promote("iris@1", "production", force=True)
    with Registry.open(url) as registry:
        assert objects(registry.folder) == 2
        assert registry.version("iris@production").number == 1


@pytest.mark.slow
def test_writing_publishes_and_knows_who_held_the_stage_before(url: str, tmp_path: Path, weights: Path) -> None:
    with Registry.open(url) as registry:
        assert registry.save("iris", weights, metadata={"n": 9}).number == 4
        assert registry.rollback("iris", "production").number == 2
    with Registry.open(tmp_path / "one") as one:
        assert one.save("iris", weights, metadata={"n": 10}).number == 5
        assert one.version("iris@production").number == 2
    assert "refs/tags/models/iris@4" in git(tmp_path / "hub.git", "for-each-ref")


@pytest.mark.slow
def test_a_branch_that_was_set_back_is_followed_only_where_a_person_accepts_it(url: str, tmp_path: Path) -> None:
    Registry.open(url).close()
    was = git(tmp_path / "hub.git", "rev-parse", "main")
    git(tmp_path / "hub.git", "update-ref", "refs/heads/main", "main~2")
    for _ in range(2):  # refusing it leaves nothing behind that the next one would take for accepted
        with pytest.raises(
            Refused, match=rf"the history of {url} \(main\) was rewritten: it was at {was[:12]}"
        ) as said:
            Registry.open(url)
        assert f"`gitreg --repo {url} pull --accept-rewrite`" in (said.value.hint or "")
    with Registry.open(url, accept_rewrite=True) as registry:
        assert registry.version("iris").number == 2
        registry.promote("iris@1", "staging")
    assert "refs/stages/iris@staging" in git(tmp_path / "hub.git", "for-each-ref")
    Registry.open(url).close()


@pytest.mark.slow
def test_another_registry_behind_the_address_is_told(url: str, tmp_path: Path, weights: Path) -> None:
    Registry.open(url).close()
    with Registry.open(url) as registry:
        registry.save("iris", weights, metadata={"n": 7})  # by which the mirror has its whole history
    git(tmp_path, "init", "-q", "-b", "main", "other")
    Registry.init(tmp_path / "other", store=str(tmp_path / "store"))[0].close()
    git(tmp_path / "other", "push", "-q", "--force", str(tmp_path / "hub.git"), "main")
    with pytest.raises(Refused, match=f"{url} is another registry than before"):
        Registry.open(url)


@pytest.mark.slow
def test_a_rewrite_between_opening_and_writing_is_refused_too(url: str, tmp_path: Path, weights: Path) -> None:
    with Registry.open(url) as registry:
        git(tmp_path / "hub.git", "update-ref", "refs/heads/main", "main~1")
        with pytest.raises(Refused, match=rf"the history of {url} \(main\) was rewritten"):
            registry.save("iris", weights, metadata={"n": 7})


@pytest.mark.slow
def test_offline_takes_the_mirror_and_says_so(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITREG_OFFLINE", "1")
    with pytest.raises(NotFound, match="there is no mirror"):
        Registry.open(url)
    monkeypatch.delenv("GITREG_OFFLINE")
    with Registry.open(url) as registry:
        registry.version("iris@production")
    (tmp_path / "hub.git").rename(tmp_path / "gone.git")
    with pytest.raises(NotFound, match=r"no repository at file://"):
        Registry.open(url)
    monkeypatch.setenv("GITREG_OFFLINE", "1")
    with pytest.warns(UserWarning, match="offline"):
        registry = Registry.open(url)
    with registry:
        assert registry.version("iris@production").number == 3
        with pytest.raises(IntegrityError, match="iris@1 is not verified: it came without history"):
            registry.version("iris@1")


@pytest.mark.slow
def test_a_registry_on_a_branch_of_its_own_is_found_and_one_that_is_not_there_named(
    user: Path, tmp_path: Path, weights: Path
) -> None:
    project = tmp_path / "project"
    git(tmp_path, "init", "-q", "-b", "main", "project")
    git(project, "commit", "-q", "--allow-empty", "-m", "code")
    with Registry.init(project, store=str(tmp_path / "store"))[0] as made:
        made.save("iris", weights)
    with Registry.open(f"file://{project}") as registry:
        assert registry.session.branch.name == "registry"
        assert registry.version("iris").number == 1
    with pytest.raises(NotFound, match="there is no registry at") as caught:
        Registry.open(f"file://{project}#main")
    assert "URL#BRANCH" in (caught.value.hint or "")


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["*", "ma*n", "a b", "x..y", "^main", "main:x*"])
def test_a_branch_that_no_ref_can_be_called_is_told(url: str, branch: str) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        Registry.open(f"{url}#{branch}")


@pytest.mark.slow
def test_nothing_stays_local_where_there_is_no_clone(url: str) -> None:
    with pytest.raises(InvalidInput, match="--local needs a clone"):
        Registry.open(url, local=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://host/team/models.git", True), ("ssh://git@host/models", True), ("file:///srv/models.git", True),
        ("git@host:team/models.git", True), ("host:models#branch", True), ("folder", False), ("/srv/models", False),
        ("models#registry:sub/folder", False), ("C:\\models", False), ("./a:b", False),
    ],
)  # fmt: skip
def test_an_address_is_told_from_a_folder(text: str, expected: bool) -> None:
    assert is_address(text) is expected
