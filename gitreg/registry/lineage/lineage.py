"""The lineage of a version, artifact or run: its ancestors (data, runs, code, parents) and its descendants."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitreg import cards
from gitreg.errors import InvalidInput, NotFound
from gitreg.names import nfc
from gitreg.registry import lineage as modules
from gitreg.registry.lineage.provenance import ARTIFACT, RUN, VERSION, Edge, Node, NodeId, Provenance
from gitreg.registry.state.references import resolve
from gitreg.registry.state.runs_and_artifacts import find_run, resolve_artifact
from gitreg.units import counted

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot


@dataclass(frozen=True)
class Lineage:
    """The part of the provenance graph around one node.

    Parameters
    ----------
    root:
        The node in the middle.
    nodes:
        The nodes by identity: the root, then ancestors by distance, then descendants by distance.
    edges:
        The edges between these nodes.
    """

    root: NodeId
    nodes: dict[NodeId, Node]
    edges: tuple[Edge, ...]

    def __repr__(self) -> str:
        return f"Lineage({self.root.name!r}, {counted(len(self.nodes), 'node')}, {counted(len(self.edges), 'edge')})"

    def _repr_html_(self) -> str:
        links = [(edge.source.name, edge.relation, edge.target.name) for edge in self.edges]
        return cards.notebook.render(
            "Lineage",
            self.root.name,
            tables=[cards.notebook.Table(("from", "as", "to"), links)],
            graph=modules.graphs.to_picture(self),
        )

    def to_data(self) -> dict[str, Any]:
        """Return the lineage as plain data."""
        return {
            "root": self.root._asdict(),
            "nodes": [{**node.place._asdict(), "note": node.note} for node in self.nodes.values()],
            "edges": [
                {"source": edge.source._asdict(), "target": edge.target._asdict(), "how": edge.relation}
                for edge in self.edges
            ],
        }


def lineage(
    snapshot: Snapshot, reference: str, *, up: bool = True, down: bool = True, depth: int | None = None
) -> Lineage:
    """Return the lineage of a version, artifact or run.

    Parameters
    ----------
    reference:
        A version of a model (any reference), a version of an artifact (``data``, ``data@12``, an id), or a run
        (``PIPELINE/RUN``).
    up, down:
        True to follow the edges to ancestors, and to descendants.
    depth:
        The most edges to follow in each direction; None for no limit.

    Raises
    ------
    NotFound
        There is no such version, artifact or run.
    InvalidInput
        The reference is malformed or ambiguous.
    """
    graph = snapshot.remember("provenance", lambda: Provenance(snapshot))
    root = _root(snapshot, nfc(reference))
    nodes: dict[NodeId, Node] = {root: graph.node(root)}
    edges: dict[Edge, None] = {}
    for wanted, neighbours in ((up, graph.parents), (down, graph.children)):
        if wanted:
            _walk(root, neighbours, depth, graph, nodes, edges)
    return Lineage(root, nodes, tuple(edges))


def _walk(
    root: NodeId,
    neighbours: Callable[[NodeId], Iterable[Edge]],
    depth: int | None,
    graph: Provenance,
    nodes: dict[NodeId, Node],
    edges: dict[Edge, None],
) -> None:
    waiting, seen = deque([(root, 0)]), {root}
    while waiting:
        place, distance = waiting.popleft()
        if depth is not None and distance >= depth:
            continue
        for edge in neighbours(place):
            edges.setdefault(edge)
            other = edge.source if edge.target == place else edge.target
            if other not in seen:
                seen.add(other)
                nodes.setdefault(other, graph.node(other))
                waiting.append((other, distance + 1))


def _root(snapshot: Snapshot, reference: str) -> NodeId:
    try:
        return NodeId(VERSION, resolve(snapshot, reference, withdrawn=True).reference)
    except (InvalidInput, NotFound) as error:
        found = _otherwise(snapshot, reference)
        if found is not None:
            return found
        if isinstance(error, InvalidInput):
            raise
        if reference.partition("@")[2].partition(":")[0] == "draft":
            raise NotFound(
                f"{reference} is a draft, which has no lineage yet", hint="seal its run first: `gitreg seal RUN`"
            ) from None
        hint = error.hint or "see `gitreg list`, `gitreg artifact list`, `gitreg runs list`"
        raised = NotFound(f"{error.message}, nor an artifact or a run of that name", hint=hint)
        raised.correction = error.correction
        raise raised from None


def _otherwise(snapshot: Snapshot, reference: str) -> NodeId | None:
    """Return the node of a deleted version, a run or an artifact; None if the reference means none of them."""
    model, _, version = reference.rpartition("@")
    if snapshot.find_version(model, version, deleted=True) is not None:
        return NodeId(VERSION, reference)
    pipeline, slash, run = reference.partition("/")
    if slash:
        return NodeId(RUN, reference) if find_run(snapshot, pipeline, run) is not None else None
    try:
        return NodeId(ARTIFACT, resolve_artifact(snapshot, reference).reference)
    except NotFound:
        return None
    except InvalidInput:
        if reference.strip(" @"):  # an ambiguous prefix of several ids
            raise
        return None
