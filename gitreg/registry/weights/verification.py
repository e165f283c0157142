"""Verification: records against their seals, and files in the stores against the records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

from gitreg.blobs import keys
from gitreg.blobs.files import FileEntry
from gitreg.blobs.manifest import Manifest
from gitreg.blobs.reader import StoreReader
from gitreg.blobs.store import Store
from gitreg.blobs.verify import verify
from gitreg.contents import RULES
from gitreg.contents import Finding as Verdict
from gitreg.documents.layout import Key
from gitreg.documents.types import ArtifactRecord
from gitreg.errors import GitregError
from gitreg.progress import Progress
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.content_verdicts import Difference, ScanCache, differences
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.manifests import Holder, manifest_of, stored_manifest
from gitreg.registry.state.seals import record_problem
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.weights.verify_checkpoint import VerifyCheckpoint
from gitreg.units import counted

_AT_ONCE = 50_000  # files whose existence is checked in one request


@dataclass(frozen=True)
class VerifiedItem:
    """The result of the verification of one file in one store, or of one record.

    Parameters
    ----------
    reference:
        The version or artifact, as ``name@version``; ``gitreg.yaml`` for the settings.
    artifact, path:
        The artifact and the path of the file in it; the artifact is "" if the finding is about a record.
    size:
        In bytes.
    problem:
        The problem as a sentence; None if the file is as its record says.
    store:
        The store's URL; None if the finding is not about a store.
    read:
        True if the file was read to its end, in this run or before its interruption; else only its presence was
        checked.
    """

    reference: str
    artifact: str
    path: str
    size: int
    problem: str | None
    store: str | None = None
    read: bool = False
    difference: Difference | None = None
    """The difference between the recorded and the found verdict on the content; it is then the problem."""

    def row(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {
            "reference": self.reference,
            "artifact": self.artifact,
            "path": self.path,
            "size": self.size,
            "ok": self.problem is None,
            "problem": self.problem,
            "store": self.store,
            "read": self.read,
            "contents": self.difference.row() if self.difference else None,
        }


class _Set(NamedTuple):
    """The files of one artifact; a manifest that is stored as a blob is a set of its own, without a record."""

    reference: str
    artifact: str
    manifest: Manifest
    record: ArtifactRecord | None


class _ContentScan:
    """The scanner of file contents during verification, for files without a known verdict."""

    def __init__(self, verdicts: ScanCache, tell: Callable[[str], None]) -> None:
        self._verdicts = verdicts
        self._tell = tell

        self._found: dict[str, Verdict] = {}  # in memory, in case the file of verdicts cannot be written

    def wants(self, entry: FileEntry) -> bool:
        """See `gitreg.blobs.verify.FileScan`."""
        return entry.sha256 not in self._found and self._verdicts.find(entry.sha256) is None

    def look(self, entry: FileEntry, file: BinaryIO) -> None:
        """See `gitreg.blobs.verify.FileScan`."""
        self._found[entry.sha256] = self._verdicts.look(entry.sha256, file)

    def leave_out(self, entry: FileEntry, error: OSError) -> None:
        """See `gitreg.blobs.verify.FileScan`."""
        self._tell(f"nobody looked at what {entry.path} is: {error.strerror or error}")

    def found(self, manifest: Manifest) -> dict[str, Verdict]:
        """Return the known verdicts on the files of a manifest, by path."""
        known = self._verdicts.find_all(entry.sha256 for entry in manifest.files) | self._found
        return {entry.path: known[entry.sha256] for entry in manifest.files if entry.sha256 in known}

    def forget(self) -> None:
        """Clear the verdicts in memory."""
        self._found.clear()


class Verification:
    """The verification of versions against their seals, and of stores against the versions; iterate once, to the end.

    A file that several versions share is read once in each store that has it. A replica need not have every file, but
    the files that it has must be whole.

    Parameters
    ----------
    branch:
        The branch for the check of records against their seals; None skips that check.
    versions:
        The versions to verify.
    source:
        The store that manifests are read from.
    stores:
        The stores to verify, the primary first.
    share:
        The fraction of the files to read: 0 checks only that they are present, 1 reads all; between them a random
        sample of about that size, at least one file.
    run:
        The files that were read so far; they are not read again after an interruption.
    whole:
        True if the versions are all of the registry: then removed and unreadable records are findings, too.
    verdicts:
        The known verdicts on contents, which records are compared with for the files that are read. None skips that.
    tell:
        Called with a message for each replica that cannot be reached, and for each file whose content cannot be
        examined.
    progress:
        The progress display.

    Attributes
    ----------
    before:
        The count of files that an interrupted run had found whole.
    """

    def __init__(
        self,
        branch: RegistryBranch | None,
        versions: Iterable[Holder],
        source: StoreReader,
        stores: Sequence[Store],
        *,
        share: float,
        run: VerifyCheckpoint,
        whole: bool = False,
        verdicts: ScanCache | None = None,
        tell: Callable[[str], None],
        progress: Progress,
    ) -> None:
        self.before = run.before
        self._onlooker = _ContentScan(verdicts, tell) if verdicts and share else None
        self._branch = branch
        self._versions = versions
        self._source = source
        self._stores = list(stores)
        self._primary = stores[0]
        self._share = share
        self._whole = whole
        self._run = run
        self._tell = tell
        self._progress = progress
        self._problems: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Verification({counted(len(self._stores), 'store')}, reading {self._share:.0%} of the files)"

    def __iter__(self) -> Iterator[VerifiedItem]:
        try:
            if self._branch and self._whole:
                yield from lost_records(self._branch.snapshot())
            for batch in self._batches():
                if isinstance(batch, VerifiedItem):
                    yield batch
                    continue
                for store in list(self._stores):
                    yield from self._check(store, batch)
                yield from self._compare(batch)
            self._run.end()
        finally:
            self._run.close()

    def _batches(self) -> Iterator[VerifiedItem | list[_Set]]:
        batch: list[_Set] = []
        for version in self._versions:
            if self._branch and (problem := record_problem(self._branch, version)):
                yield VerifiedItem(version.reference, "", "", 0, problem)
            for name, artifact in version.artifacts.items():
                try:
                    manifest = manifest_of(artifact, self._source)
                except GitregError as error:
                    yield VerifiedItem(version.reference, name, "", artifact.size, error.message)
                    continue
                batch.append(_Set(version.reference, name, manifest, artifact))
                if artifact.files is None:
                    batch.append(_Set(version.reference, name, stored_manifest(manifest), None))
            if sum(len(each.manifest.files) for each in batch) > _AT_ONCE:
                yield batch
                batch = []
        yield batch

    def _check(self, store: Store, batch: list[_Set]) -> Iterator[VerifiedItem]:
        required = store is self._primary
        try:
            if store.gone and not store.own:
                raise store.not_there()
            missing = store.missing(each.manifest for each in batch)
            present: list[tuple[_Set, dict[FileEntry, str]]] = []
            for each in batch:
                tokens = _tokens(store, each.manifest)
                for entry in missing.get(each.manifest.digest, ()):
                    tokens.pop(entry, None)
                    if required:
                        yield _finding(each, entry, store, f"{entry.path}: the store {store.url} does not hold it")
                present.append((each, tokens))
            chosen = self._choose(token for _, tokens in present for token in tokens.values())
            for each, tokens in present:
                yield from self._read(store, each, tokens, chosen)
        except GitregError as error:
            if required:
                raise
            self._tell(f"left out: {error.message}")
            self._stores.remove(store)

    def _choose(self, tokens: Iterable[str]) -> set[str]:
        """Return the tokens of the files to read; an interrupted run that is resumed chooses the same."""
        if self._share in (0, 1):
            return set(tokens) if self._share else set()
        ranks = {token: int(sha256(f"{self._run.seed}{token}".encode()).hexdigest()[:8], 16) for token in tokens}
        chosen = {token for token, rank in ranks.items() if rank < self._share * 2**32}
        return chosen or set(sorted(ranks, key=ranks.__getitem__)[:1])

    def _read(
        self, store: Store, files: _Set, tokens: dict[FileEntry, str], chosen: set[str]
    ) -> Iterator[VerifiedItem]:
        """Read the chosen files that are present and not read yet, and yield the findings."""
        new = {
            token: entry
            for entry, token in tokens.items()
            if token in chosen and token not in self._run and token not in self._problems
        }
        onlooker = self._onlooker if files.record and files.record.scan == RULES else None
        found = verify(store, files.manifest, list(new.values()), self._progress, onlooker) if new else ()
        for entry, problem in found:
            if problem is None:
                self._run.note(tokens[entry])
            else:
                self._problems[tokens[entry]] = problem
        for entry, token in tokens.items():
            problem = self._problems.get(token)
            if problem or files.record:
                yield _finding(files, entry, store, problem, read=token in chosen)

    def _compare(self, batch: list[_Set]) -> Iterator[VerifiedItem]:
        """Yield the differences between the recorded verdicts on contents and the verdicts known here."""
        if self._onlooker is None:
            return
        for each in batch:
            if each.record is None or each.record.scan != RULES:
                continue
            found = self._onlooker.found(each.manifest)
            sizes = {entry.path: entry.size for entry in each.manifest.files}
            is_whole = len(found) == len(sizes)
            for one in differences(each.record.scan, each.record.contents, found, whole=is_whole):
                size = sizes.get(one.path, each.record.size)
                yield VerifiedItem(each.reference, each.artifact, one.path, size, str(one), difference=one)
        self._onlooker.forget()


def _finding(files: _Set, entry: FileEntry, store: Store, problem: str | None, *, read: bool = False) -> VerifiedItem:
    return VerifiedItem(files.reference, files.artifact, entry.path, entry.size, problem, store.url, read)


def _tokens(store: Store, manifest: Manifest) -> dict[FileEntry, str]:
    """Return, for each file, a token of its bytes in a store; the token of a small file depends on its pack."""
    packed = keys.may_be_packed(manifest)

    def token(entry: FileEntry) -> str:
        pack = manifest.hex if packed and entry.size < keys.SMALL else ""
        return sha256(f"{store.url}\n{pack}\n{entry.sha256}\n{entry.size}".encode()).hexdigest()[:32]

    return {entry: token(entry) for entry in manifest.files}


# -- records ---------------------------------------------------------------------------------------------------------


def lost_records(snapshot: Snapshot) -> Iterator[VerifiedItem]:
    """Yield a finding for each unreadable record, pointer or settings file, and for each removed record.

    Cards and approvals are left out: loading a version needs none of them.
    """
    for entry in snapshot.unreadable():
        if entry.kind not in ("model", "card", "approval"):
            path = Key(*entry[:3]).path
            problem = (entry.problem or "cannot be read").removeprefix(f"{path}: ")
            yield VerifiedItem(_reference(entry), "", path, 0, problem)
    for kind in ("model_version", "artifact", "run"):
        present = {entry[:3] for entry in snapshot.index.scan(snapshot.seq, kind)}
        for entry in snapshot.index.removed(snapshot.seq, kind):
            if entry[:3] not in present and entry.until is not None:
                commit = snapshot.index.moment(entry.until).oid[:12]
                problem = f"its sealed record was removed in {commit}"
                yield VerifiedItem(_reference(entry), "", Key(*entry[:3]).path, 0, problem)


def _reference(entry: IndexEntry) -> str:
    return f"{entry.model}@{entry.name}" if entry.name else entry.model or "gitreg.yaml"
