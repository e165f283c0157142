"""Which weights are still meant by somebody, and removing those that are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitreg.blobs import Store, Swept
from gitreg.documents.layout import Key, parse_path
from gitreg.documents.types import ArtifactRecord, VersionDocument
from gitreg.documents.yaml import MAX_BYTES, loads
from gitreg.errors import GitregError, IntegrityError, InvalidDocument
from gitreg.registry.artifacts import files_of
from gitreg.registry.claims import other_registries
from gitreg.registry.ledger import Ledger
from gitreg.registry.snapshot import Snapshot

_RECORD = re.compile(r"(?:(?P<root>.*)/)?(?P<rest>models/.+/versions/[^/]+\.yaml)")


@dataclass(frozen=True)
class _Record:
    """A record file somewhere in the repository."""

    root: str
    key: Key
    oid: str


def live_digests(ledger: Ledger, store: Store) -> set[str]:
    """Give the sha256 of every blob that some record means, in hexadecimal.

    A record counts at whatever ref of the repository or checked-out commit it stands (not in reflogs alone), of
    whichever registry in it, until that commit's own annotation, or that of the registry's branch, says that its
    version is deleted. A record that was once on the branch and was edited or removed there counts too: it was sealed.

    Raises
    ------
    InvalidDocument
        A record cannot be read, so that what it means is not known.
    IntegrityError
        A manifest is missing, for the same reason.
    """
    repository, snapshot = ledger.repository, ledger.snapshot()
    head = snapshot.commit
    deleted = _deleted(snapshot)
    live: set[str] = set()
    read: set[str] = set()
    present: set[str] = set()
    for entry in snapshot.index.ever(snapshot.seq, "model_version"):
        key = Key("model_version", entry.model, entry.name)
        if entry.data is not None and key not in deleted:
            for artifact in VersionDocument.from_data(entry.data).artifacts.values():
                live.update(_blobs(artifact, key, store))
    for tip, base in _tips(ledger, snapshot, present):
        for record in _records(ledger, tip, base):
            if tip == head:
                present.add(record.key.path)
            if record.oid in read or (record.root == ledger.root and record.key in deleted):
                continue
            if (record.root != ledger.root or tip != head) and _deleted_there(ledger, tip, record):
                continue
            read.add(record.oid)
            for artifact in _artifacts(repository.read_blob(record.oid, limit=MAX_BYTES), record):
                live.update(_blobs(artifact, record.key, store))
    return live


def _tips(ledger: Ledger, snapshot: Snapshot, present: set[str]) -> Iterator[tuple[str, str | None]]:
    """Give the commits to look at, each with the one that it is compared to; the branch's own first, whole.

    What stands at an older commit of the branch's line has been seen in the index, so that thousands of tags need not
    be looked at; except where a tag seals a record that is gone from the branch (of another registry on it, perhaps).

    Parameters
    ----------
    present:
        The paths of the records at the branch's head, which are known once the first commit was looked at.
    """
    repository, head = ledger.repository, snapshot.commit
    yield head, None
    seen = {head}
    named = [*repository.refs("refs/").items(), *(("HEAD", commit) for commit in repository.checked_out())]
    for ref, oid in named:
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


def collect_garbage(
    ledger: Ledger, store: Store, *, env: Mapping[str, str], older_than: float, apply: bool
) -> Iterator[Swept]:
    """Remove, or only name, the blobs that no record means, here or in the registries that share the store.

    Parameters
    ----------
    older_than:
        What was written or saved again after this time (seconds since the epoch) stays: a save may be under way.
    apply:
        Whether to remove them.

    Raises
    ------
    InvalidDocument, IntegrityError, Refused
        What is live cannot be told (:func:`live_digests`), or another registry that keeps weights in the store cannot
        be read; nothing is removed.
    """
    live = live_digests(ledger, store)
    with other_registries(ledger, store, env=env) as others:
        for other in others:
            live |= live_digests(other, store)
    return store.sweep(live, older_than=older_than, apply=apply)


def _deleted(snapshot: Snapshot) -> set[Key]:
    return {
        Key("model_version", entry.model, entry.name)
        for entry in snapshot.index.scan(snapshot.seq, "annotation")
        if entry.data and entry.data.get("deleted")
    }


def _records(ledger: Ledger, tip: str, base: str | None) -> Iterator[_Record]:
    """Give the records at a tip that are not, as they are, at the base."""
    for change in ledger.repository.diff(base, tip):
        match = _RECORD.fullmatch(change.path)
        if match and change.new:
            key = parse_path(match["rest"])
            if key is not None:
                yield _Record(match["root"] or "", key, change.new)


def _deleted_there(ledger: Ledger, tip: str, record: _Record) -> bool:
    path = Key("annotation", record.key.model, record.key.name).path
    content = ledger.repository.read(tip, f"{record.root}/{path}" if record.root else path, limit=MAX_BYTES)
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
        return list(VersionDocument.from_data(data).artifacts.values())
    except (InvalidDocument, TypeError, AttributeError, KeyError) as error:
        reason = error.reason if isinstance(error, InvalidDocument) else "is no record"
        raise InvalidDocument(
            record.key.path,
            "",
            f"{reason}; what it means cannot be told, so nothing is collected",
            hint="mend or remove the file first; `gitreg doctor` names it",
        ) from None


def _blobs(artifact: ArtifactRecord, key: Key, store: Store) -> Iterator[str]:
    try:
        for entry in files_of(artifact, store):
            yield entry.sha256
    except GitregError as error:
        raise IntegrityError(f"{key.model}@{key.name}: {error.message}", hint=error.hint) from None
    if artifact.files is None:
        yield artifact.digest.removeprefix("sha256:")
