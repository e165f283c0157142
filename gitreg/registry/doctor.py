"""What is wrong with a registry, in sentences, and what can be mended without asking anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gitreg.blobs import FileEntry, Manifest, Source, Store
from gitreg.documents.layout import Key, model_folder, parse_path
from gitreg.errors import GitregError, IntegrityError, InvalidDocument
from gitreg.git import RefUpdate
from gitreg.names import fold
from gitreg.registry.artifacts import Holder, manifest_of, stored_manifest
from gitreg.registry.collections import artifact_versions
from gitreg.registry.decisions import policies
from gitreg.registry.derived import (
    build_seal,
    mirror_namespace,
    mirror_ref,
    parse_tag_ref,
    tag_prefix,
    tag_ref,
)
from gitreg.registry.index import Entry
from gitreg.registry.integrity import readings, same_record
from gitreg.registry.ledger import Ledger
from gitreg.registry.snapshot import Snapshot


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Parameters
    ----------
    where:
        The file, ref or blob.
    what:
        What is wrong with it, in a sentence.
    remedy:
        What a person can do about it.
    mend:
        What doctor can do itself: move a ref, or copy a set of files back from a replica. None: nothing.
    """

    where: str
    what: str
    remedy: str
    mend: RefUpdate | Manifest | None = None

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"where": self.where, "what": self.what, "remedy": self.remedy, "repairable": self.mend is not None}


def examine(
    ledger: Ledger, store: Store | None, replicas: Sequence[Store] = (), source: Source | None = None
) -> Iterator[Problem]:
    """Name all that is wrong with a registry.

    Parameters
    ----------
    store:
        Asked whether the blobs are there; None leaves that out.
    replicas:
        Asked for what the store lacks.
    source:
        Where manifests are read from; None for the store.
    """
    snapshot = ledger.snapshot()
    for check in (_files, _models, _versions, _pointers, _tags, _mirrors, _work_trees):
        yield from check(ledger, snapshot)
    if store is not None:
        yield from _blobs(snapshot, store, replicas, source or store)


def repair(
    ledger: Ledger, problems: list[Problem], *, restore: Callable[[Manifest], object], patience: float = 60.0
) -> list[Problem]:
    """Mend what can be mended: refs that follow from the branch, work trees that lag, bytes that a replica holds.

    Parameters
    ----------
    restore:
        Copies a set of files to the store from the replicas that hold them.

    Returns
    -------
    list:
        What was mended.
    """
    mended = []
    with ledger.repository.lock(timeout=patience):
        ledger.repository.finish_following()
        updates = [problem.mend for problem in problems if isinstance(problem.mend, RefUpdate)]
        if updates:
            ledger.repository.update_refs(updates, reason="gitreg: doctor --repair")
        mended += [problem for problem in problems if isinstance(problem.mend, RefUpdate)]
    wanted = {problem.mend.digest: problem.mend for problem in problems if isinstance(problem.mend, Manifest)}
    for digest, manifest in wanted.items():
        with suppress(IntegrityError):  # what no replica has whole is found again
            restore(manifest)
            mended += [p for p in problems if isinstance(p.mend, Manifest) and p.mend.digest == digest]
    return mended


# -- files -----------------------------------------------------------------------------------------------------------


