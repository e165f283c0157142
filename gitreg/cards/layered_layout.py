"""Sugiyama's layered layout: longest-path layers from left to right, ordered by barycenter, placed by least squares.

Drawn from top to bottom, it is the same layout with x and y exchanged.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from statistics import fmean
from typing import NamedTuple

GAP_X, GAP_Y = 40.0, 14.0  # between layers, between the nodes of a layer
_BEND = 8.0  # the height of a long edge where it passes a layer, with the gaps
_SWEEPS = 12  # half of them from the left

_Links = Mapping[int, Sequence[int]]
"""Neighbours on one side of each item: of a node, or of a bend where a long edge passes a layer."""


class EdgeSegment(NamedTuple):
    """The level part of an edge in one layer: it enters at one x, leaves at the other."""

    enter: float
    leave: float
    y: float


class Layout(NamedTuple):
    """Left upper corners of the nodes, stretches of each edge from source to target, and the size of it all."""

    corners: list[tuple[float, float]]
    routes: dict[tuple[int, int], list[EdgeSegment]]
    width: float
    height: float


def layered(widths: Sequence[float], heights: Sequence[float], edges: Iterable[tuple[int, int]]) -> Layout:
    """Return places for nodes of these sizes; an edge that closes a cycle runs from right to left.

    Parts that no edge joins lie below one another; above and below all of it is half a gap.

    Returns
    -------
    Layout
        Corners in the order of ``widths``, and a route for each edge; all in the unit of ``widths``, x to the right and
        y down.
    """
    count = len(widths)
    pairs = [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
    layer = _layers(count, pairs)
    paths: dict[tuple[int, int], list[int]] = {}
    left: dict[int, list[int]] = defaultdict(list)
    right: dict[int, list[int]] = defaultdict(list)
    for pair in pairs:
        first, last = sorted(pair, key=layer.__getitem__)
        passed = range(layer[first] + 1, layer[last])
        paths[pair] = [first, *range(len(layer), len(layer) + len(passed)), last]
        layer.extend(passed)
        for a, b in pairwise(paths[pair]):
            right[a].append(b)
            left[b].append(a)
    half = [(heights[item] + GAP_Y if item < count else _BEND) / 2 for item in range(len(layer))]
    spans: dict[int, tuple[float, float]] = {}  # of the layer that an item stands in
    middles: dict[int, float] = {}
    below = 0.0
    for part in _parts(len(layer), left, right):
        columns: dict[int, list[int]] = defaultdict(list)
        for item in part:
            columns[layer[item]].append(item)
        order = _ordered([columns[n] for n in sorted(columns)], left, right)
        placed = _middles(order, left, right, half)
        down = below - min(placed[item] - half[item] for item in part)
        middles.update((item, middle + down) for item, middle in placed.items())
        below = max(middles[item] + half[item] for item in part)
        x = 0.0
        for column in order:
            widest = max(widths[item] for item in column if item < count)
            spans.update(dict.fromkeys(column, (x, x + widest)))
            x += widest + GAP_X
    routes = {pair: _route(pair[0], path, widths, spans, middles) for pair, path in paths.items()}
    corners = [(spans[n][0], middles[n] - heights[n] / 2) for n in range(count)]
    width = max((end for _, end in spans.values()), default=0.0)
    return Layout(corners, routes, width, below)


def _route(
    source: int,
    path: Sequence[int],
    widths: Sequence[float],
    spans: Mapping[int, tuple[float, float]],
    middles: Mapping[int, float],
) -> list[EdgeSegment]:
    """Return the stretches of an edge, from the right side of its left node to the left side of its right one."""
    first, *bends, last = path
    route = [
        EdgeSegment(spans[first][0] + widths[first], spans[first][1], middles[first]),
        *(EdgeSegment(*spans[bend], middles[bend]) for bend in bends),
        EdgeSegment(spans[last][0], spans[last][0], middles[last]),
    ]
    return route if source == first else [EdgeSegment(leave, enter, y) for enter, leave, y in reversed(route)]


def _layers(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the layer of each node: right of its sources, and next to its targets where that shortens edges."""
    before: dict[int, set[int]] = {n: set() for n in range(count)}
    for source, target in pairs:
        before[target].add(source)
    layer: dict[int, int] = {}
    while len(layer) < count:
        waiting = [n for n in before if n not in layer]
        ready = [n for n in waiting if before[n] <= layer.keys()]
        if not ready:  # a cycle: what leads into its first node counts as if it led out of it
            ready = waiting[:1]
            for source in before[ready[0]] - layer.keys():
                before[ready[0]].discard(source)
                before[source].add(ready[0])
        for n in ready:
            layer[n] = 1 + max((layer[source] for source in before[n]), default=-1)
    after: dict[int, list[int]] = {n: [target for target in before if n in before[target]] for n in before}
    for n in sorted(layer, key=layer.__getitem__, reverse=True):
        if len(after[n]) > len(before[n]):
            layer[n] = min(layer[target] for target in after[n]) - 1
    return [layer[n] for n in range(count)]


