"""Which code a version, a run and a task were made by, wherever registry and code lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import gitreg
from gitreg import Model, Registry
from gitreg.integrations.metaflow.task import Attempt, FlowTask
from tests.registry.conftest import hub, one
from tests.registry.support import commit_files, git

pytestmark = pytest.mark.slow

__all__ = ["hub", "one"]

Made = Callable[[Registry, Path], str | None]


@pytest.fixture
def code(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of code on the branch that registries are on, too, and the current folder."""
    git(tmp_path, "init", "-q", "-b", "main", "code")
    commit_files(tmp_path / "code", {"train.py": "epochs = 1\n"})
    monkeypatch.chdir(tmp_path / "code")
    return tmp_path / "code"


def head(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


def saved(registry: Registry, weights: Path) -> str | None:
    return (registry.save("iris", weights).record.source or {}).get("commit")


def saved_in_a_batch(registry: Registry, weights: Path) -> str | None:
    with registry.batch() as batch:
        batch.save("iris", weights)
    return (registry.version("iris").record.source or {}).get("commit")


def ran(registry: Registry, weights: Path) -> str | None:
    with gitreg.run(model=Model("iris"), registry=registry) as under_way:
        under_way.artifacts.save("weights", "weights")
    assert under_way.draft.run.source == registry.version("iris").record.source
    return (registry.version("iris").record.source or {}).get("commit")


@pytest.mark.slow
@pytest.mark.parametrize("made", [saved, saved_in_a_batch, ran])
@pytest.mark.parametrize("named", ["by its folder", "by its URL"])
def test_the_code_is_kept_though_its_branch_is_called_as_the_registrys(
    one: Registry, hub: Path, code: Path, weights: Path, made: Made, named: str
) -> None:
    with Registry.open(one.folder if named == "by its folder" else f"file://{hub}") as registry:
        registry.session.trust()
        assert made(registry, weights) == head(code)


@pytest.mark.slow
def test_the_card_of_a_task_names_code_on_a_branch_called_as_the_registrys(
    registry: Registry, code: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITREG_REGISTRY", str(registry.folder))
    task = FlowTask(Attempt(flow="Flow", run="1", step="train", task="2"))
    task.begin(temp_dir_root=None).save(weights)
    task.succeed()
    assert task.told is not None
    assert task.told.source["commit"] == head(code)


@pytest.mark.slow
@pytest.mark.parametrize("checked_out", ["in the registry", "in a linked work tree", "in another clone", "detached"])
def test_the_registry_itself_is_no_code(
    one: Registry, hub: Path, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, checked_out: str
) -> None:
    git(one.folder, "checkout", "-q", "--detach")
    folder = tmp_path / "elsewhere"
    if checked_out == "in another clone":
        git(tmp_path, "clone", "-q", str(hub), str(folder))
    elif checked_out == "in a linked work tree":
        git(one.folder, "worktree", "add", "-q", str(folder), "main")
    else:
        folder = one.folder
        if checked_out == "in the registry":
            git(folder, "checkout", "-q", "main")
    monkeypatch.chdir(folder)
    with Registry.open(one.folder) as here:
        assert saved(here, weights) is None


@pytest.mark.slow
def test_a_registry_in_a_folder_of_the_codes_own_branch_hides_no_code(code: Path, weights: Path) -> None:
    (code / "models").mkdir()
    made, _ = Registry.init(code / "models", branch="main")
    with made:
        before = head(code)
        assert made.session.branch.root == "models"
        assert saved(made, weights) == before


@pytest.mark.slow
def test_a_file_called_as_a_registrys_settings_hides_no_code(registry: Registry, code: Path, weights: Path) -> None:
    with Registry.open(registry.folder) as here:
        for content in ("id: [\n", "format: 1\nkind: registry\nbranch: main\n"):
            commit_files(code, {"gitreg.yaml": content})
            assert saved(here, weights) == head(code)
