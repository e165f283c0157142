"""The layered layout of a graph, from left to right: grandalf computes positions, the template draws."""

from __future__ import annotations

from typing import Any, NamedTuple

from gitreg.cards.values import Graph

_LETTER = 7.0  # width of a letter, in the picture's units; long labels are cut
_LONGEST = 34  # letters
_TALL, _GAP_X, _GAP_Y, _EDGE = 30.0, 46.0, 14.0, 8.0


class Box(NamedTuple):
    """A node: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    title: str
    root: bool


class Picture(NamedTuple):
    """A graph with positions and sizes."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[tuple[str, str]]
    """Each edge as the path of a curve, and its kind."""


def lay_out(graph: Graph) -> Picture:
    """Return the picture of a graph: layers from left to right with few crossings (Sugiyama's method)."""
    from grandalf.graphs import Edge, Vertex
    from grandalf.graphs import Graph as Laid
    from grandalf.layouts import SugiyamaLayout

    class View:
        """The size of a node for grandalf, with width and height swapped: grandalf draws from top to bottom."""

        def __init__(self, label: str) -> None:
            self.w = _TALL
            self.h = 16 + _LETTER * len(label)
            self.xy = (0.0, 0.0)

    labels = [label if len(label) <= _LONGEST else f"{label[: _LONGEST - 3]}..." for _, label, _ in graph.nodes]
    vertices: list[Any] = [Vertex(n) for n in range(len(labels))]
    for vertex, label in zip(vertices, labels, strict=True):
        vertex.view = View(label)
    pairs = dict.fromkeys((source, target) for source, target, _ in graph.edges if source != target)
    laid = Laid(vertices, [Edge(vertices[source], vertices[target]) for source, target in pairs])
    below = 0.0
    for part in laid.C:
        layout = SugiyamaLayout(part)
        layout.xspace, layout.yspace = _GAP_Y, _GAP_X
        roots = [vertex for vertex in part.sV if not list(vertex.e_in())]
        layout.init_all(roots=roots or None, optimize=True)
        layout.draw(3)
        left = min(v.view.xy[1] - v.view.h / 2 for v in part.sV)
        top = min(v.view.xy[0] - v.view.w / 2 for v in part.sV)
        for v in part.sV:
            v.view.xy = (v.view.xy[0] - top + below, v.view.xy[1] - left)
        below = max(v.view.xy[0] + v.view.w / 2 for v in part.sV) + _GAP_Y
    boxes = []
    for n, ((kind, _, title), label, vertex) in enumerate(zip(graph.nodes, labels, vertices, strict=True)):
        view = vertex.view
        x, y = view.xy[1] - view.h / 2 + _EDGE, view.xy[0] - view.w / 2 + _EDGE
        boxes.append(Box(round(x, 1), round(y, 1), round(view.h, 1), _TALL, kind, label, title, n == 0))
    width = max(box.x + box.width for box in boxes) + _EDGE
    height = max(box.y + box.height for box in boxes) + _EDGE
    lines = [(_curve(boxes[source], boxes[target]), how) for source, target, how in graph.edges if source != target]
    return Picture(round(width, 1), round(height, 1), boxes, lines)


def _curve(source: Box, target: Box) -> str:
    x1, y1 = source.x + source.width, source.y + source.height / 2
    x2, y2 = target.x, target.y + target.height / 2
    bend = max(18.0, (x2 - x1) / 2)
    return f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
