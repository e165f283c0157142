"""The commands on the cache of this machine: list, prune and verify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from gitreg.blobs.cache.prune import CachedArtifact, cached_artifacts, prune, verify
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.sdk.environment import Environment
from gitreg.sdk.registry import Registry


def list_cache(environment: Environment, registry: Registry | None) -> list[dict[str, Any]]:
    """Return the artifacts in the cache, the most recently used first, as plain data.

    Parameters
    ----------
    registry:
        The registry whose versions are listed with each artifact; None lists none.
    """
    names = _versions(registry) if registry is not None else {}
    return [
        {**_row(each), "versions": names.get(each.digest, [])} for each in cached_artifacts(environment.cache().layout)
    ]


def prune_cache(environment: Environment, *, limit: int | None, all_unused: bool) -> list[dict[str, Any]]:
    """Evict the least recently used artifacts until the rest fits, and return them as plain data.

    See :func:`gitreg.blobs.cache.prune.prune`.

    Parameters
    ----------
    limit:
        The size to keep at most, in bytes. None takes GITREG_CACHE_SIZE, else a fifth of the disk.
    all_unused:
        True to evict everything that no process is writing or copying now, regardless of its last use.
    """
    cache = environment.cache()
    if all_unused:
        return [_row(each) for each in prune(cache.layout, 0, unused_for=0)]
    return [_row(each) for each in prune(cache.layout, cache.limit if limit is None else limit)]


def verify_cache(environment: Environment, *, progress: Progress = NO_PROGRESS) -> Iterator[dict[str, Any]]:
    """Hash all files of the cache again, remove damaged artifacts, and yield one row for each artifact."""
    for found in verify(environment.cache().layout, progress=progress):
        yield {
            "digest": found.digest,
            "size": found.size,
            "ok": not found.damaged,
            "damaged": list(found.damaged),
        }


def _versions(registry: Registry) -> dict[str, list[str]]:
    """Return the references of the versions that have an artifact, by the artifact's digest."""
    found: dict[str, list[str]] = {}
    snapshot = registry.session.snapshot()
    for model in snapshot.model_names():
        for version in snapshot.versions(model):
            for artifact in version.artifacts.values():
                found.setdefault(artifact.digest, []).append(version.reference)
    return found


def _row(each: CachedArtifact) -> dict[str, Any]:
    used = datetime.fromtimestamp(each.used, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"digest": each.digest, "size": each.size, "files": each.files, "used": used}
