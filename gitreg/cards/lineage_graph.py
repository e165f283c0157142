"""A graph as a picture: boxes with labels, and curves between them; the template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from gitreg.cards.layered_layout import EdgeSegment, layered
from gitreg.cards.values import Graph

_LETTER = 7.0  # the width of a letter, in the picture's own units; labels are cut to what fits
_LONGEST = 34  # letters
_TALL, _LEFT, _ABOVE = 30.0, 8.0, 1.0


class Box(NamedTuple):
    """A node: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    title: str
    root: bool


class Picture(NamedTuple):
    """A graph with places."""

    width: float
    height: float
    boxes: list[Box]
    lines: list[tuple[str, str]]
    """Each as the path of a curve, and how it is meant."""


def lay_out(graph: Graph) -> Picture:
    """Return the graph with a box for each node and a curve for each pair of linked nodes."""
    labels = [label if len(label) <= _LONGEST else f"{label[: _LONGEST - 3]}..." for _, label, _ in graph.nodes]
    widths = [16 + _LETTER * len(label) for label in labels]
    laid = layered(widths, _TALL, [(source, target) for source, target, _ in graph.edges])
    boxes = [
        Box(round(x + _LEFT, 1), round(y + _ABOVE, 1), round(width, 1), _TALL, kind, label, title, n == 0)
        for n, ((kind, _, title), label, width, (x, y)) in enumerate(
            zip(graph.nodes, labels, widths, laid.corners, strict=True)
        )
    ]
    meanings: dict[tuple[int, int], list[str]] = {pair: [] for pair in laid.routes}
    for source, target, meaning in graph.edges:
        if source != target:
            meanings[source, target].append(meaning)
    lines = [(_curve(laid.routes[pair]), ", ".join(dict.fromkeys(hows))) for pair, hows in meanings.items()]
    return Picture(round(laid.width + 2 * _LEFT, 1), round(laid.height + 2 * _ABOVE, 1), boxes, lines)


def _curve(route: Sequence[EdgeSegment]) -> str:
    """Return the path of an edge: level within a layer, bent between layers."""
    moved = [EdgeSegment(enter + _LEFT, leave + _LEFT, y + _ABOVE) for enter, leave, y in route]
    path = f"M{moved[0].enter:.1f} {moved[0].y:.1f}H{moved[0].leave:.1f}"
    for a, b in pairwise(moved):
        between = (a.leave + b.enter) / 2
        path += f"C{between:.1f} {a.y:.1f} {between:.1f} {b.y:.1f} {b.enter:.1f} {b.y:.1f}"
        if b.leave != b.enter:
            path += f"H{b.leave:.1f}"
    return path
