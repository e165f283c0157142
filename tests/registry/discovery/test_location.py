"""Where a registry is made, and how it is found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import InvalidInput, NotFound, Refused
from gitreg.sdk.registry import Registry
from tests.registry.support import git


@pytest.fixture
def project(user: Path, tmp_path: Path) -> Path:
    """A project's repository with one commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "code.py").write_text("pass\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "code")
    return folder


def test_a_folder_that_is_not_there_gets_a_repository_of_its_own_even_inside_another(project: Path) -> None:
    made, _ = Registry.init(project / "shop")
    with made as registry:
        assert (registry.folder, registry.session.branch.name) == (project / "shop", "main")
    assert git(project, "branch", "--list", "registry") == ""


@pytest.mark.slow
def test_a_registry_in_a_folder_is_found_whatever_is_checked_out_and_from_a_bare_clone(
    project: Path, tmp_path: Path, weights: Path
) -> None:
    (project / "ml").mkdir()
    made, _ = Registry.init(project / "ml", branch="main")
    with made as registry:
        assert registry.session.branch.root == "ml"
        registry.save("iris", weights)
    git(project, "checkout", "-q", "-b", "feature", "HEAD~2")
    assert not (project / "ml").exists()
    with Registry.open(project) as registry:
        assert registry.version("iris").number == 1
    git(tmp_path, "clone", "-q", "--bare", str(project), "bare.git")
    with pytest.raises(NotFound):
        Registry.open(tmp_path / "bare.git")
    with Registry.open(f"{tmp_path / 'bare.git'}#main:ml") as registry:
        assert registry.version("iris").number == 1
    with pytest.raises(NotFound, match="on the branch main"):
        Registry.open(f"{tmp_path / 'bare.git'}#main:nowhere")


def test_a_folder_may_have_a_hash_in_its_name(user: Path, tmp_path: Path) -> None:
    made, _ = Registry.init(tmp_path / "c#proj")
    made.close()
    with Registry.open(tmp_path / "c#proj") as registry:
        assert registry.session.branch.name == "main"
    with Registry.open(f"{tmp_path / 'c#proj'}#main") as registry:
        assert registry.session.branch.name == "main"


def test_a_store_is_taken_from_the_current_folder_and_found_from_every_work_tree(
    project: Path, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    made, _ = Registry.init(".", store="weights")
    with made as registry:
        registry.save("iris", weights)
        assert registry.session.snapshot().settings.store == "deep/weights"
    assert (project / "deep" / "weights" / "sha256").is_dir()
    git(project, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    with Registry.open(tmp_path / "linked") as registry:
        assert registry.load("iris").is_dir()


def test_a_store_that_cannot_be_opened_makes_no_registry(user: Path, tmp_path: Path) -> None:
    with pytest.raises((InvalidInput, Refused), match="nfs"):
        Registry.init(tmp_path / "shop", store="nfs://server/x")
    assert not (tmp_path / "shop").exists()


def test_a_registry_whose_settings_are_broken_in_the_work_tree_is_found_all_the_same(
    user: Path, tmp_path: Path, weights: Path
) -> None:
    made, _ = Registry.init(tmp_path / "shop")
    with made as registry:
        registry.save("iris", weights)
    (tmp_path / "shop" / "gitreg.yaml").write_text("branch: [\n")
    with Registry.open(tmp_path / "shop") as registry:
        assert registry.version("iris").number == 1


def test_a_registry_on_a_branch_of_the_remote_that_was_not_checked_out_is_pointed_at(
    user: Path, tmp_path: Path
) -> None:
    made, _ = Registry.init(tmp_path / "made")
    made.close()
    git(tmp_path, "init", "-q", "--bare", "-b", "master", "hub.git")
    git(tmp_path / "made", "push", "-q", str(tmp_path / "hub.git"), "main:main")
    git(tmp_path, "clone", "-q", str(tmp_path / "hub.git"), "clone")
    with pytest.raises(NotFound) as error:
        Registry.open(tmp_path / "clone")
    assert error.value.hint == "a remote has one: `git switch -c main origin/main`"
    git(tmp_path / "clone", "switch", "-qc", "main", "origin/main")
    with Registry.open(tmp_path / "clone") as registry:
        assert registry.session.branch.name == "main"
