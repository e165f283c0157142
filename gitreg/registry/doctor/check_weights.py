"""The check of weights: files that the store lacks, and the copies that can restore them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.store import Store
from gitreg.errors import GitregError
from gitreg.progress import counting
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.manifests import Holder, manifest_of, stored_manifest
from gitreg.registry.state.runs_and_artifacts import artifact_versions
from gitreg.registry.state.snapshot import Snapshot


def problems_of_weights(
    snapshot: Snapshot, store: Store, replicas: Sequence[Store], source: StoreReader, cached: Callable[[str], bool]
) -> Iterator[Problem]:
    """Yield the problems of files that the store lacks, and of stores that cannot be reached.

    A file that was found damaged when it was read (`gitreg verify --deep`, any load) was set aside: the store lacks it.

    Parameters
    ----------
    source:
        The reader of manifests.
    cached:
        A function that returns whether the user's cache has a set of files, by the digest of its manifest.
    """
    manifests: dict[str, Manifest] = {}
    references: dict[str, str] = {}
    models = {entry.model for entry in snapshot.index.scan(snapshot.seq, "model_version")}
    versions: list[Holder] = [version for model in models for version in snapshot.versions(model)]
    every = (*versions, *artifact_versions(snapshot))
    for kept_by in counting(every, "Checking weights", len(every), "versions"):
        for name, artifact in kept_by.artifacts.items():
            try:
                manifest = manifest_of(artifact, source)
            except GitregError as error:
                yield Problem(f"{kept_by.reference}:{name}", error.message, _RESTORE)
                continue
            for kept in (manifest, stored_manifest(manifest)) if artifact.files is None else (manifest,):
                manifests[kept.digest] = kept
                references.setdefault(kept.digest, kept_by.reference)
    missing: dict[str, list[FileEntry]] = {}
    elsewhere: list[tuple[Store, dict[str, list[FileEntry]]]] = []
    for asked in (store, *replicas):
        try:
            if asked.gone and not asked.own:
                raise asked.not_there()
            if asked is store:
                missing = asked.missing(manifests.values())
            else:
                elsewhere.append((asked, asked.missing(manifests[digest] for digest in missing)))
        except GitregError as error:
            yield Problem(asked.url, error.message.removeprefix(f"{asked.url}: "), error.hint or _UNREACHABLE)
    for digest, files in missing.items():
        for entry in files:
            place = f"{references[digest]}:{entry.path}"
            problem = f"its bytes (sha256 {entry.sha256[:12]}...) are not in the store"
            holder = next((replica for replica, lacks in elsewhere if entry not in lacks.get(digest, ())), None)
            at = holder.url if holder else "this machine's cache" if cached(digest) else None
            if at is None:
                yield Problem(place, problem, _RESTORE)
            else:
                remedy = "`gitreg doctor --repair` copies them back"
                yield Problem(place, f"{problem}, but {at} holds them", remedy, manifests[digest])


_UNREACHABLE = "mount or connect it; if it is gone for good, `gitreg store remove` it"
_RESTORE = "restore it from another copy of the store (`gitreg store copy --from`), or save the same file again"
