"""Changes of ``gitreg.yaml`` that a command makes for the user."""

from __future__ import annotations

from gitreg.documents.layout import Key
from gitreg.registry.changes import Changes
from gitreg.registry.snapshot import Snapshot


def give_id(snapshot: Snapshot, registry_id: str) -> Changes:
    """Return what gives an old registry its id; one that has an id keeps it.

    Parameters
    ----------
    registry_id:
        32 hexadecimal digits that no other registry has.
    """
    settings = snapshot.sound_settings()
    if settings.id is not None:
        return Changes()
    return Changes(
        {Key("registry"): settings.but(id=registry_id)},
        "Give the registry an id",
        trailers=(("Operation", "id"),),
    )
