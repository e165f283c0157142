"""``@model`` on plain functions and on our own steps, and what ``current.model`` does in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import pytest

import gitreg
from gitreg import InvalidInput, NotFound, Refused, Registry, current, model, pipeline, step
from gitreg.errors import IntegrityError
from gitreg.integrations.loads import names_and_paths
from tests.registry.support import git


def drafts(registry: Registry) -> list[str]:
    return list(registry.session.branch.repository.refs("refs/drafts/"))


@model
def train(metadata: Any = None, label: str | None = None, path: Any = "m.bin") -> dict[str, Any]:
    return current.model.save(path, label=label, metadata=metadata)


@pytest.mark.slow
def test_a_function_saves_a_version_that_is_published_when_it_returns(inside: Registry) -> None:
    seen: dict[str, Any] = {}

    @model
    def fit() -> dict[str, Any]:
        seen.update(saved := current.model.save(Path("m.bin"), metadata={"accuracy": 0.9}))
        assert inside.session.snapshot().find_model("fit") is None
        return saved

    reference = fit()
    assert (seen["version"], reference["version"], reference["number"]) == (None, "1", 1)
    assert reference == json.loads(json.dumps(reference))
    version = inside.version("fit")
    assert (version.metadata, dict(version.record.run or {})["pipeline"]) == ({"accuracy": 0.9}, "fit")
    assert version.artifacts["model"].type == "model"
    assert version.artifacts["model"].digest == reference["digest"]
    assert inside.read_file("fit@1", "m.bin") == b"weights"


@pytest.mark.slow
def test_a_label_names_the_model(inside: Registry) -> None:
    assert train(label="team/iris")["reference"] == "team/iris@1"
    assert train(label="team/iris")["reference"] == "team/iris@2", "the same again is a new version"


@pytest.mark.slow
def test_what_was_saved_under_the_name_of_the_runs_own_model_is_another_version_of_it(inside: Registry) -> None:
    with gitreg.run() as run:
        current.model.save("m.bin", label="iris", metadata={"epoch": 1})
        run.bind(gitreg.Model("iris")).log_metadata({"accuracy": 0.9})
        current.model.save("m.bin", label="iris", metadata={"epoch": 2})
        run.bind(gitreg.Model("iris")).log_metadata({"loss": 0.1})
    said = [inside.version(f"iris@{number}").metadata for number in (1, 2, 3)]
    assert said == [{"epoch": 1}, {"accuracy": 0.9, "loss": 0.1}, {"epoch": 2}]


def test_a_hostile_label_is_refused_and_nothing_is_published(inside: Registry) -> None:
    before = git(inside.folder, "rev-parse", "HEAD")
    with gitreg.run() as run:
        run.is_given_up = True
        for label in ("", " ", "..", "../up", "/etc/passwd", "a//b", "a@b", "a\\b", "a\nb", "x" * 300, 7):
            with pytest.raises(InvalidInput):
                current.model.save("m.bin", label=label)  # type: ignore[arg-type]
        assert current.model.saved == []
    assert git(inside.folder, "rev-parse", "HEAD") == before


@pytest.mark.slow
def test_a_path_that_is_not_there_is_an_error(inside: Registry) -> None:
    with pytest.raises(NotFound, match=r"nothing\.bin"):
        train(path="nothing.bin")
    with pytest.raises(InvalidInput, match="int"):
        train(path=3)


def test_metadata_that_json_cannot_say_is_an_error_that_names_the_key(inside: Registry) -> None:
    with gitreg.run():
        for wrong in (object(), float("nan"), {1, 2}):
            with pytest.raises(InvalidInput, match=r"metadata\.a\.b"):
                current.model.save("m.bin", metadata={"a": {"b": wrong}})
        assert current.model.saved == []


def test_a_function_that_fails_publishes_nothing_and_leaves_a_draft(inside: Registry) -> None:
    @model
    def half() -> None:
        current.model.save("m.bin")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert inside.session.snapshot().find_model("half") is None
    assert len(drafts(inside)) == 1


@pytest.mark.slow
def test_two_hundred_checkpoints_are_two_hundred_versions_in_one_commit(inside: Registry) -> None:
    @model
    def checkpoints() -> list[dict[str, Any]]:
        saved = []
        for epoch in range(200):
            Path("m.bin").write_text(f"epoch {epoch}")
            saved.append(current.model.save("m.bin", label="net", metadata={"epoch": epoch}))
        return saved

    before = int(git(inside.folder, "rev-list", "--count", "HEAD"))
    saved = checkpoints()
    assert int(git(inside.folder, "rev-list", "--count", "HEAD")) == before + 1
    assert [each["number"] for each in saved] == list(range(1, 201))
    assert inside.read_file("net@137", "m.bin") == b"epoch 136"
    assert inside.version("net@137").metadata == {"epoch": 136}


@pytest.mark.slow
def test_threads_that_save_at_once_get_a_version_each(inside: Registry) -> None:
    @model
    def many() -> list[dict[str, Any]]:
        models = current.model
        for number in range(8):
            Path(f"{number}.txt").write_text(str(number))
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda number: models.save(f"{number}.txt", label="net"), range(8)))

    saved = many()
    assert sorted(each["number"] for each in saved) == list(range(1, 9))
    for number, each in enumerate(saved):
        assert inside.read_file(each["reference"], f"{number}.txt") == str(number).encode()


# -- loading -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_is_loaded_is_a_folder_of_its_own_that_changes_nothing_else(inside: Registry) -> None:
    reference = train(metadata={"accuracy": 0.9}, label="iris")

    @model(load="iris")
    def use() -> tuple[str, str]:
        first = current.model.loaded["iris"]
        Path(first, "m.bin").write_text("changed")
        Path(first, "mine.txt").write_text("mine")
        second = current.model.load(reference)
        assert current.model.loaded.info["iris"]["metadata"] == {"accuracy": 0.9}
        assert current.model.loaded.info["iris@1"] == current.model.loaded.info["iris"] == {**reference}
        assert dict(current.model.loaded) == {"iris": first, "iris@1": second}
        return first, second

    first, second = use()
    assert first != second
    assert Path(first, "m.bin").read_text() == "changed"
    assert {each.name: each.read_text() for each in Path(second).iterdir()} == {"m.bin": "weights"}
    assert inside.read_file("iris@1", "m.bin") == b"weights"
    assert (Path(inside.load("iris@1")) / "m.bin").read_text() == "weights"


@pytest.mark.slow
def test_what_was_loaded_is_an_input_of_what_is_saved(inside: Registry) -> None:
    train(label="base")

    @model(load="base@1")
    def tune() -> dict[str, Any]:
        return current.model.save("m.bin", label="tuned")

    assert inside.version(tune()["reference"]).record.inputs == ("base@1",)


@pytest.mark.slow
def test_versions_are_loaded_by_number_stage_and_list_into_named_folders(inside: Registry, tmp_path: Path) -> None:
    train(label="iris")
    inside.promote("iris@1", "production")

    @model(load=["iris@production", ("iris@1", "here"), ("iris", None)], temp_dir_root=tmp_path / "temporary")
    def use() -> dict[str, str]:
        return dict(current.model.loaded)

    loaded = use()
    assert loaded["iris@1"] == str(Path("here").absolute())
    assert {Path(loaded[name]).parent for name in ("iris@production", "iris")} == {tmp_path / "temporary"}
    for folder in loaded.values():
        assert Path(folder, "m.bin").read_text() == "weights"
    Path("here", "m.bin").write_text("mine")
    with pytest.raises(Refused):
        use()
    assert Path("here", "m.bin").read_text() == "mine"


@pytest.mark.slow
def test_an_argument_that_holds_a_reference_is_loaded_by_its_name(inside: Registry) -> None:
    first, second = train(label="iris"), train(label="iris")
    assert second["reference"] == "iris@2"

    @model(load="iris")
    def use(iris: Any) -> dict[str, Any]:
        return current.model.loaded.info["iris"]

    assert use(first)["reference"] == "iris@1"
    assert use(iris=json.loads(json.dumps(first)))["reference"] == "iris@1"


@pytest.mark.slow
def test_a_reference_is_found_in_the_run_that_made_it_and_by_a_copy_from_before_the_seal(inside: Registry) -> None:
    copies: list[dict[str, Any]] = []

    @model
    def checkpoints() -> None:
        saved = [current.model.save("m.bin", label="net", metadata={"epoch": epoch}) for epoch in range(3)]
        copies.extend(map(dict, saved))
        folder = current.model.load(copies[1])
        assert Path(folder, "m.bin").read_text() == "weights"

    checkpoints()
    assert copies[1]["version"] is None

    @model
    def use() -> list[str]:
        for each in copies:
            current.model.load(each)
        return list(current.model.loaded)

    assert use() == ["net@1", "net@2", "net@3"]


@pytest.mark.slow
def test_a_reference_to_something_else_of_the_same_name_is_refused(inside: Registry) -> None:
    reference = train(label="iris")
    wrong = {**reference, "digest": "sha256:" + "0" * 64}

    @model
    def use(reference: Any) -> str:
        return current.model.load(reference)

    with pytest.raises(IntegrityError, match="iris@1"):
        use(wrong)
    with pytest.raises(NotFound):
        use({**wrong, "version": None})
    for odd in (None, 3, {}, {"type": "other"}):
        with pytest.raises(InvalidInput, match="no reference"):
            use(odd)
    with pytest.raises(NotFound):
        use("iris@9")


@pytest.mark.parametrize("load", [3, [3], [("a",)], [("a", 3)], [("a", "b", "c")], {"a": "b"}])
def test_load_of_another_shape_is_refused_where_it_stands(load: Any) -> None:
    with pytest.raises(InvalidInput, match="load="):
        model(load=load)


def test_load_takes_a_name_a_list_and_pairs() -> None:
    assert names_and_paths(None) == []
    assert names_and_paths("a") == [("a", None)]
    assert names_and_paths(["a", ("b", "c"), ("d", None)]) == [("a", None), ("b", "c"), ("d", None)]


# -- where it stands ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_that_is_under_way_is_joined(inside: Registry) -> None:
    with gitreg.run("first", pipeline="outer"):
        reference = train()
        assert reference["model"] == "outer", "the label is the run's pipeline"
        assert reference["version"] is None
        assert current.model.save("m.bin")["run"]["run"] == "first", "a run has current.model, too"
    assert reference["version"] == "1"
    assert [version.version for version in inside.session.snapshot().versions("outer")] == ["1", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("model_is_above", [True, False])
def test_a_step_of_ours_has_current_model_in_either_order(inside: Registry, model_is_above: bool) -> None:
    def fit(rounds: int) -> Annotated[dict, "saved"]:  # type: ignore[type-arg]
        return current.model.save("m.bin", label="iris", metadata={"rounds": rounds})

    def use(saved: dict) -> Annotated[str, "name"]:  # type: ignore[type-arg]
        return Path(current.model.loaded["saved"], "m.bin").read_text()

    def both(function: Any, **given: Any) -> Any:
        return model(**given)(step(function)) if model_is_above else step(model(**given)(function))

    fitted, used = both(fit), both(use, load="saved")
    texts: list[str] = []

    @pipeline
    def whole() -> None:
        texts.append(used(fitted(rounds=3)).load())

    whole()
    assert texts == ["weights"]
    version = inside.version("iris@1")
    assert version.metadata == {"rounds": 3}
    assert dict(version.record.run or {})["step"] == "fit"
    whole()
    assert inside.version("iris").number == 2, "a step that saves a model is done again"


def test_outside_of_anything_current_model_says_what_to_do(inside: Registry) -> None:
    with pytest.raises(InvalidInput, match="@model") as error:
        _ = current.model
    assert error.value.hint is not None


def test_what_ends_after_its_call_cannot_be_decorated() -> None:
    async def later() -> None: ...

    def lines() -> Any:
        yield 1

    wrong: tuple[Any, ...] = (later, lines, dict, 3)
    for function in wrong:
        with pytest.raises(InvalidInput, match="@model"):
            model(function)


def test_a_decorated_function_is_still_itself() -> None:
    assert (train.__name__, train.__module__) == ("train", __name__)


@pytest.mark.slow
def test_metaflow_is_never_imported_without_a_flow(inside: Registry) -> None:
    script = (
        "import sys; from gitreg import model, current\n"
        "@model\ndef fit(): return current.model.save('m.bin')\n"
        "fit(); print(sorted(name for name in sys.modules if name.startswith('metaflow')))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.slow
def test_a_child_process_saves_into_the_run_of_its_parent(inside: Registry) -> None:
    script = "from gitreg import current; current.model.save('m.bin', label='iris', metadata={'rank': 1})"

    @model
    def launch() -> None:
        current.model.save("m.bin", label="iris", metadata={"rank": 0})
        subprocess.run([sys.executable, "-c", script], check=True, env=os.environ)
        assert inside.session.snapshot().find_model("iris") is None

    launch()
    assert [version.metadata["rank"] for version in inside.session.snapshot().versions("iris")] == [0, 1]
