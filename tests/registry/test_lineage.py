"""What was made from what, read off the records: up, down, across models, and where ends are missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.documents.types import RunDocument
from gitreg.errors import NotFound
from gitreg.registry.drafts import Draft
from gitreg.registry.graphs import to_dot, to_mermaid
from gitreg.registry.lineage import Lineage, lineage
from gitreg.registry.operations.artifacts import link_artifact
from gitreg.registry.operations.versions import delete_version
from gitreg.registry.provenance import ARTIFACT, VERSION, Edge, Node, Place
from tests.registry.operations.test_sealing import making, saved, sealing
from tests.registry.support import NOW, World


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
    return {f"{edge.source.name} {edge.how} {edge.target.name}" for edge in found.edges}


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
    assert found.root == Place(VERSION, "iris@1")
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
    assert nodes[Place(VERSION, "base@1")].note == "deleted"
    assert Place("missing", "data@1") in nodes
    with pytest.raises(NotFound, match="nor an artifact or a run"):
        lineage(world.snapshot, "nothing@3")


def test_a_circle_ends(world: World) -> None:
    a, b = saved("a"), saved("b", "b")
    steps = {"x": {"inputs": {"b": b.id}, "outputs": {"a": a.id}}}
    made = run("circle", "c1", steps, a)
    made = made.with_artifact(b.but(run={"pipeline": "circle", "run": "c1", "step": "x"}))
    world.do(sealing, made)
    assert {place.name for place in lineage(world.snapshot, "a").nodes} >= {"a@1", "b@1", "circle/c1/x"}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_hostile_names_stay_inside_their_labels(text: str) -> None:
    root = Place(VERSION, text or "x")
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
