"""A metric over versions as a small picture."""

from __future__ import annotations

from typing import NamedTuple

from gitreg.cards.values import Metric

WIDTH, HEIGHT = 240, 72  # in the picture's own units
_MARGIN = 8


class Plot(NamedTuple):
    """What the template draws: the line's points, and where the version itself is."""

    name: str
    line: str
    dots: list[tuple[float, float, str, bool]]
    value: str
    low: str
    high: str
    width: int
    height: int


def plot(metric: Metric, version: str) -> Plot:
    """Lay out a metric; the version's own point is marked."""
    values = [value for _, value in metric.points]
    low, high = min(values), max(values)
    span = (high / 2 - low / 2) or 1.0  # halves: the difference of the largest floats is no float
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
    """Give a number as people read it: six digits that count."""
    return f"{value:.6g}" if isinstance(value, float) else f"{value:,}"
