"""A plot of a metric over the versions of a model, with axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gitreg.cards.values import Metric

WIDTH, HEIGHT = 380, 150  # in the picture's own units
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 12, 26  # for the numbers of the axes
_MOST_NAMES = 5  # on the axis of versions
_LETTER = 7  # the width of a letter


class Dot(NamedTuple):
    """The place of one version."""

    x: float
    y: float
    name: str
    value: str
    own: bool


class Plot(NamedTuple):
    """The values that the template draws.

    Parameters
    ----------
    line:
        The points of the line through the dots.
    levels:
        The height of each number on the left axis, and the number.
    names:
        The place of each version's name on the lower axis, the name, and its anchor.
    """

    name: str
    line: str
    dots: list[Dot]
    levels: list[tuple[float, str]]
    names: list[tuple[float, str, str]]
    value: str
    low: str
    high: str
    better: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def plot(metric: Metric, version: str) -> Plot:
    """Return the plot of a metric; the point of the given version is marked."""
    values = [value for _, value in metric.points]
    low, high = min(values), max(values)
    span = (high / 2 - low / 2) or 1.0  # halves: the difference of the two largest floats would overflow

    def height(value: float) -> float:
        part = (value / 2 - low / 2) / span if high > low else 0.5
        return round(HEIGHT - _BOTTOM - 6 - part * (HEIGHT - _TOP - _BOTTOM - 6), 1)

    step = (WIDTH - _LEFT - _RIGHT - 16) / max(1, len(values) - 1)
    dots = [
        Dot(
            round(_LEFT + 8 + n * step if len(values) > 1 else (WIDTH + _LEFT) / 2, 1),
            height(value), name, number(value), name == version,
        )
        for n, (name, value) in enumerate(metric.points)
    ]  # fmt: skip
    middle = low / 2 + high / 2
    levels = [(height(value), number(value)) for value in ([low, middle, high] if high > low else [low])]
    line = " ".join(f"{dot.x},{dot.y}" for dot in dots)
    return Plot(
        metric.name, line, dots, _short(levels, low, high), _names(dots), number(metric.value), number(low),
        number(high), metric.better,
    )  # fmt: skip


def _short(levels: list[tuple[float, str]], low: float, high: float) -> list[tuple[float, str]]:
    """Return the levels with numbers that are short enough for the axis."""
    if max(len(text) for _, text in levels) * _LETTER <= _LEFT - 8:
        return levels
    numbers = [low, low / 2 + high / 2, high] if len(levels) > 1 else [low]
    return [(y, f"{float(value):.3g}") for (y, _), value in zip(levels, numbers, strict=True)]


def _names(dots: list[Dot]) -> list[tuple[float, str, str]]:
    """Return the names for the axis: of the version itself, and of as many others as there is room for."""
    room = (WIDTH - _LEFT - _RIGHT) / _MOST_NAMES
    own = next((n for n, dot in enumerate(dots) if dot.own), len(dots) - 1)
    wanted = [own, 0, len(dots) - 1, *(round(n * (len(dots) - 1) / 4) for n in range(1, 4))]
    taken: list[tuple[float, float]] = []
    names = []
    for n in dict.fromkeys(wanted):
        dot = dots[n]
        name = dot.name if len(dot.name) * _LETTER <= room else f"{dot.name[: int(room // _LETTER) - 1]}…"
        width = len(name) * _LETTER + 8
        start = min(max(dot.x - width / 2, 0), WIDTH - width)
        if all(start + width <= left or right <= start for left, right in taken):
            taken.append((start, start + width))
            names.append((round(start + width / 2, 1), name, "own" if n == own else ""))
    return names


def by_version(plots: Sequence[Plot]) -> list[tuple[str, list[str], bool]]:
    """Return the numbers of plots as rows: the version, its value in each plot, and True for the card's own."""
    columns = [{dot.name: dot.value for dot in each.dots} for each in plots]
    own = {dot.name for each in plots for dot in each.dots if dot.own}
    order: list[str] = []
    for each in plots:  # versions that only some plots have come where these have them
        place = 0
        for dot in each.dots:
            if dot.name in order:
                place = order.index(dot.name) + 1
            else:
                order.insert(place, dot.name)
                place += 1
    return [(name, [column.get(name, "") for column in columns], name in own) for name in order]


def number(value: float) -> str:
    """Return a number as text for people: floats with six significant digits, integers with commas."""
    return f"{value:.6g}" if isinstance(value, float) or abs(value) >= 10**15 else f"{value:,}"


def difference(value: float, other: float) -> str:
    """Return the difference between two numbers with its sign, without the noise of binary fractions."""
    if isinstance(value, int) and isinstance(other, int) and abs(value - other) < 10**15:
        text = f"{value - other:+,}"
    else:
        text = f"{float(value) - float(other):+.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


def change(metric: Metric) -> str:
    """Return ``better``, ``worse`` or ``same`` for a metric beside the other version's; "" where it is not known."""
    if metric.other is None:
        return ""
    if metric.value == metric.other:
        return "same"
    if not metric.better:
        return ""
    return "better" if (metric.value > metric.other) == (metric.better == "higher") else "worse"
