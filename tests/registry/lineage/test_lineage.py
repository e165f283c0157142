"""What was made from what, read off the records: up, down, across models, and where ends are missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.cli.commands.lineage import _tree
from gitreg.documents.layout import Key
from gitreg.documents.types import AnnotationDocument, RunDocument, VersionDocument
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.drafts import Draft
from gitreg.registry.lineage.graphs import to_dot, to_mermaid
from gitreg.registry.lineage.lineage import Lineage, lineage
from gitreg.registry.lineage.provenance import ARTIFACT, VERSION, Edge, Node, NodeId, Provenance
from gitreg.registry.operations.artifacts import link_artifact
from gitreg.registry.operations.versions import delete_version
from tests.registry.operations.test_sealing import making, saved, sealing
from tests.registry.support import NOW, World, artifact


@pytest.fixture
def world() -> World:
    """Data is loaded by one run, and trained on by another, from a base model; the result is tuned, and predicts."""
    made = World()
    made.save("base", source={"repository": "https://x.org/code", "commit": "a" * 40, "dirty": True})
    data = saved("data")
    made.do(sealing, run("prepare", "p1", {"load": {"outputs": {"data": data.id}}}, data))
    weights = saved("weights", "w")
    steps = {"fit": {"inputs": {"X": "data@1", "start": "base@1"}, "outputs": {"weights": weights.id}}}
    made.do(sealing, making(run("train", "t1", steps, weights), links=[weights.id]))
    made.save("tuned", inputs=("iris@1",))
    predictions = saved("predictions", "p")
    made.do(sealing, run("serve", "s1", {"predict": {"outputs": {"p": predictions.id}}}, predictions))
    made.do(link_artifact, "predictions", "iris@1")
    return made


def run(pipeline: str, name: str, steps: dict[str, Any], *documents: Any) -> Draft:
    source = {"commit": "c" * 40}
    steps = {step: {"status": "completed", **said} for step, said in steps.items()}
    made = Draft(
        RunDocument(pipeline=pipeline, run=name, status="completed", started_at=NOW, steps=steps, source=source)
    )
    for document in documents:
        (step,) = steps
        made = made.with_artifact(document.but(run={"pipeline": pipeline, "run": name, "step": step}))
    return made


def told(found: Lineage) -> set[str]:
    return {f"{edge.source.name} {edge.relation} {edge.target.name}" for edge in found.edges}


def test_up_leads_to_runs_steps_data_code_and_parents(world: World) -> None:
    found = lineage(world.snapshot, "iris", down=False)
    assert told(found) == {
        "weights@1 linked iris@1",
        "train/t1 made by iris@1",
        "train/t1/fit output weights@1",
        "train/t1 part of train/t1/fit",
        "data@1 input train/t1/fit",
        "base@1 input train/t1/fit",
        "cccccccccccc code train/t1",
        "prepare/p1/load output data@1",
        "prepare/p1 part of prepare/p1/load",
        "cccccccccccc code prepare/p1",
        "https://x.org/code@aaaaaaaaaaaa, changed since code base@1",
    }
    assert found.root == NodeId(VERSION, "iris@1")
    assert next(iter(found.nodes)) == found.root


def test_down_leads_to_all_that_was_made_across_models(world: World) -> None:
    found = lineage(world.snapshot, "data", up=False)
    assert {place.name for place in found.nodes if place.kind in (VERSION, ARTIFACT)} == {
        "data@1", "weights@1", "iris@1", "tuned@1", "predictions@1",
    }  # fmt: skip
    assert "iris@1 linked predictions@1" in told(found), "what was linked later came of it"
    assert told(lineage(world.snapshot, "base@1", up=False, depth=1)) == {"base@1 input train/t1/fit"}


def test_a_run_has_a_lineage_too(world: World) -> None:
    found = lineage(world.snapshot, "train/t1")
    assert {"cccccccccccc code train/t1", "train/t1 made by iris@1"} <= told(found)


def test_depth_ends_the_search(world: World) -> None:
    near = lineage(world.snapshot, "iris", down=False, depth=1)
    assert {place.name for place in near.nodes} == {"iris@1", "weights@1", "train/t1"}


def test_what_is_deleted_or_gone_is_shown_as_that(world: World) -> None:
    world.do(delete_version, "base@1")
    world.put(next(key for key in world.files if key.kind == "artifact" and key.model == "data"), None)
    nodes = lineage(world.snapshot, "iris", down=False).nodes
    assert nodes[NodeId(VERSION, "base@1")].note == "deleted"
    assert NodeId("missing", "data@1") in nodes
    with pytest.raises(NotFound, match="nor an artifact or a run"):
        lineage(world.snapshot, "nothing@3")


def test_what_cannot_be_read_is_shown_as_that(world: World) -> None:
    world.put(Key("model_version", "base", "1"), b"kind: [")
    assert lineage(world.snapshot, "iris", down=False).nodes[NodeId(VERSION, "base@1")].note == "cannot be read"


def test_a_deleted_version_has_a_lineage_still(world: World) -> None:
    world.do(delete_version, "iris@1")
    found = lineage(world.snapshot, "iris@1")
    assert found.nodes[found.root].note == "deleted"
    assert {"iris@1 input tuned@1", "train/t1 made by iris@1"} <= told(found)


def test_a_run_tells_of_what_it_made_and_is_gone(world: World) -> None:
    world.put(Key("artifact", "data", "1"), None)
    world.put(Key("model_version", "iris", "1"), None)
    assert "prepare/p1/load output data@1" in told(lineage(world.snapshot, "prepare/p1", up=False))
    assert "train/t1 made by iris@1" in told(lineage(world.snapshot, "train/t1", up=False))
    assert {place.name for place in lineage(world.snapshot, "train/t1").nodes if place.kind == "missing"} == {"iris@1"}


def test_predictions_lead_up_to_the_version_that_made_them(world: World) -> None:
    assert {"iris@1 linked predictions@1", "data@1 input train/t1/fit"} <= told(
        lineage(world.snapshot, "predictions", down=False)
    )


def test_what_a_version_was_made_from_stays_that_when_it_is_linked_later(world: World) -> None:
    world.do(link_artifact, "data", "iris@1")
    assert "data@1 linked iris@1" in told(lineage(world.snapshot, "iris", down=False))
    assert NodeId(ARTIFACT, "data@1") not in lineage(world.snapshot, "iris", up=False).nodes


def test_a_step_that_gave_the_version_nothing_of_its_own_leads_to_its_data() -> None:
    made = World()
    made.do(sealing, run("prepare", "p1", {"load": {"outputs": {"d": (data := saved("data")).id}}}, data))
    draft = making(run("train", "t1", {"fit": {"inputs": {"X": "data@1"}, "version": "D"}}))
    (key,) = draft.versions
    steps = {"fit": {**draft.run.steps["fit"], "version": key}}
    made.do(sealing, replace(draft, run=draft.run.but(steps=steps)))
    assert {"train/t1/fit worked on iris@1", "data@1 input train/t1/fit"} <= told(lineage(made.snapshot, "iris"))


def test_a_model_is_meant_before_a_run_of_its_name_and_odd_names_are_found(world: World) -> None:
    world.save("train/t1")
    assert lineage(world.snapshot, "train/t1").root == NodeId(VERSION, "train/t1@1")
    world.do(sealing, run("odd", "2026-11-22T10:00", {"s": {"outputs": {"o": (odd := saved("a:b")).id}}}, odd))
    assert lineage(world.snapshot, "a:b").root == NodeId(ARTIFACT, "a:b@1")
    assert lineage(world.snapshot, "odd/2026-11-22T10:00").root.kind == "run"
    with pytest.raises(InvalidInput):
        lineage(world.snapshot, "c:d")


REFERENCES = st.sampled_from(
    [f"{name}@{n}" for name in "ab" for n in (1, 2)] + [f"d@{n}" for n in (1, 2, 3)] + ["no@1"]
)


@pytest.mark.slow
@given(st.data())
def test_up_and_down_are_one_graph(data: st.DataObject) -> None:
    """Whatever the records say, circles and holes included: an edge is seen from both of its ends."""
    few = st.lists(REFERENCES, max_size=3, unique=True)
    run_of = st.sampled_from([{"pipeline": "p", "run": "r", "step": "s"}, {"pipeline": "p", "run": "r"}, None])
    made = World()
    files: dict[Key, Any] = {}
    for model, n in (("a", 1), ("a", 2), ("b", 1)):
        record = VersionDocument(
            model=model, version=str(n), number=n, created_at=NOW, inputs=tuple(data.draw(few)),
            links=tuple(data.draw(few)), run=data.draw(run_of), artifacts={"model": artifact("x")},
        )  # fmt: skip
        files[Key("model_version", model, str(n))] = record
        files[Key("annotation", model, str(n))] = AnnotationDocument(links=tuple(data.draw(few)), tags=("x",))
    for n in (1, 2):
        files[Key("artifact", "d", str(n))] = saved("d").but(version=str(n), number=n, run=data.draw(run_of))
    steps = {
        "s": {"status": "completed", "inputs": {"x": data.draw(REFERENCES)}, "outputs": {"y": data.draw(REFERENCES)}}
    }
    files[Key("run", "p", "r")] = RunDocument(
        pipeline="p", run="r", status="completed", started_at=NOW, steps=steps, inputs=tuple(data.draw(few)),
        versions=tuple(data.draw(few)),
    )  # fmt: skip
    for key, document in files.items():
        made.put(key, document)
    roots = ["a@1", "a@2", "b@1", "d@1", "d@2", "p/r"]
    fresh = {root: lineage(made.snapshot, root, down=False) for root in roots}
    whole = made.snapshot
    graph = Provenance(whole)
    for found in fresh.values():
        assert all(edge in graph.children(edge.source) for edge in found.edges)
    for root in roots:
        assert set(fresh[root].edges) == set(lineage(whole, root, down=False).edges)
        for edge in lineage(whole, root, up=False).edges:
            if edge.target.kind != "missing":
                assert edge in graph.parents(edge.target)


def test_down_reads_the_index_as_often_however_many_versions_there_are() -> None:
    asked = []
    for count in (10, 40):
        made = World()
        made.save("base")
        for n in range(count):
            made.save(f"tuned{n}", inputs=("base@1",), content=str(n))
        statements: list[str] = []
        made.index._db.set_trace_callback(statements.append)
        snapshot = made.snapshot
        found = lineage(snapshot, "tuned1", up=False)
        made.index._db.set_trace_callback(None)
        asked.append(len(statements))
        assert len(found.nodes) == 1
        assert len(lineage(snapshot, "base", up=False).nodes) == count + 1
    assert asked[0] == asked[1]


def test_a_model_that_was_tuned_two_thousand_times_is_drawn() -> None:
    places = [NodeId(VERSION, f"iris@{n}") for n in range(2000)]
    edges = tuple(Edge(a, b, "input") for a, b in pairwise(places))
    lines = _tree(Lineage(places[0], {place: Node(place) for place in places}, edges))
    assert len(lines) == 2001
    assert lines[:3] == ["iris@0", "made into", "└── input: iris@1"]


def test_a_circle_ends(world: World) -> None:
    a, b = saved("a"), saved("b", "b")
    steps = {"x": {"inputs": {"b": b.id}, "outputs": {"a": a.id}}}
    made = run("circle", "c1", steps, a)
    made = made.with_artifact(b.but(run={"pipeline": "circle", "run": "c1", "step": "x"}))
    world.do(sealing, made)
    assert {place.name for place in lineage(world.snapshot, "a").nodes} >= {"a@1", "b@1", "circle/c1/x"}


@pytest.mark.slow
@given(st.text(max_size=30))
def test_hostile_names_stay_inside_their_labels(text: str) -> None:
    root = NodeId(VERSION, text or "x")
    found = Lineage(root, {root: Node(root, text)}, (Edge(root, root, "input"),))
    mermaid = to_mermaid(found).splitlines()
    assert len(mermaid) == 3
    assert mermaid[1].count('"') == 2
    assert not set(mermaid[1].strip().removeprefix('n0(["').removesuffix('"])')) & set('"[]{}<>|\\`')
    dot = to_dot(found)
    assert dot.count("\n") == 5
    if shutil.which("dot"):
        drawn = subprocess.run(["dot", "-Tjson"], input=dot.encode(), capture_output=True, check=True)
        assert json.loads(drawn.stdout)["objects"]
