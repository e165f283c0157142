"""Drafts: the unsealed artifacts and versions of a run, on a ref of its own until one commit on the branch seals them.

``refs/drafts/<pipeline>@<run>`` has a small history whose tree has the files ``run.yaml``, ``artifacts/<id>.yaml`` and
``versions/<id>.yaml``. A run has one draft for all models, so that its versions of several models are sealed together.
Only processes of the same run write to the draft, so checkpoints never compete for the branch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from gitreg.documents.layout import MAX_BYTES
from gitreg.documents.schemas import check
from gitreg.documents.types import ArtifactDocument, ArtifactRecord, Document, DraftDocument, RunDocument
from gitreg.documents.yaml import dumps, loads
from gitreg.errors import Conflict, GitregError, InvalidDocument
from gitreg.git import RefUpdate
from gitreg.git.refs.locking import LockHeldError, locked
from gitreg.names import slug
from gitreg.registry.state.branch import DRAFTS
from gitreg.registry.state.runs_and_artifacts import find_run
from gitreg.units import counted

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.state.snapshot import Snapshot
    from gitreg.registry.writing.commit import Writer

_PATIENCE = 60.0  # seconds to wait for other writers to the repository
RUN_FILE = "run.yaml"
_FOLDERS: Mapping[str, tuple[str, type[Document]]] = {
    "artifacts": ("artifact", ArtifactDocument),
    "versions": ("draft", DraftDocument),
}
_D = TypeVar("_D", bound=Document)


@dataclass(frozen=True)
class Draft:
    """A draft: the run with its unsealed artifacts and versions.

    Parameters
    ----------
    run:
        The document of the run.
    artifacts:
        The artifact versions by id, in the order of saving.
    versions:
        The model versions that the run makes or annotates, by id, in the order of their beginning.
    commit:
        The commit on the draft's ref; None where nothing was written yet.
    """

    run: RunDocument
    artifacts: Mapping[str, ArtifactDocument] = field(default_factory=dict)
    versions: Mapping[str, DraftDocument] = field(default_factory=dict)
    commit: str | None = None

    def __repr__(self) -> str:
        made = f"{counted(len(self.versions), 'version')}, {counted(len(self.artifacts), 'artifact')}"
        return f"Draft({self.name!r}, {self.run.status!r}, {made})"

    @property
    def ref(self) -> str:
        """The full name of the draft's ref."""
        return draft_ref(self.run.pipeline, self.run.run)

    @property
    def name(self) -> str:
        """The name of the run for people: ``PIPELINE/RUN``."""
        return f"{self.run.pipeline}/{self.run.run}"

    @property
    def holds_something(self) -> bool:
        """True if the draft has artifacts, or versions with links, artifacts, metadata or a stage."""
        has_content = (any((v.links, v.artifacts, v.metadata, v.stage)) for v in self.versions.values())
        return bool(self.artifacts) or any(has_content)

    def with_artifact(self, document: ArtifactDocument) -> Draft:
        """Return the draft with one more artifact, numbered last; it replaces one with the same version name."""
        draft = self
        if document.version is not None and (other := self.find_artifact(document.artifact, document.version)):
            draft = self._without(other.id, instead=document.id)
        number = max((each.number for each in draft.artifacts.values()), default=0) + 1
        return replace(draft, artifacts={**draft.artifacts, document.id: document.but(number=number)})

    def _without(self, artifact: str, *, instead: str) -> Draft:
        """Return the draft without an artifact: versions link the one with the id `instead`, and no step names it."""
        versions = {
            key: each.but(links=tuple(dict.fromkeys(instead if link == artifact else link for link in each.links)))
            if artifact in each.links
            else each
            for key, each in self.versions.items()
        }
        artifacts = {key: each for key, each in self.artifacts.items() if key != artifact}
        steps = {name: _forgetting(step, artifact) for name, step in self.run.steps.items()}
        run = self.run if steps == self.run.steps else self.run.but(steps=steps)
        return replace(self, run=run, artifacts=artifacts, versions=versions)

    def with_version(self, document: DraftDocument, identity: str | None = None) -> Draft:
        """Return the draft with one more version, or with the version of the id `identity` replaced."""
        identity = identity or f"{len(self.versions) + 1:06d}"
        return replace(self, versions={**self.versions, identity: document})

    def with_all_of(self, other: Draft, step: str | None) -> Draft:
        """Return the draft with the artifacts and versions of another, unsealed draft, which this run continues.

        Own artifacts are kept where both drafts have one with the same version name. The inputs of the other run become
        inputs of this run.

        Parameters
        ----------
        step:
            The step that continues the versions; None for the whole run.
        """
        draft, own = self, {}
        for document in other.artifacts.values():
            mine = document.version and self.find_artifact(document.artifact, document.version)
            if mine:
                own[document.id] = mine.id
            else:
                maker = {"pipeline": self.run.pipeline, "run": self.run.run}
                draft = draft.with_artifact(document.but(run=maker))
        for version in other.versions.values():
            links = tuple(dict.fromkeys(own.get(link, link) for link in version.links))
            draft = draft.with_version(version.but(stage=None, force=False, step=step, links=links))
        used = (
            each for record in other.run.steps.values() for each in record.get("inputs", {}).values() if "@" in each
        )
        inputs = tuple(dict.fromkeys((*self.run.inputs, *other.run.inputs, *used)))
        return replace(draft, run=draft.run.but(inputs=inputs))

    def find_artifact(self, name: str, version: str) -> ArtifactDocument | None:
        """Return the artifact with this name and version; None where the draft has none."""
        documents = self.artifacts.values()
        return next((each for each in documents if (each.artifact, each.version) == (name, version)), None)

    def find_version(self, model: str, version: str | None) -> str | None:
        """Return the id of a model's version by name; None where there is none.

        For the version None, it is the unnamed version that the run fills. Unnamed versions that were saved whole
        (``current.model.save``) have artifacts of their own, and are never that one.
        """
        found = (key for key, each in self.versions.items() if (each.model, each.version) == (model, version))
        return next((key for key in found if version is not None or not self.versions[key].artifacts), None)

    def artifacts_of(self, version: DraftDocument) -> dict[str, ArtifactRecord]:
        """Return the artifact records of a version by name: its own, and the newest of each linked artifact."""
        linked = sorted(
            (self.artifacts[key] for key in version.links if key in self.artifacts), key=lambda each: each.number
        )
        return {**version.artifacts, **{each.artifact: each.record for each in linked}}


