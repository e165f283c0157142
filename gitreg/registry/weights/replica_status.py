"""The replica status (which store has which versions' files), and replication from store to store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.replication import replicate
from gitreg.blobs.store import Store
from gitreg.errors import GitregError, IntegrityError, Refused
from gitreg.progress import Progress
from gitreg.registry.state.manifests import LISTED_FILES, Holder, manifest_of, stored_manifest
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.registry.weights.trusted_stores import NamedStore


@dataclass(frozen=True)
class ReplicaStatus:
    """The status of one version in one store.

    Parameters
    ----------
    store:
        The store's address.
    state:
        ``whole``, ``part`` or ``absent``; ``not approved`` or ``unreachable`` where it is not known.
    present, files:
        The number of files in the store, and of all files of the version; a stored manifest counts as one. None where
        it is not known.
    """

    reference: str
    store: str
    state: str
    present: int | None
    files: int | None

    def row(self) -> dict[str, Any]:
        """Return the row as a dict for JSON."""
        return {
            "reference": self.reference,
            "store": self.store,
            "state": self.state,
            "held": self.present,
            "files": self.files,
        }


def replica_statuses(
    versions: Sequence[Holder], named: Sequence[NamedStore], source: StoreReader, tell: Callable[[str], None]
) -> list[list[ReplicaStatus]]:
    """Return the replica status: a row for each version, with the status in each store in order.

    Parameters
    ----------
    source:
        The store that manifests are read from.
    tell:
        Called with a message for each store that is unreachable.
    """
    sets = [_sets_or_none(version, source) for version in versions]
    everything = [files for each in sets if each for files in each]
    columns = [_column(store, versions, sets, everything, tell) for store in named]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(
    store: NamedStore,
    versions: Sequence[Holder],
    sets: Sequence[list[Manifest] | None],
    everything: list[Manifest],
    tell: Callable[[str], None],
) -> list[ReplicaStatus]:
    unknown = "unreachable"
    missing = None
    try:
        if store.store.gone and not store.store.own:
            raise store.store.not_there()
        missing = store.store.missing(everything)
    except Refused:
        unknown = "not approved"
    except GitregError as error:
        tell(f"unreachable: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    column = []
    for version, each in zip(versions, sets, strict=True):
        files = None if each is None else sum(len(manifest.files) for manifest in each)
        if missing is None:
            column.append(ReplicaStatus(version.reference, store.url, unknown, None, files))
        elif each is None or files is None:  # even the manifest cannot be read
            column.append(ReplicaStatus(version.reference, store.url, "absent", None, None))
        else:
            present = files - sum(len(missing.get(manifest.digest, ())) for manifest in each)
            state = "whole" if present == files else "part" if present else "absent"
            column.append(ReplicaStatus(version.reference, store.url, state, present, files))
    return column


@dataclass(frozen=True)
class CopiedVersion:
    """The result of copying one file set of a version.

    Parameters
    ----------
    files, size:
        The number of files copied to the target, and their size in bytes.
    problem:
        The reason why some files could not be copied; None where all were.
    """

    reference: str
    files: int
    size: int
    problem: str | None

    def row(self) -> dict[str, Any]:
        """Return the row as a dict for JSON."""
        return {"reference": self.reference, "files": self.files, "size": self.size, "problem": self.problem}


class Replication:
    """The replication of versions to a store: the size is known first, then `run` has to be iterated to its end.

    Parameters
    ----------
    sources:
        The stores to copy from, tried in this order.
    target:
        The store to copy to.
    spool:
        A folder for temporary copies of big files that are stored without chunks.
    manifests:
        The store that manifests are read from.
    more:
        Further file sets to copy, which belong to drafts and proposals.

    Attributes
    ----------
    size:
        The size of the files that the target lacks, in bytes.
    target:
        The address of the target.
    """

    def __init__(
        self,
        versions: Iterable[Holder],
        sources: Sequence[Store],
        target: Store,
        spool: Path,
        manifests: StoreReader,
        more: Iterable[Manifest] = (),
    ) -> None:
        self._sources = sources
        self._target = target
        self.target = target.url
        self._spool = spool
        self._unknown: list[CopiedVersion] = []
        sets: dict[str, tuple[str, Manifest]] = {}
        for version in versions:
            try:
                for manifest in _sets(version, manifests):
                    sets.setdefault(manifest.digest, (version.reference, manifest))
            except IntegrityError as error:
                self._unknown.append(CopiedVersion(version.reference, 0, 0, error.message))
        for further in more:
            listed = len(further.files) <= LISTED_FILES
            for manifest in (further,) if listed else (further, stored_manifest(further)):
                sets.setdefault(manifest.digest, ("a draft or a proposal", manifest))
        missing = target.missing(manifest for _, manifest in sets.values())
        self.size = sum(entry.size for entries in missing.values() for entry in entries)
        self._lacking = [sets[digest] for digest in missing]

    @property
    def is_done(self) -> bool:
        """True if the target lacks nothing, as far as it can be known."""
        return not (self._lacking or self._unknown)

    def run(self, progress: Progress) -> Iterator[CopiedVersion]:
        """Copy the missing files and yield the result of each incomplete set; damaged files do not stop the other sets.

        Raises
        ------
        GitregError
            The target cannot be written to, or a source cannot be read.
        """
        yield from self._unknown
        for reference, manifest in self._lacking:
            copied = replicate(manifest, self._sources, self._target, self._spool, progress=progress)
            problem = copied.error.message if copied.error else None
            yield CopiedVersion(reference, copied.files, copied.size, problem)


def _sets(version: Holder, source: StoreReader) -> list[Manifest]:
    """Return the file sets that a store has to have for a version, stored manifests as sets of their own."""
    sets = []
    ignored = version.annotation.artifacts if isinstance(version, ModelVersion) else {}  # gc keeps those, too
    for artifact in (*version.artifacts.values(), *ignored.values()):
        manifest = manifest_of(artifact, source)
        sets += [manifest] if artifact.files is not None else [manifest, stored_manifest(manifest)]
    return sets


def _sets_or_none(version: Holder, source: StoreReader) -> list[Manifest] | None:
    try:
        return _sets(version, source)
    except GitregError:
        return None
