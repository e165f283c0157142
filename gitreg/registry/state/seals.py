"""The seals of records: what a record was when its tag was made, and how it differs from that now."""

from __future__ import annotations

from collections.abc import Container, Iterator
from hashlib import sha256
from typing import NamedTuple

from gitreg.documents.layout import MAX_BYTES, Key
from gitreg.documents.types import RegistryDocument
from gitreg.errors import TooLarge
from gitreg.git import Repository
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.cut_history import is_cut
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.manifests import Holder
from gitreg.registry.state.registry_refs import build_seal, tag_record, tag_ref
from gitreg.registry.state.snapshot import ModelVersion, Snapshot


class WantedTag(NamedTuple):
    """The tag that a version has to have.

    Parameters
    ----------
    ref:
        The full name of the tag.
    commit:
        The commit that brought the record.
    record:
        The record in that commit.
    """

    ref: str
    commit: str
    record: IndexEntry

    def build(self, repository: Repository, settings: RegistryDocument) -> str:
        """Write the tag object and return its id; no ref is moved."""
        assert self.record.data is not None
        return build_seal(repository, settings, self.commit, self.record.data, self.record.digest)[1]


def wanted_tags(snapshot: Snapshot, present: Container[str] = ()) -> Iterator[WantedTag]:
    """Yield the tag of each version, except those in `present`, whose records are not read.

    A record that was never readable has none, nor one whose first commit a shallow clone lacks.
    """
    index, seq = snapshot.index, snapshot.seq
    for model, name, _ in index.last_touched(seq, "model_version"):
        ref = tag_ref(snapshot.settings, model, name)
        entry = None if ref in present else index.get(seq, "model_version", model, name)
        if entry is None or not (contents := readings(snapshot, entry)):
            continue
        moment = index.moment(contents[-1].since)
        if not moment.boundary:
            yield WantedTag(ref, moment.oid, contents[-1])


def record_problem(branch: RegistryBranch, version: Holder) -> str | None:
    """Return how a record differs from its seal (its first version in history, or its tag), or None."""
    snapshot, repository = branch.snapshot(), branch.repository
    kind = "model_version" if isinstance(version, ModelVersion) else "artifact"
    name, _, selector = version.reference.rpartition("@")
    entry = snapshot.index.get(snapshot.seq, kind, name, selector)
    if entry is None or entry.data is None:
        return None
    contents = readings(snapshot, entry)
    if contents[-1].digest != entry.digest:
        return f"its sealed record was edited in {snapshot.index.moment(contents[0].since).oid[:12]}"
    if not isinstance(version, ModelVersion):  # it has no tag
        return None
    if is_cut(snapshot, version):
        if is_sealed(branch, snapshot, version):
            return seal_problem(branch, snapshot, version)
        return "is not verified: it came without history, and its tag is not here"
    ref = tag_ref(snapshot.settings, version.model, version.version)
    oid = repository.read_ref(ref)
    commit = repository.peel(oid) if oid else None
    if commit and commit != snapshot.index.moment(contents[-1].since).oid and not same_record(branch, commit, entry):
        return f"its tag {ref} seals another record, that of {commit[:12]}"
    return None


def is_sealed(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> bool:
    """Return whether the version's tag is in this repository, and not an annotated tag that names no record.

    An annotated tag without a record was made by hand and cannot show an edit; only the history can.
    """
    oid = branch.repository.read_ref(tag_ref(snapshot.settings, version.model, version.version))
    tag = branch.repository.tag(oid) if oid else None
    return oid is not None and (tag is None or tag_record(tag.message) is not None)


def seal_problem(branch: RegistryBranch, snapshot: Snapshot, version: ModelVersion) -> str | None:
    """Return how a record differs from the one that its tag seals, or None; the tag has to be in this repository."""
    repository = branch.repository
    ref = tag_ref(snapshot.settings, version.model, version.version)
    oid = repository.read_ref(ref)
    tag = repository.tag(oid) if oid else None
    if oid is None or tag is None:
        return "its tag is not annotated, and seals no record"
    if f"refs/tags/{tag.name}" != ref or tag.target_type != "commit":
        return f"its tag was made for something else ({tag.name})"
    if tag_record(tag.message) != version.digest:
        return "its tag seals another record"
    entry = snapshot.index.get(snapshot.seq, "model_version", version.model, version.version)
    assert entry is not None
    commit = repository.peel(oid)  # present only if the remote allowed to fetch it without its history
    if commit is not None and not same_record(branch, commit, entry):
        return f"its tag seals another record, that of {commit[:12]}"
    return None


def readings(snapshot: Snapshot, entry: IndexEntry) -> list[IndexEntry]:
    """Return all readable versions of a record, newest first: an unreadable one was never sealed."""
    contents = snapshot.index.history(snapshot.seq, entry.kind, entry.model, entry.name)
    return [past for past in contents if past.text is not None]


def same_record(branch: RegistryBranch, commit: str, entry: IndexEntry) -> bool:
    """Return whether the record at a commit is, byte for byte, the one in the index."""
    path = Key(entry.kind, entry.model, entry.name).path
    try:
        content = branch.repository.read(commit, f"{branch.root}/{path}" if branch.root else path, limit=MAX_BYTES)
    except TooLarge:
        return False
    return content is not None and sha256(content).hexdigest() == entry.digest
