"""Sealing a draft: numbers, links, stages, and what is refused; over random drafts, numbers are dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactDocument, DraftDocument, RunDocument
from gitreg.errors import AlreadyExists, InvalidInput, NotFound, Refused
from gitreg.registry.drafts import Draft
from gitreg.registry.operations.artifacts import link_artifact, save_artifact
from gitreg.registry.operations.sealing import seal
from gitreg.registry.operations.stages import promote
from gitreg.registry.operations.versions import annotate
from gitreg.registry.promotion.context import UNKNOWN
from gitreg.registry.state.references import resolve
from gitreg.registry.state.runs_and_artifacts import artifact_versions, find_artifact, find_run, resolve_artifact, runs
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes
from tests.registry.support import NOW, World, artifact


@pytest.fixture
def world() -> World:
    return World()


def saved(name: str, content: str = "a", version: str | None = None, identity: str | None = None) -> ArtifactDocument:
    record = artifact(content)
    identity = identity or f"{abs(hash((name, content, version))):032x}"[:32]
    return ArtifactDocument(
        artifact=name, version=version, number=1, id=identity, created_at=NOW, type="data",
        size=record.size, digest=record.digest, files=record.files,
    )  # fmt: skip


def draft(*documents: ArtifactDocument, run: str = "one", **said: Any) -> Draft:
    made = Draft(RunDocument(pipeline="train", run=run, status="completed", started_at=NOW, **said))
    for document in documents:
        made = made.with_artifact(document)
    return made


def making(
    made: Draft, model: str = "iris", version: str | None = None, links: Sequence[str] = (), **said: Any
) -> Draft:
    return made.with_version(DraftDocument(model=model, version=version, created_at=NOW, links=tuple(links), **said))


def sealing(snapshot: Snapshot, made: Draft) -> Changes:
    return seal(snapshot, made, given=lambda _: (), context=UNKNOWN)


def test_a_draft_becomes_one_commit_with_a_run_its_artifacts_and_its_version(world: World) -> None:
    a, b = saved("data"), saved("weights", "b")
    steps = {
        "load": {"status": "completed", "outputs": {"data": a.id}},
        "fit": {"status": "completed", "inputs": {"X": a.id, "base": "base@1"}, "outputs": {"weights": b.id},
                "version": "000001"},
    }  # fmt: skip
    world.save("base")
    before = world.commits
    world.do(sealing, making(draft(a, b, steps=steps), links=[a.id, b.id], metadata={"accuracy": 0.9}))
    assert world.commits == before + 1
    version = resolve(world.snapshot, "iris")
    assert (version.version, version.metadata, version.links) == ("1", {"accuracy": 0.9}, ("data@1", "weights@1"))
    assert {name: record.artifact for name, record in version.artifacts.items()} == {
        "data": "data@1",
        "weights": "weights@1",
    }
    assert version.record.inputs == ("base@1",), "what the run itself made is no input"
    assert version.record.run == {"pipeline": "train", "run": "one"}
    run = find_run(world.snapshot, "train", "one")
    assert run is not None
    assert run.steps["fit"]["inputs"] == {"X": "data@1", "base": "base@1"}
    assert (run.steps["fit"]["version"], run.versions) == ("iris@1", ("iris@1",))
    data = find_artifact(world.snapshot, "data")
    assert data is not None
    assert data.id == a.id


def test_sealing_twice_is_sealing_once(world: World) -> None:
    made = making(draft(saved("data")))
    world.do(sealing, made)
    before = world.commits
    world.do(sealing, made)
    assert world.commits == before
    later = Draft(made.run.but(started_at="2026-11-22T11:00:00.000Z"), made.artifacts, made.versions)
    with pytest.raises(AlreadyExists, match="train/one"):
        world.do(sealing, later)


def test_an_artifact_version_of_a_name_is_the_same_or_refused(world: World) -> None:
    world.do(sealing, draft(saved("data", "a", "may")))
    world.do(sealing, making(draft(saved("data", "a", "may", "f" * 32), run="two"), links=["f" * 32]))
    assert [each.reference for each in artifact_versions(world.snapshot, "data")] == ["data@may"]
    assert resolve(world.snapshot, "iris").links == ("data@may",)
    with pytest.raises(AlreadyExists, match="data@may already exists with other content"):
        world.do(sealing, draft(saved("data", "b", "may"), run="three"))
    with pytest.raises(AlreadyExists, match="only in case"):
        world.do(sealing, draft(saved("data", "b", "May"), run="three"))
    for bad in ("7", "²", "a/b", " ", "."):
        with pytest.raises(InvalidInput):
            world.do(sealing, draft(saved("data", "b", bad), run="three"))


def test_links_to_a_sealed_version_go_to_its_annotation(world: World) -> None:
    world.save("iris", "1.0")
    sealed = world.files[Key("model_version", "iris", "1.0")]
    a = saved("predictions")
    world.do(sealing, making(draft(a), version="1.0", links=[a.id], metadata={"used": True}, tags=("live",)))
    version = resolve(world.snapshot, "iris@1.0")
    assert version.links == ("predictions@1",)
    assert (list(version.artifacts), version.metadata, version.tags) == (
        ["model", "predictions"],
        {"used": True},
        ("live",),
    )
    assert world.files[Key("model_version", "iris", "1.0")] == sealed
    before = world.commits
    world.do(link_artifact, "predictions@1", "iris@1.0")
    assert world.commits == before, "a link is made once"


def test_what_was_taken_off_a_version_holds_again_once_a_run_sets_it(world: World) -> None:
    world.save(name="1.2", metadata={"a": 1, "b": 1}, tags=("good", "old"))
    world.do(annotate, "iris@1.2", remove_metadata=["a", "b"], remove_tags=["good", "old"])
    world.do(sealing, making(draft(saved("data")), version="1.2", metadata={"a": 2}, tags=("good",)))
    version = resolve(world.snapshot, "iris@1.2")
    assert (version.metadata, version.tags) == ({"a": 2}, ("good",))
    assert (version.annotation.removed, version.annotation.removed_tags) == (("b",), ("old",))


def test_of_several_versions_of_an_artifact_the_newest_link_wins(world: World) -> None:
    first, second = saved("ckpt", "a", "e0"), saved("ckpt", "b", "e1")
    world.do(sealing, making(draft(first, second), links=[first.id, second.id]))
    version = resolve(world.snapshot, "iris")
    assert version.links == ("ckpt@e0", "ckpt@e1")
    assert version.artifacts["ckpt"].artifact == "ckpt@e1"


def test_the_stage_moves_in_the_same_commit_or_nothing_happens(world: World) -> None:
    world.save("iris")
    world.do(promote, "iris@1", "production")
    before = world.commits
    with pytest.raises(Refused, match="iris@1"):
        world.do(sealing, making(draft(), stage="production"))
    with pytest.raises(InvalidInput, match="no stage 'prod'"):
        world.do(sealing, making(draft(), stage="prod"))
    assert world.commits == before
    world.do(sealing, making(draft(), stage="production", force=True))
    assert world.commits == before + 1
    assert world.snapshot.stages("iris") == {"production": "2"}
    assert resolve(world.snapshot, "iris@1").stage == "archived"
    two = making(making(draft(run="two"), stage="staging"), stage="staging")
    with pytest.raises(Refused, match="two versions of iris into staging"):
        world.do(sealing, two)


def test_a_link_to_what_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(NotFound, match="nothing"):
        world.do(sealing, making(draft(), links=["nothing@1"]))


def test_a_model_that_is_registered_with_its_first_version_gets_the_card_that_was_asked_for(world: World) -> None:
    card = {"license": "Apache", "description": "Demo", "tags": ["a"], "unknown": "left out"}
    world.do(sealing, making(making(draft(), card=card), card={"license": "MIT"}))
    document = world.snapshot.card_fields("iris")
    assert (document.license, document.description, document.tags) == ("Apache", "Demo", ("a",))
    assert world.names() == [(1, "1"), (2, "2")]


def test_artifacts_are_found_by_name_number_and_id(world: World) -> None:
    world.do(save_artifact, saved("data", "a", "may", "a" * 32))
    world.do(save_artifact, saved("data", "b", None, "ab" + "0" * 30))
    world.do(save_artifact, saved("data", "b", None, "c" * 32))
    numbers = [(each.number, each.version) for each in artifact_versions(world.snapshot)]
    assert numbers == [(1, "may"), (2, "2"), (3, "3")], "a named one counts too"
    for told, found in {
        "data": "3", "data@latest": "3", "data@1": "may", "data@may": "may", "a" * 6: "may", "ab0000": "2",
        "data@" + "c" * 32: "3",
    }.items():  # fmt: skip
        assert resolve_artifact(world.snapshot, told).version == found, told
    with pytest.raises(NotFound, match="no version 'june'"):
        resolve_artifact(world.snapshot, "data@june")
    with pytest.raises(NotFound, match="no artifact 'dato'"):
        resolve_artifact(world.snapshot, "dato")


def test_an_artifact_and_a_pipeline_may_have_a_models_name(world: World) -> None:
    world.save("train")
    a = saved("train")
    world.do(sealing, making(draft(a), model="train", links=[a.id]))
    assert world.snapshot.names_in_use() == ["train"]
    assert world.names("train") == [(1, "1"), (2, "2")]
    assert resolve(world.snapshot, "train").links == ("train@1",)
    assert [run.run for run in runs(world.snapshot)] == ["one"]


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["iris", "tulip"]), st.sampled_from([None, "x", "y"])), max_size=4),
        max_size=5,
    )
)
def test_numbers_are_dense_whatever_runs_make(plans: list[list[tuple[str, str | None]]]) -> None:
    world = World()
    for n, plan in enumerate(plans):
        data = [saved(f"{model}-data", f"{n}-{k}", None, f"{n:016x}{k:016x}") for k, (model, _) in enumerate(plan)]
        made = draft(*data, run=f"r{n}")
        for model, version in plan:
            made = made if version and made.find_version(model, version) else making(made, model, version)
        world.do(sealing, made)
    for model in ("iris", "tulip"):
        assert [number for number, _ in world.names(model)] == list(range(1, len(world.names(model)) + 1))
        versions = artifact_versions(world.snapshot, f"{model}-data")
        assert [each.number for each in versions] == list(range(1, len(versions) + 1))
