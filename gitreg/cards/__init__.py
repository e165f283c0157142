"""Cards: the facts about a version as one self-contained HTML file, rendered from plain values."""

from gitreg.cards.page import render_card, render_step
from gitreg.cards.values import Artifact, Card, Check, Entry, Graph, Held, Metric, StepCard, Tensor

__all__ = [
    "Artifact", "Card", "Check", "Entry", "Graph", "Held", "Metric", "StepCard", "Tensor", "render_card", "render_step",
]  # fmt: skip
