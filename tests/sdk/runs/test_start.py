"""Runs: drafts while they are made, one commit when they end well, and what is left when they do not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gitreg
from gitreg import AlreadyExists, GitregError, InvalidInput, Model, NotFound, Refused, Registry, save_artifact
from gitreg.sdk.verbs.drafts import discard, draft_rows, find_any_run, run_rows, seal_by_hand
from tests.registry.support import git

pytestmark = pytest.mark.slow


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.chdir(registry.folder)
    return registry


def fail(name: str) -> None:
    with gitreg.run(name, model=Model("iris")):
        save_artifact("half", "weights")
        raise ZeroDivisionError


def commits(registry: Registry) -> int:
    return int(git(registry.folder, "rev-list", "--count", "HEAD"))


def drafts(registry: Registry) -> list[str]:
    return list(registry.session.branch.repository.refs("refs/drafts/"))


@pytest.mark.slow
def test_what_a_run_saves_is_one_version_in_one_commit(inside: Registry) -> None:
    before = commits(inside)
    with gitreg.run("first", pipeline="train", model=Model("iris", tags=["a"]), parameters={"epochs": 3}) as run:
        saved = save_artifact({"rows": 3}, "data")
        assert (saved.version, saved.number) == (None, None), "it has no number yet"
        save_artifact("weights", "weights", artifact_type="model", metadata={"loss": 0.1})
        assert run.model is not None
        run.model.log_metadata({"accuracy": 0.9})
        assert inside.version("iris@draft").metadata == {"accuracy": 0.9}
        assert run.model.load_artifact("weights") == "weights"
        assert drafts(inside) == ["refs/drafts/train@first"]
        assert commits(inside) == before
    assert commits(inside) == before + 1
    assert drafts(inside) == []
    assert run.model.number == 1, "it means the sealed version now"
    version = inside.version("iris")
    assert (version.metadata, version.record.run) == ({"accuracy": 0.9}, {"pipeline": "train", "run": "first"})
    assert inside.model("iris").document.tags == ("a",)
    said, status = find_any_run(inside.session, "train/first")
    assert (status, said.parameters, said.versions) == ("completed", {"epochs": 3}, ("iris@1",))
    assert said.environment["packages"]["click"]
    assert gitreg.get_artifact_version(saved.id).reference == "data@1"
    assert (saved.reference, saved.number) == ("data@1", 1), "what was handed out knows its number now"
    with pytest.raises(AlreadyExists, match="train/first"), gitreg.run("first", pipeline="train"):
        pass


def test_a_run_without_a_model_keeps_its_artifacts(inside: Registry) -> None:
    with gitreg.run(pipeline="prepare"):
        save_artifact([1, 2, 3], "numbers", "march")
        with pytest.raises(InvalidInput, match="works on no model"):
            gitreg.link_artifact_to_model("numbers")
    assert gitreg.load_artifact("numbers") == [1, 2, 3]
    assert inside.session.snapshot().model_names() == []


@pytest.mark.slow
def test_a_failed_run_leaves_its_draft_and_goes_on_under_its_name(inside: Registry) -> None:
    with pytest.raises(ZeroDivisionError) as failed:
        fail("r")
    assert any("kept as a draft" in note for note in failed.value.__notes__)
    (row,) = draft_rows(inside.session)
    assert (row["status"], row["artifacts"], row["model"]) == ("failed", ["weights"], "iris")
    with gitreg.run("r", model=Model("iris")) as run:
        assert run.resumed
        assert gitreg.load_artifact("weights") == "half"
        save_artifact("whole", "weights")
    assert inside.version("iris@1").links == ("weights@1", "weights@2")
    assert drafts(inside) == []


@pytest.mark.slow
def test_a_draft_is_sealed_or_discarded_by_hand(inside: Registry) -> None:
    for name in ("a", "b"):
        with pytest.raises(ZeroDivisionError):
            fail(name)
    with pytest.raises(NotFound, match="2 versions of iris are being made"):
        inside.version("iris@draft")
    assert inside.version("iris@draft:a").artifacts["weights"].size == 4
    seal_by_hand(inside.session, "a")
    assert inside.version("iris@1").record.run == {"pipeline": "run", "run": "a"}
    assert find_any_run(inside.session, "a")[1] == "failed", "it did not end well, and says so"
    discard(inside.session, "run/b")
    assert [row["run"] for row in run_rows(inside.session)] == ["a"]
    with pytest.raises(NotFound, match="no draft of a run 'b'"):
        seal_by_hand(inside.session, "b")


@pytest.mark.slow
def test_a_draft_that_was_sealed_is_none_any_more_though_its_process_died_before_it_was_removed(
    inside: Registry,
) -> None:
    with gitreg.run("r", pipeline="train", model=Model("iris", "v1")):
        save_artifact("whole", "weights")
        left = git(inside.folder, "rev-parse", "refs/drafts/train@r")
    git(inside.folder, "update-ref", "refs/drafts/train@r", left)
    assert (draft_rows(inside.session), len(run_rows(inside.session))) == ([], 1)
    assert find_any_run(inside.session, "r")[1] == "completed"
    assert ["is sealed" in problem.what for problem in inside.doctor()] == [True]
    with gitreg.run("s", model=Model("iris", "v1")) as run:
        assert not run.resumed
    with pytest.raises(AlreadyExists), gitreg.run("r", pipeline="train"):
        pass
    assert drafts(inside) == []


@pytest.mark.slow
def test_a_stage_is_checked_at_once_and_taken_with_the_seal(inside: Registry) -> None:
    inside.create_version("iris")
    inside.promote("iris@1", "production")
    with gitreg.run(model=Model("iris")) as run:
        assert run.model is not None
        with pytest.raises(Refused, match="iris@1"):
            run.model.set_stage("production")
        with pytest.raises(InvalidInput, match="no stage 'prod'"):
            run.model.set_stage("prod")
        run.model.set_stage("production", force=True)
        assert inside.version("iris@production").version == "1"
    assert inside.version("iris@production").version == "2"


@pytest.mark.slow
def test_a_promotion_made_meanwhile_does_not_change_what_a_run_works_on(inside: Registry) -> None:
    inside.create_version("iris")
    inside.create_version("iris")
    inside.promote("iris@1", "production")
    with gitreg.run() as run:
        bound = run.bind(Model("iris", "production"))
        assert bound.number == 1
        inside.promote("iris@2", "production", force=True)
        assert run.bind(Model("iris", "production")).number == 1
        bound.log_metadata({"seen": True})
        with pytest.raises(NotFound):
            run.bind(Model("iris", 9))
    assert inside.version("iris@1").metadata == {"seen": True}


@pytest.mark.slow
def test_what_a_run_loads_is_an_input_of_what_it_makes(inside: Registry, weights: Path) -> None:
    inside.save("base", weights)
    save_artifact([1], "data")
    with gitreg.run(model=Model("iris")):
        Model("base").load()
        gitreg.load_artifact("data")
        save_artifact([2], "own")
        gitreg.load_artifact("own")
    assert inside.version("iris").record.inputs == ("base@1", "data@1")


@pytest.mark.slow
def test_a_child_process_joins_the_run_by_its_environment(inside: Registry) -> None:
    code = """
