"""Garbage collection of a blob store: mark blobs reachable from records and drafts, sweep the rest into the trash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitreg.blobs.gc.sweep import GarbageObject, Live, find_leftovers, purge, read_unneeded, sweep, undo
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.store import Store
from gitreg.documents.layout import MAX_BYTES, Key, parse_path
from gitreg.documents.types import AnnotationDocument, ArtifactDocument, ArtifactRecord, VersionDocument
from gitreg.documents.yaml import loads
from gitreg.errors import GitregError, IntegrityError, InvalidDocument
from gitreg.git import Repository
from gitreg.progress import counting
from gitreg.registry.drafts import RUN_FILE, read_draft_at
from gitreg.registry.state.branch import DRAFTS, RegistryBranch
from gitreg.registry.state.manifests import manifest_of
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.weights.store_users import StoreUser, StoreUsers

_RECORD = re.compile(r"(?:(?P<root>.*)/)?(?P<rest>models/.+/versions/[^/]+\.yaml|artifacts/[^/]+/[^/]+\.yaml)")


@dataclass(frozen=True)
class _Record:
    """A record's file in the tree of some commit."""

    root: str
    key: Key
    oid: str


@dataclass(frozen=True)
class Garbage:
    """An unreachable object in a store, with the deleted version that it belonged to.

    Parameters
    ----------
    key:
        Its key, or its key before it was moved to the trash.
    size:
        In bytes.
    since:
        Time when it was written or moved to the trash, in seconds since 1970 by the store's clock.
    reason:
        ``unused``: it is unreachable. ``unfinished``: a killed writer left it. ``damaged``: it was found damaged and
        moved aside. ``recent``: it is one of these, but too young to be taken. ``trash``: it lies in the trash.
    model, version:
        The deleted version that the object belonged to, of several the first; None where no record names the object:
        its save did not end, or its registry is gone.
    registry:
        The name of the registry with that version, where it is another one that shares the store; else None.
    """

    key: str
    size: int
    since: float
    reason: str
    model: str | None = None
    version: str | None = None
    registry: str | None = None


def find_garbage(users: StoreUsers, *, grace: float) -> list[Garbage]:
    """Return the objects that `collect_garbage` would take, now or once they are older, and those in the trash.

    Parameters
    ----------
    users:
        The store users: the registries whose records are marked.
    grace:
        The retention in seconds: objects written since then, by the store's clock, stay, as their save may not have
        ended.

    Raises
    ------
    InvalidDocument, IntegrityError, Refused
        The reachable objects are not known (:func:`live_manifests`), or another store user cannot be read; nothing is
        taken.
    """
    return _of_versions(find_leftovers(users.store, _live(users), grace=grace), users)


def collect_garbage(users: StoreUsers, *, grace: float) -> list[Garbage]:
    """Move the objects to the trash that are not reachable from any store user, and return them.

    Files that killed writers left unfinished are removed for good, and returned, too.
    Parameters, errors: as for :func:`find_garbage`.
    """
    return _of_versions(sweep(users.store, _live(users), grace=grace), users)


def purge_garbage(users: StoreUsers, *, grace: float) -> list[Garbage]:
    """Remove the objects for good that were in the trash for at least the retention, and return them.

    Objects that are reachable again are restored instead. Parameters, errors: as for :func:`find_garbage`.
    """
    return _of_versions(purge(users.store, _live(users), grace=grace), users)


def return_garbage(branch: RegistryBranch, store: Store) -> list[Garbage]:
    """Restore all objects from the trash, and return them."""
    _check_there(store)
    returned = undo(store)
    head = branch.head()
    return _named(returned, [StoreUser(branch, (head,) if head else ())], store) if returned else []


# -- mark --------------------------------------------------------------------------------------------------------------


def _check_there(store: Store) -> None:
    if store.gone and not store.own:
        raise store.not_there()


def _live(users: StoreUsers) -> Live:
    _check_there(users.store)

    def look() -> Iterator[Manifest]:
        with users.read() as found:
            for user in found:
                live = live_manifests(user, users.store)
                yield from counting(live, "Reading records", None, "artifacts")

    return look


