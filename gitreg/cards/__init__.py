"""Cards: what is known of a version as one HTML file that stands alone. Values in, text out."""

from gitreg.cards.page import render_card
from gitreg.cards.values import Artifact, Card, Check, Graph, Held, Metric, Tensor

__all__ = ["Artifact", "Card", "Check", "Graph", "Held", "Metric", "Tensor", "render_card"]
