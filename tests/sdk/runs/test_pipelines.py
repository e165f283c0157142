"""Steps and pipelines: plain functions, handles between them, and what need not be done again."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Annotated, Any

import pytest

from gitreg import (
    ArtifactConfig,
    InvalidInput,
    Model,
    NotFound,
    Registry,
    get_artifact_version,
    get_step_context,
    pipeline,
    save_artifact,
    step,
)
from gitreg.sdk.verbs.drafts import find_any_run, run_rows

pytestmark = pytest.mark.slow

DONE: list[str] = []


@pytest.fixture
def inside(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.chdir(registry.folder)
    DONE.clear()
    return registry


@step
def numbers(count: int = 3) -> Annotated[list[int], "numbers"]:
    DONE.append("numbers")
    return list(range(count))


@step
def total(values: list[int], factor: float = 1.0) -> Annotated[float, ArtifactConfig("total", is_model_artifact=True)]:
    DONE.append("total")
    values.append(100)  # its own: nobody else sees it
    return factor * sum(values)


@step
def check(values: list[int], result: float) -> None:
    DONE.append(f"check {len(values)} {result}")


@pipeline(model=Model("sums"))
def adding(factor: float = 1.0) -> None:
    values = numbers()
    result = total(values, factor=factor)
    check(values, result, after=["total"])  # type: ignore[call-arg] # the type is the function's own


def test_a_step_outside_of_a_pipeline_is_its_function(inside: Registry) -> None:
    assert total([1, 2], factor=2.0) == 206
    assert total.__name__ == "total"  # type: ignore[attr-defined]
    assert run_rows(inside.session) == []
    with pytest.raises(InvalidInput, match="no step of a run"):
        get_step_context()


@pytest.mark.slow
def test_what_a_step_gives_goes_through_the_store_to_the_next(inside: Registry) -> None:
    adding(factor=2.0)
    assert DONE == ["numbers", "total", "check 3 206.0"], "no step sees what another did to its inputs"
    (row,) = run_rows(inside.session)
    run, _ = find_any_run(inside.session, row["run"])
    assert list(run.steps) == ["numbers", "total", "check"]
    assert run.steps["total"]["inputs"] == {"values": "numbers@1"}
    assert run.steps["total"]["parameters"] == {"factor": 2.0}
    assert run.steps["total"]["outputs"] == {"total": "total@1"}
    assert run.steps["total"]["version"] == "sums@1"


@pytest.mark.slow
def test_a_step_that_is_known_is_not_done_again_and_says_so(inside: Registry, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gitreg")
    adding()
    adding()
    assert DONE == ["numbers", "total", "check 3 103.0", "check 3 103.0"], "what gives nothing is always done"
    assert "total: given by an earlier run" in caplog.text
    assert inside.version("sums@2").artifacts["total"].artifact == "total@1"
    assert inside.version("sums@2").record.inputs == ()
    DONE.clear()
    adding(factor=3.0)
    assert DONE == ["total", "check 3 309.0"], "another parameter, another result"
    DONE.clear()
    adding.with_options(enable_cache=False)()
    assert DONE == ["numbers", "total", "check 3 103.0"]


@pytest.mark.slow
def test_a_step_that_does_more_than_give_outputs_is_done_again(inside: Registry) -> None:
    @step
    def logging_step() -> Annotated[int, "seven"]:
        DONE.append("done")
        get_step_context().model.log_metadata({"a": 1})
        return 7

    @pipeline(model=Model("iris"))
    def train() -> None:
        logging_step()

    train()
    train()
    assert DONE == ["done", "done"]
    assert inside.version("iris@2").metadata == {"a": 1}


@pytest.mark.slow
def test_a_run_that_failed_goes_on_where_it_ended(inside: Registry) -> None:
    broken = [True]

    @step
    def second(values: list[int]) -> Annotated[int, "second"]:
        DONE.append("second")
        if broken:
            raise OSError("the disk is full")
        return len(values)

    @pipeline(model=Model("iris"), enable_cache=False)
    def train() -> None:
        second(numbers())

    with pytest.raises(OSError, match="full"):
        train.with_options(run_name="monday")()
    broken.clear()
    train.with_options(run_name="monday")()
    assert DONE == ["numbers", "second", "second"]
    assert sorted(inside.version("iris@1").artifacts) == ["numbers", "second"]


@pytest.mark.slow
def test_the_steps_model_goes_before_the_pipelines(inside: Registry) -> None:
    @step(model=Model("own", "1.0"))
    def special() -> Annotated[int, "special"]:
        assert get_step_context().model.name == "own"
        return 1

    @pipeline(model=Model("iris"))
    def train() -> None:
        special()
        numbers()

    train()
    assert list(inside.version("own@1.0").artifacts) == ["special"]
    assert list(inside.version("iris@1").artifacts) == ["numbers"]


def test_one_step_twice_has_two_names(inside: Registry) -> None:
    @pipeline
    def twice() -> None:
        numbers(count=1)
        numbers(count=2)

    twice()
    (row,) = run_rows(inside.session)
    assert list(find_any_run(inside.session, row["run"])[0].steps) == ["numbers", "numbers_2"]


@pytest.mark.slow
def test_artifacts_and_objects_are_inputs_too(inside: Registry) -> None:
    earlier = save_artifact([5, 6], "earlier")

    @pipeline
    def train() -> None:
        check(earlier, 1.0)  # type: ignore[arg-type]
        check({1, 2} and b"bytes", 2.0)  # type: ignore[arg-type]

    train()
    assert DONE == ["check 2 1.0", "check 5 2.0"]
    (row,) = run_rows(inside.session)
    steps = find_any_run(inside.session, row["run"])[0].steps
    assert steps["check"]["inputs"] == {"values": "earlier@1"}
    assert steps["check_2"]["inputs"] == {"values": "check.values@1"}


@pytest.mark.slow
def test_what_cannot_be_is_said(inside: Registry) -> None:
    @step
    def two() -> tuple[Annotated[int, "a"], Annotated[int, "b"]]:
        return (1,)  # type: ignore[return-value]

    @step
    def same() -> tuple[Annotated[int, "a"], Annotated[int, "a"]]:
        return 1, 2

    @step
    def both() -> Annotated[int, ArtifactConfig("x", is_model_artifact=True, is_deployment_artifact=True)]:
        return 1

    for body, words in (
        (two, "returned 1 values where its annotation names 2"),
        (same, "two outputs 'a'"),
        (both, "a model and a deployment"),
        (lambda: numbers(after=["later"]), "after the step 'later', which has not run"),  # type: ignore[call-arg]
        (lambda: numbers(1, 2, 3), "cannot be called so"),  # type: ignore[call-arg]
        (get_step_context, "no step of a run"),
    ):
        with pytest.raises(InvalidInput, match=words):
            pipeline(name="body")(body)()


def test_an_output_that_is_compared_or_computed_with_in_the_body_raises(inside: Registry) -> None:
    uses: list[Callable[[Any], object]] = [
        lambda one: one == 1, lambda one: one != 1, lambda one: one > 1, lambda one: one > 1, lambda one: not one,
        lambda one: one + 1, lambda one: 1 - one, lambda one: -one, lambda one: one in [1, 2], lambda one: 1 in one,
        lambda one: max(one, 2), lambda one: [*one], lambda one: one[0], len, int, float, bool, round,
    ]  # fmt: skip
    refused = []

    @step
    def one() -> int:
        return 1

    @pipeline
    def body() -> None:
        handle: Any = one()
        for use in uses:
            with pytest.raises(InvalidInput, match="is a handle in the body of the pipeline") as caught:
                use(handle)
            refused.append(caught.value.hint)
        assert f"{handle} {handle!r}" == "<one.output of the step one> <one.output of the step one>"
        assert handle in {handle: 1}

    body()
    assert refused == ["pass it to a step, or take the object with .load()"] * len(uses)


def test_a_pipeline_says_what_it_made_and_where_to_look(
    inside: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest has set up logging
    adding.with_options(run_name="first")()
    assert capsys.readouterr().err == "Made sums@1 in the run adding/first; see `gitreg show sums@1`\n"

    @pipeline
    def without_a_model() -> None:
        numbers()

    without_a_model.with_options(run_name="second")()
    run_name = "without_a_model/second"
    assert capsys.readouterr().err == f"Kept the run {run_name}; see `gitreg runs show {run_name}`\n"


def test_a_pipeline_leaves_it_to_logging_where_that_is_set_up(
    inside: Registry, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "gitreg")
    adding.with_options(run_name="first")()
    assert "Made sums@1 in the run adding/first; see `gitreg show sums@1`" in caplog.messages
    assert capsys.readouterr().err == ""


def test_names_have_placeholders_for_the_date_the_time_and_the_callers_own(inside: Registry) -> None:
    @step(substitutions={"who": "ada"})
    def make() -> Annotated[int, ArtifactConfig("data_{who}", version="of_{date}")]:
        save_artifact(2, "more_{who}_{team}")
        return 1

    @step
    def wrong() -> Annotated[int, "data_{who}"]:
        return 1

    @pipeline(model=Model("iris_{team}", "v_{date}_{time}"), substitutions={"team": "blue"})
    def train() -> None:
        make()

    train.with_options(run_name="{team}_{date}")()
    (row,) = run_rows(inside.session)
    assert row["run"].startswith("blue_20")
    (reference,) = row["versions"]
    assert reference.startswith("iris_blue@v_20")
    assert "{" not in reference
    date = row["run"].removeprefix("blue_")
    assert inside.version(reference).links == ("more_ada_blue@1", f"data_ada@of_{date}")
    with pytest.raises(InvalidInput, match=r"unknown placeholder \{who\}"):
        pipeline(name="body")(wrong)()


def test_a_card_that_differs_from_what_is_registered_warns_and_changes_nothing(inside: Registry) -> None:
    inside.register_model("iris", description="The first")

    @pipeline(model=Model("iris", description="Another"))
    def train() -> None:
        numbers()

    with pytest.warns(UserWarning, match="iris is registered with another description"):
        train()
    assert inside.model("iris").document.description == "The first"


def test_a_step_that_gives_nothing_has_its_version_all_the_same(inside: Registry) -> None:
    @pipeline(model=Model("iris"))
    def train() -> None:
        check([1], 1.0)

    train()
    assert [version.reference for version in inside.session.snapshot().versions("iris")] == ["iris@1"]
    (row,) = run_rows(inside.session)
    assert find_any_run(inside.session, row["run"])[0].steps["check"]["version"] == "iris@1"


def test_a_run_that_failed_before_it_made_anything_leaves_nothing(inside: Registry) -> None:
    @step
    def fails() -> Annotated[int, "x"]:
        raise ValueError("at once")

    for model in (None, Model("iris"), Model("iris", 7)):
        with pytest.raises((ValueError, NotFound)) as raised:
            pipeline(name="body", model=model)(fails)()
        assert "draft" not in str(getattr(raised.value, "__notes__", ""))
    assert list(inside.session.branch.repository.refs("refs/drafts/")) == []


@pytest.mark.slow
def test_what_a_thread_of_a_step_saves_is_the_steps_and_goes_to_its_model(inside: Registry) -> None:
    @step(model=Model("own"))
    def threaded() -> Annotated[int, "one"]:
        DONE.append("threaded")
        started = threading.Thread(target=save_artifact, args=("half", "checkpoint"))
        started.start()
        started.join()
        return 1

    @pipeline(model=Model("pipelines"))
    def train() -> None:
        threaded()

    train()
    assert set(inside.version("own").artifacts) == {"checkpoint", "one"}
    made_by = get_artifact_version("checkpoint").run
    assert made_by is not None
    assert made_by["step"] == "threaded"
    train()
    assert DONE == ["threaded", "threaded"], "it does more than give its output"


@pytest.mark.slow
def test_what_a_child_process_of_a_step_saves_is_the_steps_and_goes_to_its_model(inside: Registry) -> None:
    @step(model=Model("own"))
    def parent() -> Annotated[int, "one"]:
        DONE.append("parent")
        code = "import gitreg; gitreg.save_artifact('half', 'checkpoint')"
        subprocess.run([sys.executable, "-c", code], check=True)
        return 1

    @pipeline(model=Model("pipelines"))
    def train() -> None:
        parent()

    train()
    assert set(inside.version("own").artifacts) == {"checkpoint", "one"}
    assert (get_artifact_version("checkpoint").run or {})["step"] == "parent"
    train()
    assert DONE == ["parent", "parent"], "it does more than give its output"


@pytest.mark.slow
def test_steps_in_threads_that_have_the_context_of_the_pipeline_are_steps(inside: Registry) -> None:
    @step
    def double(number: int) -> Annotated[int, ArtifactConfig("doubled")]:
        return 2 * number

    @pipeline(model=Model("iris"))
    def train() -> list[int]:
        with ThreadPoolExecutor(3) as pool:
            waiting = [pool.submit(copy_context().run, double, n) for n in range(6)]
            return sorted(each.result().load() for each in waiting)  # type: ignore[attr-defined]

    assert train() == [0, 2, 4, 6, 8, 10]
    (row,) = run_rows(inside.session)
    assert row["steps"] == 6


@pytest.mark.slow
def test_what_the_store_does_not_hold_any_more_is_made_again(inside: Registry) -> None:
    adding()
    for folder in (
        inside.session.branch.repository.common_dir / "gitreg" / "store",
        inside.session.environment.cache_folder,
    ):
        shutil.rmtree(folder)
    adding()
    assert DONE == ["numbers", "total", "check 3 103.0"] * 2
    assert inside.version("sums@2").artifacts["total"].artifact == "total@2"


@pytest.mark.slow
def test_a_known_output_that_the_body_looks_at_is_no_input_of_its_run(inside: Registry) -> None:
    @pipeline(model=Model("iris"))
    def train() -> list[int]:
        return list(numbers().load())  # type: ignore[attr-defined] # a handle, inside a pipeline

    assert train() == train() == [0, 1, 2]
    for row in run_rows(inside.session):
        assert find_any_run(inside.session, row["run"])[0].inputs == ()


def test_what_ends_after_its_call_is_neither_step_nor_pipeline() -> None:
    async def coroutine() -> None: ...

    def generator() -> Iterator[int]:
        yield 1

    for function in (coroutine, generator):
        for decorator in (step, pipeline, step(name="x"), pipeline(name="x")):
            with pytest.raises(InvalidInput, match=f"above {function.__name__}, which ends after its call"):
                decorator(function)
