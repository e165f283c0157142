"""The layered layout: nothing lies on anything, edges run to the right, and few of them cross."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.cards.layered_layout import Layout, layered
from gitreg.cards.lineage_graph import lay_out
from gitreg.cards.values import Graph

HEIGHT = 30.0
graphs = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.lists(st.floats(20, 250), min_size=count, max_size=count),
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=30),
    )
)


def laid(count: int, *edges: tuple[int, int]) -> Layout:
    return layered([60.0] * count, [HEIGHT] * count, edges)


def crossings(layout: Layout) -> int:
    """Count the pairs of edges between two layers whose ends are in opposite orders."""
    pieces = [
        (a.leave, a.y, b.y) for route in layout.routes.values() for a, b in pairwise(route)
    ]  # fmt: skip
    return sum(x == z and (a - c) * (b - d) < 0 for (x, a, b), (z, c, d) in combinations(pieces, 2))


@given(graphs)
def test_no_node_and_no_edge_lies_on_a_node(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, edges = graph
    layout = layered(widths, [HEIGHT] * len(widths), edges)
    boxes = [(x, x + width, y, y + HEIGHT) for (x, y), width in zip(layout.corners, widths, strict=True)]
    for left, right, top, bottom in boxes:
        assert 0 <= left < right <= layout.width + 1e-6
        assert 0 <= top < bottom <= layout.height + 1e-6
    for a, b in combinations(boxes, 2):
        assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
    for route in layout.routes.values():
        for enter, leave, y in route:
            start, end = min(enter, leave), max(enter, leave)
            assert not any(left < end and start < right and top < y < bottom for left, right, top, bottom in boxes)


@given(graphs)
def test_each_edge_goes_from_its_source_to_its_target_and_bends_only_between_layers(
    graph: tuple[list[float], list[tuple[int, int]]],
) -> None:
    widths, edges = graph
    layout = layered(widths, [HEIGHT] * len(widths), edges)
    assert list(layout.routes) == [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
    for (source, target), route in layout.routes.items():
        ends = [(x, x + width, y + HEIGHT / 2) for (x, y), width in zip(layout.corners, widths, strict=True)]
        assert route[0].enter in ends[source][:2]
        assert route[-1].leave in ends[target][:2]
        assert (route[0].y, route[-1].y) == (ends[source][2], ends[target][2])
        xs = [x for enter, leave, _ in route for x in (enter, leave)]
        assert xs == sorted(xs, reverse=layout.corners[source][0] > layout.corners[target][0])


@given(st.integers(2, 12), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=25))
def test_without_a_cycle_every_edge_runs_to_the_right(count: int, edges: set[tuple[int, int]]) -> None:
    acyclic = [(b, a) for a, b in edges if a < b < count]
    for source, target in acyclic:
        corners = laid(count, *acyclic).corners
        assert corners[source][0] < corners[target][0]


def test_a_source_stands_beside_its_target_though_its_path_is_short() -> None:
    corners = laid(5, (0, 1), (1, 2), (2, 3), (4, 3)).corners
    assert corners[4][0] == corners[2][0]


def test_a_chain_is_a_straight_line() -> None:
    layout = laid(40, *((n, n + 1) for n in range(39)))
    assert {y for _, y in layout.corners} == {layout.corners[0][1]}


def test_parents_stand_at_the_middle_of_their_children() -> None:
    corners = laid(4, (1, 0), (2, 0), (3, 0)).corners
    assert corners[0][1] == pytest.approx(sorted(y for _, y in corners[1:])[1])


def test_a_tree_and_two_crossed_pairs_are_drawn_without_a_crossing() -> None:
    assert crossings(laid(15, *((n, (n - 1) // 2) for n in range(1, 15)))) == 0
    assert crossings(laid(4, (0, 3), (1, 2))) == 0
    assert crossings(laid(6, (0, 4), (1, 3), (2, 5), (0, 5), (1, 4))) == 0


def test_parts_without_an_edge_between_them_lie_below_one_another() -> None:
    corners = laid(5, (0, 1), (2, 3)).corners
    assert corners[0][1] == corners[1][1] < corners[2][1] == corners[3][1] < corners[4][1]


def test_an_edge_that_closes_a_cycle_runs_back_from_left_side_to_right_side() -> None:
    layout = laid(2, (0, 1), (1, 0))
    (x0, _), (x1, _) = layout.corners
    back = layout.routes[1, 0] if x0 < x1 else layout.routes[0, 1]
    assert back[0].enter == max(x0, x1)
    assert back[-1].leave == min(x0, x1) + 60


def test_edges_between_the_same_nodes_are_one_line_that_names_all_their_meanings() -> None:
    nodes = [("version", "a", "a"), ("artifact", "b", "b")]
    picture = lay_out(Graph(nodes, [(1, 0, "input"), (1, 0, "train"), (1, 0, "input"), (0, 0, "itself")]), 800)
    assert [how for _, how in picture.lines] == ["input, train"]
