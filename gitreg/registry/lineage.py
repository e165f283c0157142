"""What was made from what: from a version up to its data, runs, code and parents, and down to all that came of it.

The graph is read off the records; nothing else is kept. An edge goes from what was used to what came of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.documents.types import ArtifactDocument, RunDocument
from gitreg.errors import NotFound
from gitreg.registry.collections import artifact_versions, find_artifact, find_run, resolve_artifact, runs
from gitreg.registry.references import resolve

if TYPE_CHECKING:
    from gitreg.registry.snapshot import ModelVersion, Snapshot

VERSION, ARTIFACT, STEP, RUN, CODE, MISSING = "version", "artifact", "step", "run", "code", "missing"
_RELATED = ("inputs", "links", "run", "source")  # the fields of a record that make edges


class Place(NamedTuple):
    """What a node is: its kind, and its name among those.

    Parameters
    ----------
    kind:
        ``version``, ``artifact``, ``step``, ``run``, ``code``, or ``missing``: named somewhere, and not there.
    name:
        ``iris@7``, ``data@12``, ``train/RUN/trainer``, ``train/RUN``, a commit.
    """

    kind: str
    name: str


class Node(NamedTuple):
    """One thing in the graph.

    Parameters
    ----------
    note:
        What else is worth saying in a word or two: a stage, an artifact's type, a repository.
    """

    place: Place
    note: str | None = None


class Edge(NamedTuple):
    """That one thing was used for another.

    Parameters
    ----------
    source, target:
        What was used, and what came of it.
    how:
        ``input``, ``output``, ``linked``, ``made by``, ``part of``, ``code``.
    """

    source: Place
    target: Place
    how: str


@dataclass(frozen=True)
class Lineage:
    """A part of the graph around one thing.

    Parameters
    ----------
    root:
        The thing.
    nodes:
        By place, the root first, then those nearest to it.
    edges:
        Between these.
    """

    root: Place
    nodes: dict[Place, Node]
    edges: tuple[Edge, ...]

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "root": self.root._asdict(),
            "nodes": [{**node.place._asdict(), "note": node.note} for node in self.nodes.values()],
            "edges": [
                {"source": edge.source._asdict(), "target": edge.target._asdict(), "how": edge.how}
                for edge in self.edges
            ],
        }


def lineage(
    snapshot: Snapshot, reference: str, *, up: bool = True, down: bool = True, depth: int | None = None
) -> Lineage:
    """Give what a thing was made from, and what was made from it.

    Parameters
    ----------
    reference:
        A version of a model (any reference), a version of an artifact (``data``, ``data@12``, an id), or a run
        (``PIPELINE/RUN``).
    up, down:
        Whether to look for what it was made from, and for what was made from it.
    depth:
        How many edges to go at most; None goes to the ends.

    Raises
    ------
    NotFound
        There is no such thing.
    """
    graph = _graph(snapshot)
    root = _root(snapshot, reference)
    nodes: dict[Place, Node] = {root: graph.node(root)}
    edges: dict[Edge, None] = {}
    for wanted, neighbours in ((up, graph.parents), (down, graph.children)):
        if wanted:
            _walk(root, neighbours, depth, graph, nodes, edges)
    return Lineage(root, nodes, tuple(edges))


def _walk(
    root: Place,
    neighbours: Callable[[Place], Iterable[Edge]],
    depth: int | None,
    graph: _Graph,
    nodes: dict[Place, Node],
    edges: dict[Edge, None],
) -> None:
    waiting, seen = deque([(root, 0)]), {root}
    while waiting:
        here, distance = waiting.popleft()
        if depth is not None and distance >= depth:
            continue
        for edge in neighbours(here):
            edges.setdefault(edge)
            other = edge.source if edge.target == here else edge.target
            if other not in seen:
                seen.add(other)
                nodes.setdefault(other, graph.node(other))
                waiting.append((other, distance + 1))


def _root(snapshot: Snapshot, reference: str) -> Place:
    pipeline, slash, run = reference.partition("/")
    if slash and find_run(snapshot, pipeline, run) is not None:
        return Place(RUN, reference)
    try:
        return Place(VERSION, resolve(snapshot, reference, withdrawn=True).reference)
    except NotFound as error:
        try:
            return Place(ARTIFACT, resolve_artifact(snapshot, reference).reference)
        except NotFound:
            raise NotFound(
                f"{error.message}, nor an artifact or a run of that name", hint="see `gitreg list`, `gitreg runs list`"
            ) from None


def _graph(snapshot: Snapshot) -> _Graph:
    return snapshot.remember("lineage", lambda: _Graph(snapshot))


class _Graph:
    """The graph of a snapshot: up it is read when it is asked for; down it has to be read whole once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._up: dict[Place, tuple[Edge, ...]] = {}
        self._down: dict[Place, list[Edge]] | None = None

    def node(self, place: Place) -> Node:
        """Give what is known of a node."""
        if place.kind == VERSION:
            version = self._version(place.name)
            state = "deleted" if version and version.deleted else version.stage if version else None
            return Node(place, state)
        if place.kind == ARTIFACT:
            artifact = self._artifact(place.name)
            return Node(place, artifact.type if artifact else None)
        if place.kind == RUN:
            run = self._run(place.name)
            return Node(place, run.status if run else None)
        return Node(place)

    def parents(self, place: Place) -> tuple[Edge, ...]:
        """Give the edges to what a thing was made from."""
        if place not in self._up:
            readers = {VERSION: self._of_version, ARTIFACT: self._of_artifact, STEP: self._of_step, RUN: self._of_run}
            reader = readers.get(place.kind)
            self._up[place] = tuple(dict.fromkeys(reader(place))) if reader else ()
        return self._up[place]

    def children(self, place: Place) -> list[Edge]:
        """Give the edges to what was made from a thing."""
        if self._down is None:
            self._down = {}
            for each in self._all():
                for edge in self.parents(each):
                    self._down.setdefault(edge.source, []).append(edge)
            self._link_later_ones(self._down)
        return self._down.get(place, [])

    def _all(self) -> Iterator[Place]:
        for entry in self._snapshot.index.scan(self._snapshot.seq, "model_version"):
            text = entry.text or ""
            if any(f'"{field}":' in text or f"\n{field}:" in text for field in _RELATED):
                yield Place(VERSION, f"{entry.model}@{entry.name}")
        for artifact in artifact_versions(self._snapshot):
            yield Place(ARTIFACT, artifact.reference)
        for run in runs(self._snapshot):
            name = f"{run.pipeline}/{run.run}"
            yield Place(RUN, name)
            for step in run.steps:
                yield Place(STEP, f"{name}/{step}")

    def _link_later_ones(self, down: dict[Place, list[Edge]]) -> None:
        """Add what was linked to a version after it was sealed: what it made, most often."""
        for entry in self._snapshot.index.scan(self._snapshot.seq, "annotation"):
            if entry.data and entry.data.get("links"):
                source = Place(VERSION, f"{entry.model}@{entry.name}")
                for link in entry.data["links"]:
                    down.setdefault(source, []).append(Edge(source, self._place(link), "linked"))

    # -- what each thing was made from -----------------------------------------------------------------------------

    def _of_version(self, here: Place) -> Iterator[Edge]:
        version = self._version(here.name)
        if version is None:
            return
        record = version.record
        for link in record.links:
            yield Edge(self._place(link), here, "linked")
        known: set[str] = set()
        run = None
        if record.run:
            name = f"{record.run.get('pipeline')}/{record.run.get('run')}"
            run = self._run(name)
            step = record.run.get("step")
            maker = Place(STEP, f"{name}/{step}") if step and run and step in run.steps else Place(RUN, name)
            yield Edge(maker if run else Place(MISSING, name), here, "made by")
        if run is not None:
            known = {*run.inputs, *(used for step in run.steps.values() for used in step.get("inputs", {}).values())}
        for used in record.inputs:
            if used not in known:
                yield Edge(self._place(used), here, "input")
        if run is None:
            yield from self._code(record.source, here)

    def _of_artifact(self, here: Place) -> Iterator[Edge]:
        artifact = self._artifact(here.name)
        if artifact is None or not artifact.run:
            return
        name = f"{artifact.run.get('pipeline')}/{artifact.run.get('run')}"
        run, step = self._run(name), artifact.run.get("step")
        if run is None:
            yield Edge(Place(MISSING, name), here, "output")
        elif step and step in run.steps:
            yield Edge(Place(STEP, f"{name}/{step}"), here, "output")
        else:
            yield Edge(Place(RUN, name), here, "output")

    def _of_step(self, here: Place) -> Iterator[Edge]:
        pipeline, name, step = here.name.split("/", 2)
        name = f"{pipeline}/{name}"
        run = self._run(name)
        if run is None:
            return
        for used in run.steps.get(step, {}).get("inputs", {}).values():
            yield Edge(self._place(used), here, "input")
        yield Edge(Place(RUN, name), here, "part of")

    def _of_run(self, here: Place) -> Iterator[Edge]:
        run = self._run(here.name)
        if run is None:
            return
        for used in run.inputs:
            yield Edge(self._place(used), here, "input")
        yield from self._code(run.source, here)

    @staticmethod
    def _code(source: Any, here: Place) -> Iterator[Edge]:
        if source and source.get("commit"):
            name = f"{source['repository']}@" if source.get("repository") else ""
            dirty = ", changed since" if source.get("dirty") else ""
            yield Edge(Place(CODE, f"{name}{source['commit'][:12]}{dirty}"), here, "code")

    # -- looking up ------------------------------------------------------------------------------------------------

    def _place(self, reference: str) -> Place:
        """Give the place of what a record names: a version of a model, else of an artifact."""
        if self._version(reference) is not None:
            return Place(VERSION, reference)
        return Place(ARTIFACT, reference) if self._artifact(reference) is not None else Place(MISSING, reference)

    def _version(self, reference: str) -> ModelVersion | None:
        model, _, name = reference.rpartition("@")
        return self._snapshot.find_version(model, name, deleted=True) if model else None

    def _artifact(self, reference: str) -> ArtifactDocument | None:
        artifact, _, name = reference.rpartition("@")
        return find_artifact(self._snapshot, artifact, name) if artifact else None

    def _run(self, name: str) -> RunDocument | None:
        pipeline, _, run = name.partition("/")
        return find_run(self._snapshot, pipeline, run)
