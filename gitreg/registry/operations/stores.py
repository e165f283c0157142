"""Naming the stores that hold copies."""

from __future__ import annotations

from gitreg.documents.layout import Key
from gitreg.errors import NotFound
from gitreg.registry.changes import Changes
from gitreg.registry.snapshot import Snapshot


def add_replica(snapshot: Snapshot, url: str) -> Changes:
    """Name a store that holds copies; one that is named already is left as it is.

    Parameters
    ----------
    url:
        As ``gitreg.yaml`` is to spell it.
    """
    settings = snapshot.sound_settings()
    replicas = (*settings.replicas, *((url,) if url not in settings.replicas else ()))
    return Changes(
        {Key("registry"): settings.but(replicas=replicas)},
        f"Add the store {url}",
        trailers=(("Operation", "store-add"), ("Store", url)),
    )


def remove_replica(snapshot: Snapshot, url: str) -> Changes:
    """Name a store no longer; what it holds stays there.

    Raises
    ------
    NotFound
        It is not among the stores that hold copies.
    """
    settings = snapshot.sound_settings()
    if url not in settings.replicas:
        named = f"they are {', '.join(settings.replicas)}" if settings.replicas else "there is none"
        raise NotFound(f"{url} is none of the stores that hold copies", hint=named)
    replicas = tuple(each for each in settings.replicas if each != url)
    return Changes(
        {Key("registry"): settings.but(replicas=replicas)},
        f"Remove the store {url}",
        trailers=(("Operation", "store-remove"), ("Store", url)),
    )
