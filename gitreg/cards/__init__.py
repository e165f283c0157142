"""Cards: the facts about a version as one self-contained HTML file, rendered from plain values."""

from gitreg.cards.page import render_card, render_step
from gitreg.cards.values import Artifact, Card, CheckResult, Graph, Metric, StageMove, StepCard, StepModel, TensorInfo

__all__ = [
    "Artifact",
    "Card",
    "CheckResult",
    "Graph",
    "Metric",
    "StageMove",
    "StepCard",
    "StepModel",
    "TensorInfo",
    "render_card",
    "render_step",
]  # fmt: skip