def live_manifests(user: StoreUser, store: StoreReader) -> Iterator[Manifest]:
    """Yield the manifest of every artifact that is reachable from a store user; some of them more than once.

    Reachable is each record at a ref of the repository or of its remote, or at a checked-out commit (not in reflogs
    alone), of any registry in the repository; further, each record of a version or an artifact that was ever on the
    branch, even if it was edited or removed there, as it was sealed; each artifact linked to a version; and each draft.

    A record counts no longer once its version is deleted, by an annotation at the same commit or on the registry's
    branch. Branches count both here and on the remote, as an unpublished deletion does not bind others.

    Raises
    ------
    InvalidDocument
        A record, an annotation or a draft cannot be read, so its files are not known.
    IntegrityError
        A manifest is missing or damaged, so its files are not known.
    """
    repository = user.branch.repository
    drafts = {name: oid for name, oid in user.refs.items() if name.startswith(DRAFTS)} | repository.refs(DRAFTS)
    yield from _drafted(user.branch, drafts, store)
    refs = [
        *repository.refs("refs/").items(),
        *user.refs.items(),
        *(("HEAD", commit) for commit in repository.checked_out()),
    ]
    for head in user.heads:
        yield from _recorded(user.branch, user.branch.snapshot_at(head), refs, store)


def _recorded(
    branch: RegistryBranch, snapshot: Snapshot, refs: Sequence[tuple[str, str]], store: StoreReader
) -> Iterator[Manifest]:
    """Yield the manifests of all records that the branch, at one commit, does not call deleted."""
    repository, head = branch.repository, snapshot.commit
    deleted = _deleted(snapshot)
    unreadable = {(entry.kind, entry.model, entry.name) for entry in snapshot.unreadable()}
    read: set[str] = set()
    present: set[str] = set()
    for entry in snapshot.index.ever(snapshot.seq, "model_version"):
        key = Key("model_version", entry.model, entry.name)
        if entry.data is not None and key not in deleted:
            yield from _manifests(VersionDocument.from_data(entry.data).artifacts.values(), key, store)
    yield from _linked_and_standalone(snapshot, deleted, store)
    for tip, base in _tips(repository, snapshot, refs, present):
        for record in _records(branch, tip, base):
            if tip == head:
                present.add(record.key.path)
            if record.oid in read or (record.root == branch.root and record.key in deleted):
                continue
            indexed = record.root == branch.root and tip == head and record.key not in unreadable
            if record.key.kind == "artifact" and indexed:  # yielded above
                continue
            if (record.root != branch.root or tip != head) and _deleted_there(branch, tip, record):
                continue
            read.add(record.oid)
            artifacts = _artifacts(repository.read_blob(record.oid, limit=MAX_BYTES), record)
            yield from _manifests(artifacts, record.key, store)


def _linked_and_standalone(snapshot: Snapshot, deleted: set[Key], store: StoreReader) -> Iterator[Manifest]:
    for entry in snapshot.index.scan(snapshot.seq, "annotation"):
        key = Key("annotation", entry.model, entry.name)
        if entry.data is None:
            raise _not_told(key, entry.problem.partition(": ")[2] if entry.problem else "cannot be read")
        if entry.data.get("artifacts") and Key("model_version", entry.model, entry.name) not in deleted:
            yield from _manifests(AnnotationDocument.from_data(entry.data).artifacts.values(), key, store)
    for entry in snapshot.index.ever(snapshot.seq, "artifact"):
        if entry.data is not None:
            key = Key("artifact", entry.model, entry.name)
            yield from _manifests([ArtifactDocument.from_data(entry.data).record], key, store)


def _drafted(branch: RegistryBranch, drafts: Mapping[str, str], store: StoreReader) -> Iterator[Manifest]:
    for ref, commit in drafts.items():
        if branch.repository.read(commit, RUN_FILE) is None:  # another branch under the drafts' prefix
            continue
        draft = read_draft_at(branch.repository, commit, ref)
        own = [record for version in draft.versions.values() for record in version.artifacts.values()]
        records = [*own, *(document.record for document in draft.artifacts.values())]
        yield from _manifests(records, Key("run", draft.run.pipeline, draft.run.run), store)


