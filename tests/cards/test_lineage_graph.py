"""The picture of a lineage: it fits its width, nothing lies on anything, and the version is always in it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.cards.lineage_graph import Box, Picture, lay_out
from gitreg.cards.values import Graph

WIDTHS = (800.0, 342.0)


def graph(count: int, *edges: tuple[int, int], name: str = "node-{}@1") -> Graph:
    names = [name.format(n) for n in range(count)]
    return Graph([("version", each, each) for each in names], [(a, b, "input") for a, b in edges])


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def labels(picture: Picture) -> list[str]:
    return [box.label for box in picture.boxes]


@given(
    st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20),
    st.text(max_size=60), st.sampled_from(WIDTHS),
)  # fmt: skip
def test_a_picture_fits_its_width_and_no_box_lies_on_another(
    count: int, edges: list[tuple[int, int]], label: str, width: float
) -> None:
    nodes = [("artifact", label[: 5 * n], f"node {n}") for n in range(count)]
    picture = lay_out(Graph(nodes, [(a, b, "x") for a, b in edges if a < count and b < count]), width)
    assert picture.width <= width
    assert picture.boxes[0].root
    for box in picture.boxes:
        assert 0 <= box.x <= box.x + box.width <= picture.width
        assert 0 <= box.y <= box.y + box.height <= picture.height
    assert not any(overlap(a, b) for a, b in combinations(picture.boxes, 2))


@pytest.mark.parametrize(("width", "curves"), [(800.0, 4), (342.0, 2)])
def test_forty_inputs_stand_in_a_frame_with_one_curve_and_the_version_is_near_the_top(
    width: float, curves: int
) -> None:
    edges = [(n, 0) for n in range(1, 41)] + [(0, 41), (0, 42), (0, 43)]
    picture = lay_out(graph(44, *edges, name="dataset-part-{}@1"), width)
    assert picture.width <= width
    assert len(picture.lines) == curves, "one of the frame, and one for each of its results where there is room"
    assert labels(picture).count("dataset-part-0@1") == 1
    assert picture.boxes[0].y < 600
    assert "+21" in labels(picture)
    assert picture.more == 0


@pytest.mark.parametrize(("width", "down"), [(800.0, False), (342.0, True)])
def test_a_chain_runs_to_the_right_where_it_fits_and_down_where_it_does_not(width: float, *, down: bool) -> None:
    picture = lay_out(graph(5, *((n, n + 1) for n in range(4))), width)
    assert len({round(box.x + box.width / 2) for box in picture.boxes}) == (1 if down else 5)
    assert len({box.y for box in picture.boxes}) == (5 if down else 1)


def test_a_graph_that_does_not_fit_is_drawn_near_the_version_alone() -> None:
    chain = graph(60, *((n, n + 1) for n in range(59)))
    picture = lay_out(chain, 342)
    assert labels(picture)[:3] == ["node-0@1", "node-1@1", "node-2@1"]
    assert picture.more == 60 - len(picture.boxes) > 0


def test_what_fits_no_width_is_drawn_as_all_that_went_in_and_all_that_came_out() -> None:
    ladder = [(n, n + 1) for n in range(1, 19)] + [(n, 0) for n in range(1, 20)] + [(0, n) for n in range(20, 40)]
    picture = lay_out(graph(40, *ladder, *((n, n + 1) for n in range(20, 39))), 342)
    assert len(picture.frames) == 2
    assert len(picture.lines) == 2


def test_a_long_name_loses_its_middle_and_keeps_its_version() -> None:
    picture = lay_out(graph(2, (0, 1), name="a-name-that-nobody-would-want-to-type-by-hand-{}@1.0.0-rc1"), 800)
    assert all(
        each.startswith("a-name-that") and each.endswith("1.0.0-rc1") and "…" in each for each in labels(picture)
    )


def test_letters_that_are_wide_get_more_room() -> None:
    narrow, wide = (lay_out(graph(2, (0, 1), name=name), 800).boxes[0].width for name in ("iiii{}", "鳶尾花模{}"))
    assert wide > narrow + 20


def test_a_name_from_right_to_left_stays_before_its_version() -> None:
    name = "\u0632\u0647\u0631\u0629"
    assert labels(lay_out(graph(2, (0, 1), name=f"{name}{{}}@1"), 800))[0] == f"{name}0\N{LEFT-TO-RIGHT MARK}@1"
