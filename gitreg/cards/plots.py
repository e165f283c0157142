"""A plot of a metric over the versions of a model."""

from __future__ import annotations

from typing import NamedTuple

from gitreg.cards.values import Metric

WIDTH, HEIGHT = 240, 72  # in the picture's own units
_MARGIN = 8


class Plot(NamedTuple):
    """The values that the template draws: the points of the line, and a mark at the card's own version."""

    name: str
    line: str
    dots: list[tuple[float, float, str, bool]]
    value: str
    low: str
    high: str
    width: int
    height: int


def plot(metric: Metric, version: str) -> Plot:
    """Return the plot of a metric; the point of the given version is marked."""
    values = [value for _, value in metric.points]
    low, high = min(values), max(values)
    span = (high / 2 - low / 2) or 1.0  # halves: the difference of the two largest floats would overflow
    step = (WIDTH - 2 * _MARGIN) / max(1, len(values) - 1)
    dots = []
    for n, (name, value) in enumerate(metric.points):
        x = _MARGIN + n * step if len(values) > 1 else WIDTH / 2
        y = HEIGHT - _MARGIN - (value / 2 - low / 2) / span * (HEIGHT - 2 * _MARGIN) if high > low else HEIGHT / 2
        dots.append((round(x, 1), round(y, 1), f"{name}: {number(value)}", name == version))
    own = next((value for name, value in metric.points if name == version), values[-1])
    line = " ".join(f"{x},{y}" for x, y, _, _ in dots)
    return Plot(metric.name, line, dots, number(own), number(low), number(high), WIDTH, HEIGHT)


def number(value: float) -> str:
    """Return a number as text for people: floats with six significant digits, integers with commas."""
    return f"{value:.6g}" if isinstance(value, float) else f"{value:,}"