import gitreg
gitreg.save_artifact("from a child", "note")
with gitreg.run() as joined:
    joined.model.log_metadata({"x": 1})
"""
    with gitreg.run(model=Model("iris")):
        subprocess.run([sys.executable, "-c", code], check=True, cwd="/")
    assert "GITREG_RUN" not in os.environ
    version = inside.version("iris")
    assert (version.metadata, version.links) == ({"x": 1}, ("note@1",))


@pytest.mark.slow
def test_a_process_that_hears_of_its_run_after_it_has_imported_gitreg_joins_it(inside: Registry) -> None:
    code = """
import os
import gitreg
from gitreg import save_artifact
os.environ.update(eval(os.environ.pop("LATER")))
save_artifact("from a worker", "note")
"""
    with gitreg.run(model=Model("iris")):
        later = {name: value for name, value in os.environ.items() if name.startswith("GITREG_")}
        env = {name: value for name, value in os.environ.items() if name not in later}
        subprocess.run([sys.executable, "-c", code], check=True, cwd="/", env={**env, "LATER": repr(later)})
    assert inside.version("iris").links == ("note@1",)


@pytest.mark.slow
def test_a_run_on_a_registry_that_is_named_by_its_url_hands_on_the_mirror_and_not_the_url(
    one: Registry, hub: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.save("iris", weights)
    monkeypatch.setenv("GITREG_REGISTRY", hub.as_uri())
    with gitreg.run():
        named = os.environ["GITREG_REGISTRY"]
        assert "://" not in named
        with Registry.open(named) as found:
            assert found.version("iris").number == 1


@pytest.mark.slow
def test_a_run_keeps_its_code_and_the_patch_when_asked(
    inside: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    git(code, "init", "-q")
    (code / "train.py").write_text("epochs = 1\n")
    git(code, "add", ".")
    git(code, "commit", "-qm", "Code")
    (code / "train.py").write_text("epochs = 2\n")
    monkeypatch.chdir(code)
    with Registry.open(inside.folder) as registry, gitreg.run(model=Model("iris"), save_patch=True, registry=registry):
        pass
    version = inside.version("iris")
    assert version.record.source == {"commit": git(code, "rev-parse", "HEAD"), "dirty": True}
    (patch,) = version.artifacts
    text = gitreg.load_artifact(patch, registry=inside)
    git(code, "checkout", "-q", ".")
    git(code, "apply", stdin=text)
    assert (code / "train.py").read_text() == "epochs = 2\n"


@pytest.mark.slow
def test_artifacts_outside_of_a_run_are_committed_at_once(inside: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "a.csv").write_text("1,2\n")
    first = save_artifact(folder, "table", "may", metadata={"rows": 1})
    assert (first.reference, first.number, first.metadata) == ("table@may", 1, {"rows": 1})
    assert (first.load() / "a.csv").read_text() == "1,2\n"
    assert save_artifact(folder / "a.csv", "file").load().read_text() == "1,2\n"
    before = commits(inside)
    assert save_artifact(folder, "table", "may").id == first.id
    assert commits(inside) == before, "the very same"
    (folder / "a.csv").write_text("3,4\n")
    with pytest.raises(AlreadyExists):
        save_artifact(folder, "table", "may")
    with pytest.raises(NotFound):
        save_artifact(tmp_path / "nothing", "table")
    with pytest.raises(InvalidInput, match="no materializer takes object"):
        save_artifact(object(), "thing")
    model = Model("iris", "1.0")
    gitreg.link_artifact_to_model(first.id, model=model)
    gitreg.link_artifact_to_model(first.id, model=model)
    assert inside.version("iris@1.0").links == ("table@may",)
    with pytest.raises(NotFound):
        gitreg.link_artifact_to_model(first.id, model=Model("iris", 7))
    inside.delete_version("iris@1.0")
    assert gitreg.get_artifact_version("table").reference == "table@may", "deleting a version keeps it"


@pytest.mark.slow
def test_runs_in_threads_of_their_own_keep_apart(inside: Registry) -> None:
    together = threading.Barrier(3)

    def work(name: str) -> None:
        with gitreg.run(name, model=Model(name)):
            together.wait()
            save_artifact(name, f"{name}_data")
            together.wait()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, ["a", "b", "c"]))
    assert {name: list(inside.version(name).artifacts) for name in "abc"} == {name: [f"{name}_data"] for name in "abc"}
    assert not {"GITREG_RUN", "GITREG_STEP", "GITREG_REGISTRY"} & set(os.environ), "whichever ended last"


@pytest.mark.slow
def test_what_threads_and_children_save_is_seen_by_who_waits_for_them(inside: Registry) -> None:
    code = "import gitreg; gitreg.save_artifact('from a child', 'theirs')"
    with gitreg.run(model=Model("iris")) as run:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: save_artifact(n, f"thread_{n}"), range(8)))
        subprocess.run([sys.executable, "-c", code], check=True)
        assert gitreg.load_artifact("theirs") == "from a child"
        assert run.model is not None
        assert run.model.load_artifact("thread_7") == 7
    assert len(inside.version("iris").artifacts) == 9


@pytest.mark.slow
def test_a_fork_that_leaves_the_block_does_not_end_the_run(inside: Registry) -> None:
    code = """
import os, sys, gitreg
with gitreg.run("forked", model=gitreg.Model("iris")):
    if os.fork() == 0:
        gitreg.save_artifact("child", "childs")
        sys.exit(3)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 3
    gitreg.save_artifact("parent", "parents")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(inside.version("iris").artifacts) == {"childs", "parents"}
    assert find_any_run(inside.session, "forked")[1] == "completed"


def test_where_nothing_can_be_written_a_run_says_so(inside: Registry) -> None:
    folder = inside.session.branch.repository.common_dir / "gitreg" / "runs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way")  # root may write where the rights say no
    with pytest.raises(GitregError, match=r"cannot be begun in .*runs"), gitreg.run():
        raise AssertionError