def _tips(
    repository: Repository, snapshot: Snapshot, refs: Iterable[tuple[str, str]], present: set[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield the commits to search for records, each with its base to compare with; first the head, with base None.

    Older commits of the branch's first-parent line are skipped, as the index has their records; this spares thousands
    of tags. A tag is searched nevertheless if its record is gone from the branch (perhaps of another registry there).

    Parameters
    ----------
    present:
        The paths of the records at the branch's head; the caller fills the set after the first commit.
    """
    head = snapshot.commit
    yield head, None
    seen = {head}
    for ref, oid in refs:
        model, _, version = ref.removeprefix("refs/tags/").partition("/")[2].rpartition("@")
        sealed = ref.startswith("refs/tags/") and f"models/{model}/versions/{version}.yaml" not in present
        tip = repository.peel(oid)
        if tip is None or tip in seen:
            continue
        place = snapshot.index.position(tip)
        if place is not None and place <= snapshot.seq and not sealed:
            continue
        seen.add(tip)
        yield tip, head


def _deleted(snapshot: Snapshot) -> set[Key]:
    return {
        Key("model_version", entry.model, entry.name)
        for entry in snapshot.index.scan(snapshot.seq, "annotation")
        if entry.data and entry.data.get("deleted")
    }


def _records(branch: RegistryBranch, tip: str, base: str | None) -> Iterator[_Record]:
    """Yield the records at a tip that are missing or different at the base."""
    for change in branch.repository.diff(base, tip):
        match = _RECORD.fullmatch(change.path)
        if match and change.new:
            key = parse_path(match["rest"])
            if key is not None:
                yield _Record(match["root"] or "", key, change.new)


def _deleted_there(branch: RegistryBranch, tip: str, record: _Record) -> bool:
    path = Key("annotation", record.key.model, record.key.name).path
    content = branch.repository.read(tip, f"{record.root}/{path}" if record.root else path, limit=MAX_BYTES)
    if content is None:
        return False
    try:
        data = loads(content, path)
    except InvalidDocument:
        return False
    return isinstance(data, dict) and data.get("deleted") is True


def _artifacts(content: bytes, record: _Record) -> list[ArtifactRecord]:
    try:
        data = loads(content, record.key.path)
        kind = ArtifactDocument if record.key.kind == "artifact" else VersionDocument
        return list(kind.from_data(data).artifacts.values())
    except (InvalidDocument, TypeError, AttributeError, KeyError) as error:
        reason = error.reason if isinstance(error, InvalidDocument) else "is no record"
        raise _not_told(record.key, reason) from None


def _not_told(key: Key, reason: str) -> InvalidDocument:
    return InvalidDocument(
        key.path,
        "",
        f"{reason}; what it means cannot be told, so nothing is collected",
        hint="mend or remove the file first; `gitreg doctor` names it",
    )


def _manifests(artifacts: Iterable[ArtifactRecord], key: Key, store: StoreReader) -> Iterator[Manifest]:
    for artifact in artifacts:
        try:
            yield manifest_of(artifact, store)
        except GitregError as error:
            raise IntegrityError(f"{key.model}@{key.name}: {error.message}", hint=error.hint) from None


# -- former owners -----------------------------------------------------------------------------------------------------


def _of_versions(left: Iterable[GarbageObject], users: StoreUsers) -> list[Garbage]:
    """Return each object with the deleted version that it belonged to, as far as the store users know it."""
    left = list(left)
    if not left:
        return []
    with users.read() as found:
        return _named(left, found, users.store)


def _named(left: Iterable[GarbageObject], users: Iterable[StoreUser], store: Store) -> list[Garbage]:
    owners: dict[str, tuple[str, str, str | None]] = {}
    for user in users:
        for head in user.heads:
            _owners(user.branch.snapshot_at(head), store, user.name, owners)
    nobody = (None, None, None)
    return [
        Garbage(one.key, one.size, one.since, one.reason, *(owners.get(one.whole, nobody) if one.whole else nobody))
        for one in left
    ]


def _owners(
    snapshot: Snapshot, store: Store, registry: str | None, owners: dict[str, tuple[str, str, str | None]]
) -> None:
    """Write the owner of each file and file set of deleted versions to `owners`, by sha256 in hexadecimal."""
    deleted = _deleted(snapshot)
    for entry in snapshot.index.ever(snapshot.seq, "model_version"):
        if entry.data is None or Key("model_version", entry.model, entry.name) not in deleted:
            continue
        for artifact in VersionDocument.from_data(entry.data).artifacts.values():
            owner = (entry.model, entry.name, registry)
            owners.setdefault(artifact.digest.removeprefix("sha256:"), owner)
            if artifact.files is not None:
                files = [file.sha256 for file in artifact.files.values()]
            else:
                manifest = read_unneeded(store, artifact.digest)
                files = [file.sha256 for file in manifest.files] if manifest else []
            for digest in files:
                owners.setdefault(digest, owner)
