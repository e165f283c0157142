"""Cards: what is known of a version as one HTML file that stands alone. Values in, text out."""

from gitreg.cards.page import render_card, render_step
from gitreg.cards.values import Artifact, Card, Check, Entry, Graph, Held, Metric, StepCard, Tensor

__all__ = [
    "Artifact", "Card", "Check", "Entry", "Graph", "Held", "Metric", "StepCard", "Tensor", "render_card", "render_step",
]  # fmt: skip
