"""The guides: pages of Markdown by task, shown by ``gitreg help TOPIC`` and installed as ``man gitreg-TOPIC``.

The first line of a guide is its title. ``tests/test_guides.py`` runs its console and Python blocks.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

TOPICS = (
    "start",
    "project",
    "team",
    "versions",
    "stores",
    "promotion",
    "policies",
    "hooks",
    "runs",
    "metaflow",
    "notebooks",
    "formats",
    "environment",
    "exit-codes",
    "json",
    "troubleshooting",
    "security",
    "deployment",
    "air-gap",
    "glossary",
)
"""The names of the guides, in the order in which a newcomer may read them."""


def source(topic: str) -> str:
    """Return the Markdown of a guide."""
    return (_FOLDER / f"{topic}.md").read_text("utf-8")


def title(topic: str) -> str:
    """Return the title of a guide, without its mark."""
    with (_FOLDER / f"{topic}.md").open(encoding="utf-8") as file:
        return file.readline().removeprefix("# ").strip()
