"""Drafts: what a run has made so far, on a ref of its own, until one commit on the branch seals all of it.

``refs/drafts/<pipeline>@<run>`` has a small history whose tree says ``run.yaml``, ``artifacts/<id>.yaml`` and
``versions/<id>.yaml``. There is one for a run, not for each model, so that what a run made of several models is sealed
together. Nobody else writes to it but processes of the same run, so checkpoints never contend for the branch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from gitreg.documents.layout import MAX_BYTES
from gitreg.documents.types import ArtifactDocument, ArtifactRecord, Document, DraftDocument, RunDocument
from gitreg.errors import Conflict, GitregError, InvalidDocument
from gitreg.git import RefUpdate
from gitreg.names import slug
from gitreg.registry.collections import find_run

if TYPE_CHECKING:
    from gitreg.git import Repository
    from gitreg.registry.commit import Writer
    from gitreg.registry.snapshot import Snapshot

NAMESPACE = "refs/drafts/"
_PATIENCE = 60.0  # seconds to wait for others who write to the repository
RUN_FILE = "run.yaml"
_FOLDERS: Mapping[str, tuple[str, type[Document]]] = {
    "artifacts": ("artifact", ArtifactDocument),
    "versions": ("draft", DraftDocument),
}
_D = TypeVar("_D", bound=Document)


@dataclass(frozen=True)
class Draft:
    """What a run has made so far.

    Parameters
    ----------
    commit:
        The commit that says so; None where nothing was written yet.
    artifacts:
        By id, in the order in which they were saved.
    versions:
        By id, in the order in which they were begun: the versions of models that it makes or says more of.
    """

    run: RunDocument
    artifacts: Mapping[str, ArtifactDocument] = field(default_factory=dict)
    versions: Mapping[str, DraftDocument] = field(default_factory=dict)
    commit: str | None = None

    @property
    def ref(self) -> str:
        """The ref that holds it."""
        return draft_ref(self.run.pipeline, self.run.run)

    @property
    def name(self) -> str:
        """The run, as people name it."""
        return f"{self.run.pipeline}/{self.run.run}"

    @property
    def holds_something(self) -> bool:
        """Whether anything would be lost with it."""
        said = (any((v.links, v.artifacts, v.metadata, v.stage)) for v in self.versions.values())
        return bool(self.artifacts) or any(said)

    def with_artifact(self, document: ArtifactDocument) -> Draft:
        """Give it with one more artifact, which takes the next place."""
        number = max((each.number for each in self.artifacts.values()), default=0) + 1
        return replace(self, artifacts={**self.artifacts, document.id: document.but(number=number)})

    def with_version(self, document: DraftDocument, identity: str | None = None) -> Draft:
        """Give it with one more version, or with one of its own that says something else now."""
        identity = identity or f"{len(self.versions) + 1:06d}"
        return replace(self, versions={**self.versions, identity: document})

    def with_all_of(self, other: Draft) -> Draft:
        """Give it with the artifacts and versions that another run left."""
        draft = self
        for document in other.artifacts.values():
            draft = draft.with_artifact(document)
        for version in other.versions.values():
            draft = draft.with_version(version.but(stage=None, force=False))
        return draft

    def find_version(self, model: str, version: str | None) -> str | None:
        """Give the id of the version of that name; for None of the one that the run works on and asked no name for.

        What was saved whole (``current.model.save``) has files of its own from the start, and is a version by itself.
        """
        found = (key for key, each in self.versions.items() if (each.model, each.version) == (model, version))
        return next((key for key in found if version is not None or not self.versions[key].artifacts), None)

    def artifacts_of(self, version: DraftDocument) -> dict[str, ArtifactRecord]:
        """Give a version's file sets by name: its own, and the newest of each that is linked to it."""
        linked = sorted(
            (self.artifacts[key] for key in version.links if key in self.artifacts), key=lambda each: each.number
        )
        return {**version.artifacts, **{each.artifact: each.record for each in linked}}


def draft_ref(pipeline: str, run: str) -> str:
    """Give the ref that holds a run's draft."""
    return f"{NAMESPACE}{slug(pipeline)}@{slug(run)}"


