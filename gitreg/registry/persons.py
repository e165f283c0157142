"""The persons whom a registry knows at a commit."""

from __future__ import annotations

from gitreg.policy.people import People
from gitreg.registry.snapshot import Snapshot


def people(snapshot: Snapshot) -> People:
    """Return the persons whom ``gitreg.yaml`` names."""
    return snapshot.remember("people", lambda: People(snapshot.settings.people))
