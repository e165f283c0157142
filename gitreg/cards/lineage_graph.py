"""A graph as a picture that fits a width: boxes with labels, and curves between them; the template draws it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from unicodedata import bidirectional, combining, east_asian_width

from gitreg.cards.layered_layout import EdgeSegment, layered
from gitreg.cards.values import Graph

_LETTER, _WIDE_LETTER = 7.0, 12.5  # widths in the picture's own units; capitals and Chinese letters are wide
_BOLD = 1.1  # the width of a bold letter, by that of another one
_TO_THE_LEFT, _LEFT_TO_RIGHT = ("R", "AL"), "\N{LEFT-TO-RIGHT MARK}"
_LONGEST = 238.0  # of a label; a longer one loses its middle, as the end of it is a version
_PAD, _TALL, _MARGIN = 8.0, 28.0, 2.0
_CHIP_GAP = 6.0  # between the boxes of a frame
_TALLEST = 900.0  # of a picture; a higher one shows less
_TWINS = 4  # so many nodes with the same neighbours are drawn in a frame
_ROWS = 10  # of boxes in a frame; its last box names the number of those that it has no room for


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
    """A graph with places.

    Parameters
    ----------
    boxes:
        The nodes drawn, the root first; the last box of a frame may stand for more nodes, its kind is ``rest``.
    frames:
        Left upper corner, width and height of each frame around nodes with the same neighbours.
    lines:
        The curves as SVG paths, each with its meaning.
    more:
        The number of nodes that the picture does not count.
    """

    width: float
    height: float
    boxes: list[Box]
    frames: list[tuple[float, float, float, float]]
    lines: list[tuple[str, str]]
    more: int


def lay_out(graph: Graph, width: float) -> Picture:
    """Return a picture of a graph that is at most so wide, with as many edges around the root as there is room for.

    It is drawn from left to right where that fits, otherwise from top to bottom. Nodes with the same neighbours stand
    together in a frame, which has one curve for all of them.
    """
    distances = _distances(graph)
    found: Picture | None = None
    for depth in sorted(set(distances))[1:] or [0]:
        shown = [n for n, distance in enumerate(distances) if distance <= depth]
        fitting = _fitting(graph, shown, width)
        if fitting is None:  # nor does a larger part, whose layout takes longer
            break
        found = fitting
    if found is not None:
        return found
    near = [{source for source, target, _ in graph.edges if target == 0} - {0}]
    near.append({target for source, target, _ in graph.edges if source == 0} - {0} - near[0])
    return _picture(graph, [[0], *(sorted(each) for each in near if each)], width, down=True)


def _fitting(graph: Graph, shown: Sequence[int], width: float) -> Picture | None:
    """Return a picture of a part of a graph, to the right or else down; None if it is too wide and too high."""
    groups = _twins(graph, shown)
    for down in (False, True):
        picture = _picture(graph, groups, width, down=down)
        if picture.width <= width and picture.height <= _TALLEST:
            return picture
    return None


def _distances(graph: Graph) -> list[int]:
    """Return the number of edges between the root and each node; nodes without a way to it are farthest."""
    links: dict[int, list[int]] = defaultdict(list)
    for source, target, _ in graph.edges:
        links[source].append(target)
        links[target].append(source)
    found, waiting = {0: 0}, deque([0])
    while waiting:
        node = waiting.popleft()
        for link in links[node]:
            if link not in found:
                found[link] = found[node] + 1
                waiting.append(link)
    return [found.get(n, len(graph.nodes)) for n in range(len(graph.nodes))]


def _twins(graph: Graph, shown: Sequence[int]) -> list[list[int]]:
    """Return the nodes in groups: those of one kind and with the same neighbours, if they are many; the root first."""
    around: dict[int, set[tuple[int, int, str]]] = {n: set() for n in shown}
    for source, target, meaning in graph.edges:
        if source in around and target in around:
            around[source].add((1, target, meaning))
            around[target].add((-1, source, meaning))
    alike: dict[object, list[int]] = defaultdict(list)
    for n in shown:
        alike[n == 0, graph.nodes[n][0], frozenset(around[n])].append(n)
    return [group for each in alike.values() for group in ([each] if len(each) >= _TWINS else [[n] for n in each])]


def _picture(graph: Graph, groups: Sequence[Sequence[int]], width: float, *, down: bool) -> Picture:
    """Return the picture of groups of nodes, without the edges inside of a group."""
    chips = {n: _letters_that_fit(graph.nodes[n][1], bold=n == 0) for group in groups for n in group}
    shapes = [_Shape.of([chips[n][1] for n in group], (width if down else width / 2) - 2 * _MARGIN) for group in groups]
    where = {n: at for at, group in enumerate(groups) for n in group}
    meanings: dict[tuple[int, int], list[str]] = defaultdict(list)
    for source, target, meaning in graph.edges:
        if source in where and target in where and where[source] != where[target]:
            meanings[where[source], where[target]].append(meaning)
    widths, heights = [shape.width for shape in shapes], [shape.height for shape in shapes]
    laid = layered(heights, widths, meanings) if down else layered(widths, heights, meanings)
    boxes, frames = [], []
    for corner, group, shape in zip(laid.corners, groups, shapes, strict=True):
        x, y = (each + _MARGIN for each in (reversed(corner) if down else corner))
        if len(group) > 1:
            frames.append((round(x, 1), round(y, 1), round(shape.width, 1), round(shape.height, 1)))
        for n, (left, top) in zip(group, shape.places(), strict=False):
            kind, label, title = graph.nodes[n][0], chips[n][0], graph.nodes[n][2]
            if n == group[shape.shown - 1] != group[-1]:
                rest = len(group) - shape.shown + 1
                kind, label, title = "rest", f"+{rest}", f"and {rest} more"
            boxes.append(Box(round(x + left, 1), round(y + top, 1), shape.chip, _TALL, kind, label, title, n == 0))
    across, along = (laid.height, laid.width) if down else (laid.width, laid.height)
    return Picture(
        round(across + 2 * _MARGIN, 1),
        round(along + 2 * _MARGIN, 1),
        boxes,
        frames,
        [(_curve(laid.routes[pair], down=down), ", ".join(dict.fromkeys(all_))) for pair, all_ in meanings.items()],
        graph.more + len(graph.nodes) - len(where),
    )


class _Shape(NamedTuple):
    """The size of a node, or of a frame with boxes in columns."""

    shown: int
    columns: int
    chip: float

    @classmethod
    def of(cls, widths: Sequence[float], room: float) -> _Shape:
        """Return the shape for boxes of these widths: about twice as many rows as columns, if the room is enough."""
        chip, count = max(widths), len(widths)
        fitting = max(1, int((room - 2 * _PAD + _CHIP_GAP) // (chip + _CHIP_GAP)))
        columns = min(fitting, max(round((count / 2) ** 0.5), -(-count // _ROWS)))
        return cls(min(count, columns * _ROWS), columns, chip)

    @property
    def width(self) -> float:
        return self.chip if self.shown == 1 else self.columns * (self.chip + _CHIP_GAP) - _CHIP_GAP + 2 * _PAD

    @property
    def height(self) -> float:
        rows = -(-self.shown // self.columns)
        return _TALL if self.shown == 1 else rows * (_TALL + _CHIP_GAP) - _CHIP_GAP + 2 * _PAD

    def places(self) -> Iterator[tuple[float, float]]:
        """Yield the left upper corner of each box shown, within the shape."""
        inset = 0.0 if self.shown == 1 else _PAD
        for n in range(self.shown):
            row, column = divmod(n, self.columns)
            yield inset + column * (self.chip + _CHIP_GAP), inset + row * (_TALL + _CHIP_GAP)


def _letters_that_fit(label: str, *, bold: bool) -> tuple[str, float]:
    """Return a label, without its middle where it is too long, and the width of a box for it."""
    sizes = [_letter(letter) * (_BOLD if bold else 1) for letter in label]
    if sum(sizes) > _LONGEST:
        head, tail = 0, len(label)
        room = _LONGEST - _WIDE_LETTER
        while True:  # the head gets two letters for each of the tail's
            take_head = head <= 2 * (len(label) - tail)
            room -= sizes[head if take_head else tail - 1]
            if room < 0:
                break
            head, tail = (head + 1, tail) if take_head else (head, tail - 1)
        label, sizes = f"{label[:head]}…{label[tail:]}", [*sizes[:head], _WIDE_LETTER, *sizes[tail:]]
    if any(bidirectional(letter) in _TO_THE_LEFT for letter in label):
        label = label.replace("@", f"{_LEFT_TO_RIGHT}@")  # else the version would stand before the name
    return label, round(2 * _PAD + sum(sizes), 1)


def _letter(letter: str) -> float:
    if combining(letter):
        return 0.0
    if east_asian_width(letter) in "WF":
        return _WIDE_LETTER
    return 9.5 if letter.isupper() or letter in "mw@" else _LETTER


def _curve(route: Sequence[EdgeSegment], *, down: bool) -> str:
    """Return the path of an edge: straight within a layer, bent between layers."""

    def point(along: float, across: float) -> str:
        x, y = (across, along) if down else (along, across)
        return f"{x + _MARGIN:.1f} {y + _MARGIN:.1f}"

    path = f"M{point(route[0].enter, route[0].y)}L{point(route[0].leave, route[0].y)}"
    for a, b in pairwise(route):
        between = (a.leave + b.enter) / 2
        path += f"C{point(between, a.y)} {point(between, b.y)} {point(b.enter, b.y)}"
        if b.leave != b.enter:
            path += f"L{point(b.leave, b.y)}"
    return path