def _parts(count: int, left: _Links, right: _Links) -> Iterator[list[int]]:
    """Yield the items of each connected part, neighbours near to one another."""
    seen: set[int] = set()
    for start in range(count):
        waiting, part = [start], []
        while waiting:
            if (item := waiting.pop()) not in seen:
                seen.add(item)
                part.append(item)
                waiting += (*reversed(right.get(item, ())), *reversed(left.get(item, ())))
        if part:
            yield part


def _ordered(columns: list[list[int]], left: _Links, right: _Links) -> list[list[int]]:
    """Return the columns in an order with few crossings: each item at the mean position of its neighbours."""
    best, fewest = columns, _crossings(columns, right)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        columns = list(columns)
        links, step = (right, -1) if sweep % 2 else (left, 1)
        for n in range(len(columns))[::step][1:]:
            place = {item: at for at, item in enumerate(columns[n - step])}
            own = {item: at for at, item in enumerate(columns[n])}
            columns[n] = sorted(
                columns[n],
                key=lambda item: fmean(place[link] for link in links[item]) if links.get(item) else own[item],
            )
        if (crossings := _crossings(columns, right)) < fewest:
            best, fewest = columns, crossings
    return best


def _crossings(columns: list[list[int]], right: _Links) -> int:
    crossings = 0
    for column, following in pairwise(columns):
        place = {item: at for at, item in enumerate(following)}
        ends: list[int] = []
        for item in column:
            mine = [place[link] for link in right.get(item, ())]
            crossings += sum(len(ends) - bisect_right(ends, end) for end in mine)
            for end in mine:
                insort(ends, end)
    return crossings


def _middles(columns: list[list[int]], left: _Links, right: _Links, half: Sequence[float]) -> dict[int, float]:
    """Return the height of each item's middle: as near to its neighbours' as its column's order and gaps let it be."""
    middle: dict[int, float] = {}
    for column in columns:
        y = 0.0
        for item in column:
            middle[item] = y + half[item]
            y += 2 * half[item]
    for sweep in range(_SWEEPS):
        links, step = (right, -1) if sweep % 2 else (left, 1)
        for column in columns[::step]:
            wanted = [fmean(middle[link] for link in links.get(item, ()) or (item,)) for item in column]
            middle.update(zip(column, _spread(wanted, [half[item] for item in column]), strict=True))
    return middle


def _spread(wanted: Sequence[float], half: Sequence[float]) -> list[float]:
    """Return the middles that are nearest to those wanted, by least squares, in this order and without overlap."""
    offsets = list(accumulate((a + b for a, b in pairwise(half)), initial=0.0))
    blocks: list[tuple[float, int]] = []  # the mean of those that touch, and their number
    for y, offset in zip(wanted, offsets, strict=True):
        mean, size = y - offset, 1
        while blocks and blocks[-1][0] >= mean:
            above, number = blocks.pop()
            mean, size = (above * number + mean * size) / (number + size), number + size
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