def _forgetting(step: Mapping[str, Any], artifact: str) -> Mapping[str, Any]:
    """Return a step without a removed artifact in its inputs and outputs, and without its step cache key."""
    if artifact not in (*step.get("inputs", {}).values(), *step.get("outputs", {}).values()):
        return step
    kept = {
        field: {name: each for name, each in value.items() if each != artifact}
        if field in ("inputs", "outputs")
        else value
        for field, value in step.items()
        if field != "key"
    }
    return {field: value for field, value in kept.items() if value != {}}


def draft_ref(pipeline: str, run: str) -> str:
    """Return the full name of the ref of a run's draft."""
    return f"{DRAFTS}{slug(pipeline)}@{slug(run)}"


def read_drafts(repository: Repository) -> list[Draft]:
    """Return all drafts that can be read, sorted by pipeline and run."""
    found = []
    for ref in repository.refs(DRAFTS):
        try:
            draft = _read(repository, ref)
        except InvalidDocument:  # doctor reports it
            continue
        if draft is not None:
            found.append(draft)
    return sorted(found, key=lambda draft: (draft.run.pipeline, draft.run.run))


def open_drafts(repository: Repository, snapshot: Snapshot) -> list[Draft]:
    """Return the drafts that can be read and are not sealed; a killed process may have left a sealed draft behind."""
    return [draft for draft in read_drafts(repository) if not is_sealed(draft, snapshot)]


def is_sealed(draft: Draft, snapshot: Snapshot) -> bool:
    """Return whether the branch has the run of a draft, with the same start time, not just another run of that name."""
    sealed = find_run(snapshot, draft.run.pipeline, draft.run.run)
    return sealed is not None and sealed.started_at == draft.run.started_at


def read_draft(repository: Repository, pipeline: str, run: str) -> Draft | None:
    """Return the draft of a run; None where there is none.

    Raises
    ------
    InvalidDocument
        A file of the draft cannot be read, or the run's file is missing.
    """
    return _read(repository, draft_ref(pipeline, run))


def _read(repository: Repository, ref: str) -> Draft | None:
    commit = repository.read_ref(ref)
    return None if commit is None else read_draft_at(repository, commit, ref)


def read_draft_at(repository: Repository, commit: str, where: str) -> Draft:
    """Return the draft at a commit.

    Parameters
    ----------
    where:
        The name of the draft in error messages.

    Raises
    ------
    InvalidDocument
        A file of the draft cannot be read, or the run's file is missing.
    """
    run: RunDocument | None = None
    artifacts: dict[str, ArtifactDocument] = {}
    versions: dict[str, DraftDocument] = {}
    for change in repository.diff(None, commit):
        folder, _, name = change.path.rpartition("/")
        if change.new is None or (folder not in _FOLDERS and change.path != RUN_FILE):
            continue
        content = repository.read_blob(change.new, limit=MAX_BYTES)
        place = f"{where}:{change.path}"
        if change.path == RUN_FILE:
            run = _document(RunDocument, content, place)
        elif folder == "artifacts":
            artifacts[name.removesuffix(".yaml")] = _document(ArtifactDocument, content, place)
        else:
            versions[name.removesuffix(".yaml")] = _document(DraftDocument, content, place)
    if run is None:
        raise InvalidDocument(f"{where}:{RUN_FILE}", "", "is missing", hint="`git update-ref -d` removes the draft")
    in_order = dict(sorted(artifacts.items(), key=lambda item: item[1].number))
    return Draft(run, in_order, dict(sorted(versions.items())), commit)


