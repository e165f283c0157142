"""The lineage graph as text for Mermaid and for Graphviz (DOT), and as the graph that cards draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.cards.values import Graph
from gitreg.registry.lineage.provenance import CODE, MISSING, RUN, STEP

if TYPE_CHECKING:
    from gitreg.registry.lineage.lineage import Lineage
    from gitreg.registry.lineage.provenance import Node, NodeId

_MOST_NODES = 60  # in a picture
_MERMAID = {
    "version": '(["{}"])', "artifact": '["{}"]', "step": '>"{}"]', "run": '{{{{"{}"}}}}', "code": '[/"{}"/]',
    "missing": '["{}"]',
}  # fmt: skip
_DOT = {
    "version": "ellipse", "artifact": "box", "step": "cds", "run": "hexagon", "code": "note", "missing": "plaintext",
}  # fmt: skip


def label(node: Node) -> str:
    """Return the label of a node, for people."""
    name = node.place.name
    if node.place.kind == "step":
        pipeline, run, step = (*name.split("/", 2), "", "")[:3]
        name = f"{step} of {pipeline}/{run}"
    text = f"{name} ({node.note})" if node.note else name
    return f"{text} is not there" if node.place.kind == "missing" else text


def to_mermaid(lineage: Lineage) -> str:
    """Return a lineage as a Mermaid flowchart, which forges draw in Markdown.

    Characters that could end a label are written as Mermaid's entities (``#34;``), as its documentation advises.
    """
    number = {place: f"n{n}" for n, place in enumerate(lineage.nodes)}
    lines = ["flowchart LR"]
    for place, node in lineage.nodes.items():
        lines.append(f"    {number[place]}{_MERMAID[place.kind].format(_entities(label(node)))}")
    lines += [f"    {number[edge.source]} -->|{edge.relation}| {number[edge.target]}" for edge in lineage.edges]
    return "\n".join(lines) + "\n"


def to_picture(lineage: Lineage) -> Graph:
    """Return a lineage as the graph that cards draw; of a large one, only its first nodes."""
    places = list(lineage.nodes)[:_MOST_NODES]
    number = {place: n for n, place in enumerate(places)}
    nodes = [_node(lineage.nodes[place]) for place in places]
    edges = [
        (number[edge.source], number[edge.target], edge.relation)
        for edge in lineage.edges
        if edge.source in number and edge.target in number
    ]
    return Graph(nodes, edges, len(lineage.nodes) - len(places))


def _node(node: Node) -> tuple[str, str, str]:
    """Return kind, short label and full label of a node."""
    gone = node.note if node.note in ("deleted", "yanked") else None
    short = f"{_short(node.place)} ({gone})" if gone else _short(node.place)
    return MISSING if gone == "deleted" else node.place.kind, short, label(node)


def _short(place: NodeId) -> str:
    """Return the short name of a node; its edges state the rest."""
    if place.kind in (STEP, RUN):
        return place.name.split("/", 2)[2 if place.kind == STEP else 1]
    return place.name.rpartition("@")[2] if place.kind == CODE else place.name


def to_dot(lineage: Lineage) -> str:
    """Return a lineage as a DOT digraph, which Graphviz draws."""
    number = {place: f"n{n}" for n, place in enumerate(lineage.nodes)}
    lines = ["digraph lineage {", "    rankdir=LR;"]
    for place, node in lineage.nodes.items():
        bold = ", style=bold" if place == lineage.root else ""
        lines.append(f"    {number[place]} [label={_quoted(label(node))}, shape={_DOT[place.kind]}{bold}];")
    lines += [
        f"    {number[edge.source]} -> {number[edge.target]} [label={_quoted(edge.relation)}];"
        for edge in lineage.edges
    ]
    return "\n".join([*lines, "}"]) + "\n"


def _entities(text: str) -> str:
    return "".join(c if c.isalnum() or c in " ._-/@()" else f"#{ord(c)};" for c in text)


def _quoted(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