def read_drafts(repository: Repository) -> list[Draft]:
    """Give all drafts that can be read, by pipeline and run."""
    found = []
    for ref in repository.refs(NAMESPACE):
        try:
            draft = _read(repository, ref)
        except InvalidDocument:  # doctor tells of it
            continue
        if draft is not None:
            found.append(draft)
    return sorted(found, key=lambda draft: (draft.run.pipeline, draft.run.run))


def open_drafts(repository: Repository, snapshot: Snapshot) -> list[Draft]:
    """Give the drafts that can be read and are not sealed: a process may have died before it removed one that was."""
    return [draft for draft in read_drafts(repository) if not is_sealed(draft, snapshot)]


def is_sealed(draft: Draft, snapshot: Snapshot) -> bool:
    """Whether the branch has the run of a draft, and not just another one of its name."""
    there = find_run(snapshot, draft.run.pipeline, draft.run.run)
    return there is not None and there.started_at == draft.run.started_at


def read_draft(repository: Repository, pipeline: str, run: str) -> Draft | None:
    """Give the draft of a run; None where there is none.

    Raises
    ------
    InvalidDocument
        A file of it cannot be read.
    """
    return _read(repository, draft_ref(pipeline, run))


def _read(repository: Repository, ref: str) -> Draft | None:
    commit = repository.read_ref(ref)
    return None if commit is None else read_draft_at(repository, commit, ref)


def read_draft_at(repository: Repository, commit: str, where: str) -> Draft:
    """Give the draft that a commit holds.

    Parameters
    ----------
    where:
        What to call it in an error.

    Raises
    ------
    InvalidDocument
        A file of it cannot be read, or the run is missing.
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
    from gitreg.documents.schemas import check
    from gitreg.documents.yaml import loads

    data = loads(content, where)
    check(kind.kind, data, where)
    return kind.from_data(data)


def write_draft(
    repository: Repository, draft: Draft, change: Callable[[Draft], Draft], writer: Callable[[], Writer], subject: str
) -> Draft:
    """Change a draft in one commit on its ref, and give what it says then.

    Parameters
    ----------
    draft:
        What it said when it was last read; read anew where another process of the run was faster.
    change:
        Gives what it shall say.

    Raises
    ------
    Conflict
        Others held the repository for a minute.
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
    """Remove a draft, as it was read.

    Raises
    ------
    Conflict
        Something was written to it since.
    """
    if draft.commit is not None:
        with repository.lock(timeout=_PATIENCE):
            repository.update_refs([RefUpdate(draft.ref, None, draft.commit)], reason="gitreg: the draft is done with")


def _differing(old: Draft | None, new: Draft) -> dict[str, bytes | None]:
    from gitreg.documents.schemas import check
    from gitreg.documents.yaml import dumps

    files: dict[str, bytes | None] = {}

    def put(path: str, before: Document | None, after: Document) -> None:
        if before is after:
            return
        data: Any = after.to_data()
        check(after.kind, data, path)
        files[path] = dumps(data)

    put(RUN_FILE, old.run if old else None, new.run)
    for folder in _FOLDERS:
        before: Mapping[str, Document] = getattr(old, folder) if old else {}
        for name, document in getattr(new, folder).items():
            put(f"{folder}/{name}.yaml", before.get(name), document)
    return files


# -- who is at it ------------------------------------------------------------------------------------------------------


@contextmanager
def alive(repository: Repository, pipeline: str, run: str) -> Iterator[None]:
    """Show to other processes of this machine that a run is under way, until the block, or the process, ends.

    Raises
    ------
    Conflict
        It is under way in another process.
    """
    from gitreg.git.locking import LockHeldError, locked

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
            if os.getpid() == process:  # a fork may leave the block before who goes on in it
                path.unlink(missing_ok=True)


def is_alive(repository: Repository, pipeline: str, run: str) -> bool:
    """Whether a process of this machine has a run under way."""
    path = repository.common_dir / "gitreg" / "runs" / f"{slug(pipeline)}@{slug(run)}"
    if not path.exists():
        return False
    try:
        with alive(repository, pipeline, run):
            return False
    except Conflict:
        return True
    except GitregError:  # who may only read cannot tell
        return False