def _document(kind: type[_D], content: bytes, where: str) -> _D:
    data = loads(content, where)
    _check(kind.kind, data, where)
    return kind.from_data(data)


def _check(kind: str, data: Any, where: str) -> None:
    """Check a draft's file against its schema; an artifact may lack its version, which it gets when it is sealed."""
    unnumbered = kind == ArtifactDocument.kind and isinstance(data, dict) and "version" not in data
    check(kind, data | {"version": "1"} if unnumbered else data, where)


def write_draft(
    repository: Repository, draft: Draft, change: Callable[[Draft], Draft], writer: Callable[[], Writer], subject: str
) -> Draft:
    """Write a change of a draft in one commit on its ref, and return the changed draft.

    Parameters
    ----------
    draft:
        The draft as last read; it is read again where another process of the run has written since.
    change:
        Returns the changed draft.
    writer:
        Returns the author and the committer.
    subject:
        The subject line of the commit.

    Raises
    ------
    Conflict
        Other writers locked the repository for a minute.
    """
    with repository.lock(timeout=_PATIENCE):
        now = repository.read_ref(draft.ref)
        if now is not None and now != draft.commit:
            draft = read_draft_at(repository, now, draft.ref)
        elif now is None:
            draft = replace(draft, commit=None)
        wanted = change(draft)
        files = _differing(draft if draft.commit else None, wanted)
        if not files:
            return wanted
        who = writer()
        made = repository.build_commit(
            draft.commit, files, message=f"{subject}\n", author=who.author, committer=who.committer, sign=False
        )
        repository.update_refs([RefUpdate(draft.ref, made, draft.commit)], reason=f"gitreg: {subject}")
        return replace(wanted, commit=made)


def remove_draft(repository: Repository, draft: Draft) -> None:
    """Remove the ref of a draft, if it is unchanged since it was read.

    Raises
    ------
    Conflict
        The draft was changed since.
    """
    if draft.commit is not None:
        with repository.lock(timeout=_PATIENCE):
            repository.update_refs([RefUpdate(draft.ref, None, draft.commit)], reason="gitreg: the draft is done with")


def _differing(old: Draft | None, new: Draft) -> dict[str, bytes | None]:
    files: dict[str, bytes | None] = {}

    def put(path: str, before: Document | None, after: Document) -> None:
        if before is after:
            return
        data: Any = after.to_data()
        _check(after.kind, data, path)
        files[path] = dumps(data)

    put(RUN_FILE, old.run if old else None, new.run)
    for folder in _FOLDERS:
        before: Mapping[str, Document] = getattr(old, folder) if old else {}
        after: Mapping[str, Document] = getattr(new, folder)
        for name, document in after.items():
            put(f"{folder}/{name}.yaml", before.get(name), document)
        files.update((f"{folder}/{name}.yaml", None) for name in before.keys() - after.keys())
    return files


# -- live runs ---------------------------------------------------------------------------------------------------------


@contextmanager
def alive(repository: Repository, pipeline: str, run: str) -> Iterator[None]:
    """Lock a run's file on this machine, to show that the run is live, until the block or the process ends.

    Raises
    ------
    Conflict
        The run is live in another process.
    GitregError
        The file cannot be made.
    """
    folder = repository.common_dir / "gitreg" / "runs"
    path = folder / f"{slug(pipeline)}@{slug(run)}"
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(path, timeout=0.0))
        except LockHeldError:
            raise Conflict(
                f"the run {pipeline}/{run} is under way already", hint="wait for it, or take another name"
            ) from None
        except OSError as error:
            raise GitregError(
                f"a run cannot be begun in {folder}: {error.strerror}", hint="make the registry's repository writable"
            ) from None
        process = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == process:  # a forked child may leave the block before its parent
                path.unlink(missing_ok=True)


def is_alive(repository: Repository, pipeline: str, run: str) -> bool:
    """Return whether a run is live in a process of this machine; False where that cannot be found out."""
    path = repository.common_dir / "gitreg" / "runs" / f"{slug(pipeline)}@{slug(run)}"
    if not path.exists():
        return False
    try:
        with alive(repository, pipeline, run):
            return False
    except Conflict:
        return True
    except GitregError:  # unknown without write permission
        return False