def _files(ledger: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    for entry in snapshot.index.problems(snapshot.seq):
        where = _path(entry)
        yield Problem(where, (entry.problem or "").removeprefix(f"{where}: "), "mend the file by hand and commit it")
    try:
        policies(snapshot)
    except InvalidDocument as error:
        yield Problem(error.where, f"at {error.pointer}: {error.reason}", error.hint or "mend it by hand")
    prefix = f"{ledger.root}/" if ledger.root else ""
    for path, _ in ledger.repository.walk(snapshot.commit, f"{prefix}models"):
        if parse_path(path.removeprefix(prefix)) is None:
            yield Problem(
                path,
                "is no file of the registry, or its name is not spelled as gitreg spells it",
                "move it out of models/, or see schemas/README.md for how names are spelled",
            )


def _models(_: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    names = snapshot.model_names()
    parts = [name.split("/") for name in snapshot.names_in_use()]
    folders = sorted({"/".join(each[:length]) for each in parts for length in range(1, len(each) + 1)})
    yield from _twins(folders, model_folder)
    registered = set(names)
    holders = {e.model for kind in ("model_version", "stage", "alias") for e in snapshot.index.scan(snapshot.seq, kind)}
    for name in sorted(holders - registered):
        if snapshot.versions(name):
            yield Problem(
                Key("model", name).path,
                f"is missing, though {name} has versions",
                f"register it: `gitreg model register {name!r}`",
            )


def _versions(ledger: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    root = f"{ledger.root}/" if ledger.root else ""
    by_number: dict[tuple[str, int], list[str]] = defaultdict(list)
    names: dict[str, list[str]] = defaultdict(list)
    for entry in snapshot.index.scan(snapshot.seq, "model_version"):
        names[entry.model].append(entry.name)
        if entry.data is None:
            continue
        number = entry.data["number"]
        by_number[entry.model, number].append(entry.name)
        if entry.name.isdecimal() and entry.name != str(number):
            yield Problem(
                _path(entry), f"is named {entry.name} but has the number {number}", "name and number must agree"
            )
        said = readings(snapshot, entry)
        if said[-1].digest != entry.digest:
            first, now = (snapshot.index.moment(at.since).oid[:12] for at in (said[-1], said[0]))
            yield Problem(
                _path(entry),
                f"is a sealed record and was edited in {now}",
                f"`git checkout {first} -- {root}{_path(entry)}` and commit; say what is new with `gitreg annotate`",
            )
    for (model, number), same in sorted(by_number.items()):
        if len(same) > 1:
            yield Problem(
                Key("model_version", model, same[-1]).path,
                f"number {number} of {model} is given {len(same)} times: {', '.join(same)}",
                "renumber the newer one before it is tagged",
            )
    for model, versions in sorted(names.items()):
        yield from _twins(versions, lambda name, model=model: Key("model_version", model, name).path)  # type: ignore[misc]
    present = {(model, name) for model, versions in names.items() for name in versions}
    for entry in snapshot.index.scan(snapshot.seq, "annotation"):
        if (entry.model, entry.name) not in present:
            yield Problem(
                _path(entry), "annotates a version that is not there", "remove the file, or restore the record"
            )
    yield from _removed(snapshot, present)


def _removed(snapshot: Snapshot, present: set[tuple[str, str]]) -> Iterator[Problem]:
    for entry in snapshot.index.removed(snapshot.seq, "model_version"):
        if (entry.model, entry.name) not in present:
            assert entry.until is not None
            commit = snapshot.index.moment(entry.until).oid
            yield Problem(
                _path(entry),
                f"is a sealed record and was removed in {commit[:12]}",
                f"`git revert {commit[:12]}`; hide a version with `gitreg model version delete`",
            )


def _twins(names: list[str], path: Callable[[str], str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(fold(name), name)
        if twin != name:
            yield Problem(
                path(name),
                f"differs from {path(twin)} only in case",
                "rename one: on macOS and Windows they are one file",
            )


def _pointers(_: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    known = snapshot.settings.stages
    held: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind in ("stage", "alias"):
        for entry in snapshot.index.scan(snapshot.seq, kind):
            if entry.data is None:
                continue
            target = entry.data["version"]
            record = snapshot.index.get(snapshot.seq, "model_version", entry.model, target)
            digest = f"sha256:{record.digest}" if record else None
            verb = "promote" if kind == "stage" else "alias set"
            again = f"point it elsewhere: `gitreg {verb} {entry.model}@N {entry.name}`"
            if kind == "stage" and entry.name not in known:
                yield Problem(
                    _path(entry),
                    f"is no stage that gitreg.yaml declares ({', '.join(known)})",
                    "declare it, or remove the file",
                )
            if record is None:
                yield Problem(_path(entry), f"points to version {target!r}, which is not there", again)
                continue
            note = snapshot.index.get(snapshot.seq, "annotation", entry.model, target)
            if note and note.data and note.data.get("deleted"):
                yield Problem(_path(entry), f"points to version {target!r}, which was deleted", again)
            if entry.data.get("digest") not in (None, digest):
                yield Problem(
                    _path(entry),
                    f"says the digest {entry.data['digest'][:19]}..., but the record of {entry.model}@{target} is "
                    f"{(digest or '')[:19]}...",
                    again,
                )
            if kind == "stage":
                held[entry.model, target].append(entry.name)
    for model in snapshot.names_in_use():
        yield from _twins(list(snapshot.aliases(model)), lambda name, model=model: Key("alias", model, name).path)  # type: ignore[misc]
    for (model, target), stages in sorted(held.items()):
        if len(stages) > 1:
            yield Problem(
                f"{model}@{target}",
                f"holds {len(stages)} stages: {', '.join(stages)}",
                "a version holds one: remove the other files",
            )


# -- refs ------------------------------------------------------------------------------------------------------------


def _tags(ledger: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    repository, settings = ledger.repository, snapshot.settings
    there = repository.refs(tag_prefix(settings))
    sealed = repository.tagged_commits(there.values())
    for entry in snapshot.index.scan(snapshot.seq, "model_version"):
        if entry.text is None:
            continue
        ref = tag_ref(settings, entry.model, entry.name)
        oid = there.pop(ref, None)
        first = readings(snapshot, entry)[-1]
        moment = snapshot.index.moment(first.since)
        if first.digest != entry.digest:
            continue  # an edited record has been named already, and its tag is right about what it was
        if oid is not None and sealed.get(oid) == moment.oid:
            continue
        if moment.boundary and (oid is None or repository.peel(oid) is None):
            continue  # where the record came from was cut off: the tag of this place would be another one
        if oid is None:
            assert first.data is not None
            mend = RefUpdate(*build_seal(repository, settings, moment.oid, first.data, first.digest), None)
            yield Problem(
                ref,
                f"is missing: the record of {entry.model}@{entry.name} is not sealed",
                "`gitreg doctor --repair` tags it",
                mend,
            )
            continue
        commit = repository.peel(oid)
        if repository.tag(oid) is None and not moment.boundary and commit and same_record(ledger, commit, entry):
            assert first.data is not None
            mend = RefUpdate(*build_seal(repository, settings, moment.oid, first.data, first.digest), oid)
            yield Problem(
                ref,
                "is a lightweight tag; it names nobody and no date",
                "`gitreg doctor --repair` makes it an annotated one",
                mend,
            )
        elif commit is None:
            if not repository.is_shallow:
                yield Problem(
                    ref, "points to no commit of this repository", "fetch what is missing, or delete the tag and repair"
                )
        elif commit != moment.oid and not same_record(ledger, commit, entry):
            yield Problem(
                ref,
                f"points to {commit[:12]}, where the record of {entry.model}@{entry.name} is not what the branch says",
                f"find out who moved it, then `git tag -d {ref.removeprefix('refs/tags/')}` and repair",
            )
    for ref in there:
        named = parse_tag_ref(settings, ref)
        if named is None:
            yield Problem(ref, "is no tag of a version", "move it out of the registry's prefix")
        elif snapshot.index.get(snapshot.seq, "model_version", *named) is None:
            yield Problem(
                ref,
                f"seals {named[0]}@{named[1]}, of which the branch has no record",
                f"merge the branch that has it, or `git tag -d {ref.removeprefix('refs/tags/')}`",
            )


def _mirrors(ledger: Ledger, snapshot: Snapshot) -> Iterator[Problem]:
    """Each mirror is at the last commit that touched its pointer's file."""
    repository, settings = ledger.repository, snapshot.settings
    expected: dict[str, str] = {}
    cut: set[str] = set()
    for kind in ("stage", "alias"):
        for model, name, seq in snapshot.index.last_touched(snapshot.seq, kind):
            moment = snapshot.index.moment(seq)
            ref = mirror_ref(settings, Key(kind, model, name))
            expected[ref] = moment.oid
            if moment.boundary:  # when its file last changed was cut off
                cut.add(ref)
    there: dict[str, str] = {}
    for kind in ("stage", "alias"):
        there.update(repository.refs(f"{mirror_namespace(settings, kind)}/"))
    for ref, commit in expected.items():
        actual = there.pop(ref, None)
        if actual == commit or ref in cut:
            continue
        what = (
            "is missing" if actual is None else f"is at {actual[:12]}, not at {commit[:12]} where its file last changed"
        )
        yield Problem(ref, what, "`gitreg doctor --repair` moves it", RefUpdate(ref, commit, actual))
    for ref in {} if repository.is_shallow else there:
        if "@" in ref.rpartition("/")[2]:  # a namespace may be shared with branches that are none of ours
            yield Problem(
                ref, "mirrors no stage or alias that ever was", f"`git update-ref -d {ref}`, if nobody needs it"
            )


def _work_trees(ledger: Ledger, _: Snapshot) -> Iterator[Problem]:
    for folder in ledger.repository.unfinished_following():
        yield Problem(
            str(folder),
            "lags behind the branch: a command was killed",
            "`gitreg doctor --repair`; commit or stash what is in the way",
        )


# -- blobs -----------------------------------------------------------------------------------------------------------


def _blobs(snapshot: Snapshot, store: Store, replicas: Sequence[Store], source: Source) -> Iterator[Problem]:
    manifests: dict[str, Manifest] = {}
    where: dict[str, str] = {}
    models = {entry.model for entry in snapshot.index.scan(snapshot.seq, "model_version")}
    versions: list[Holder] = [version for model in models for version in snapshot.versions(model)]
    for kept_by in (*versions, *artifact_versions(snapshot)):
        for name, artifact in kept_by.artifacts.items():
            try:
                manifest = manifest_of(artifact, source)
            except GitregError as error:
                yield Problem(f"{kept_by.reference}:{name}", error.message, _RESTORE)
                continue
            for kept in (manifest, stored_manifest(manifest)) if artifact.files is None else (manifest,):
                manifests[kept.digest] = kept
                where.setdefault(kept.digest, kept_by.reference)
    missing: dict[str, list[FileEntry]] = {}
    elsewhere: list[tuple[Store, dict[str, list[FileEntry]]]] = []
    for asked in (store, *replicas):
        try:
            if asked is store:
                missing = asked.missing(manifests.values())
            elif asked.gone:
                yield Problem(asked.url, "the store is not there", _UNREACHABLE)
            else:
                elsewhere.append((asked, asked.missing(manifests[digest] for digest in missing)))
        except GitregError as error:
            yield Problem(asked.url, error.message.removeprefix(f"{asked.url}: "), error.hint or _UNREACHABLE)
    for digest, files in missing.items():
        for entry in files:
            place = f"{where[digest]}:{entry.path}"
            what = f"its bytes (sha256 {entry.sha256[:12]}...) are not in the store"
            holder = next((replica for replica, lacks in elsewhere if entry not in lacks.get(digest, ())), None)
            if holder is None:
                yield Problem(place, what, _RESTORE)
            else:
                remedy = "`gitreg doctor --repair` copies them back"
                yield Problem(place, f"{what}, but {holder.url} holds them", remedy, manifests[digest])


_UNREACHABLE = "mount or connect it; if it is gone for good, `gitreg store remove` it"
_RESTORE = "restore it from another copy of the store (`gitreg store copy --from`), or save the same file again"


def _path(entry: Entry) -> str:
    return Key(entry.kind, entry.model, entry.name).path
