"""The stores in ``gitreg.yaml``: replicas added and removed, and another primary store."""

from __future__ import annotations

from gitreg.documents.layout import Key
from gitreg.errors import NotFound
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes


def add_replica(snapshot: Snapshot, url: str) -> Changes:
    """Return the changes that add a replica to ``gitreg.yaml``; one that is listed already is not added again.

    Parameters
    ----------
    url:
        The URL of the store as ``gitreg.yaml`` will spell it.
    """
    settings = snapshot.sound_settings()
    replicas = (*settings.replicas, *((url,) if url not in settings.replicas else ()))
    return Changes(
        {Key("registry"): settings.but(replicas=replicas)},
        f"Add the store {url}",
        trailers=(("Operation", "store-add"), ("Store", url)),
    )


def set_primary(snapshot: Snapshot, url: str) -> Changes:
    """Return the changes that give the registry another primary store; it is no replica any more, if it was one.

    Parameters
    ----------
    url:
        The URL of the store as ``gitreg.yaml`` will spell it.
    """
    settings = snapshot.sound_settings()
    replicas = tuple(each for each in settings.replicas if each != url)
    return Changes(
        {Key("registry"): settings.but(store=url, replicas=replicas)},
        f"Move the weights to {url}",
        trailers=(("Operation", "store-set"), ("Store", url)),
    )


def remove_replica(snapshot: Snapshot, url: str) -> Changes:
    """Return the changes that remove a replica from ``gitreg.yaml``; the files in that store stay.

    Raises
    ------
    NotFound
        The URL is not listed as a replica.
    """
    settings = snapshot.sound_settings()
    if url not in settings.replicas:
        named = f"they are {', '.join(settings.replicas)}" if settings.replicas else "there is none"
        raise NotFound(f"{url} is no replica of this registry", hint=named)
    replicas = tuple(each for each in settings.replicas if each != url)
    return Changes(
        {Key("registry"): settings.but(replicas=replicas)},
        f"Remove the store {url}",
        trailers=(("Operation", "store-remove"), ("Store", url)),
    )
