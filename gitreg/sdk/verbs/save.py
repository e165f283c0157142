"""The steps of a save: files into the store first, then one commit with their record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.blobs.progress import NO_PROGRESS, Progress
from gitreg.blobs.save import StoreWriter
from gitreg.documents.types import ArtifactRecord
from gitreg.errors import IntegrityError, InvalidInput
from gitreg.names import name_and_version, nfc
from gitreg.registry.operations.versions import NewVersion, check_saveable, save_version
from gitreg.registry.state.content_verdicts import ScanCache
from gitreg.registry.state.manifests import describe_artifact, store_artifact
from gitreg.registry.state.registry_refs import tagged_numbers
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Operation, Outcome
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk.run_environment import source

if TYPE_CHECKING:
    from gitreg.sdk.session import Session


@dataclass(frozen=True)
class Saving:
    """The arguments of one save, as :meth:`gitreg.Registry.save` takes them.

    Parameters
    ----------
    sources:
        The files and folders of each artifact, by the artifact's name.
    """

    model: str
    sources: Mapping[str, Sequence[Path]]
    artifact_type: str = "model"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    description: str | None = None
    inputs: Sequence[str] = ()
    stage: str | None = None
    message: str = ""


def sources(artifact_type: str, paths: Sequence[Path], artifacts: Mapping[str, Path]) -> Mapping[str, Sequence[Path]]:
    """Return the files of each artifact by name; ``paths`` are the main artifact, which is named after its type.

    Raises
    ------
    InvalidInput
        There are no files at all, or two artifacts have the same name.
    """
    found: dict[str, Sequence[Path]] = {artifact_type: paths} if paths else {}
    for given, path in artifacts.items():
        name = nfc(given)
        if name in found:
            raise InvalidInput(f"the artifact {name!r} is given twice", hint="choose another name for one of them")
        found[name] = [path]
    if not found:
        raise InvalidInput("there is nothing to save", hint="name a file or a folder")
    return found


def save(session: Session, saving: Saving, *, progress: Progress | None = None, dry_run: bool = False) -> Outcome:
    """Save a version and return the outcome; a dry run stores and commits nothing.

    Raises
    ------
    GitregError
        As :meth:`gitreg.Registry.save` raises it.
    """
    new = surrounded(session)(saving)
    context = session.context()
    check_saveable(session.snapshot(), new, context=context)

    def operation(snapshot: Snapshot) -> Changes:
        given = tagged_numbers(session.branch.repository, snapshot, new.model)
        return save_version(snapshot, new, given=given, context=context)

    if dry_run:
        new = replace(new, artifacts=describe(saving, progress or NO_PROGRESS, session.verdicts))
        return session.commit(operation, dry_run=True)
    if not saving.sources:
        return session.commit(operation)

    checked = session.into(session.store_url, operation)
    with session.saving(progress or NO_PROGRESS) as store:
        artifacts = put(store, saving, session.verdicts)
        new = replace(new, artifacts=artifacts)
        return publish(session, store, checked, lambda: put(store, saving, session.verdicts) == artifacts)


def surrounded(session: Session) -> Callable[[Saving], NewVersion]:
    """Return a factory of `NewVersion` without artifacts, with author and code commit set."""
    who, code = str(session.writer().author), source(session)

    def new_version(saving: Saving) -> NewVersion:
        model, version = name_and_version(saving.model)
        return NewVersion(
            model=model,
            name=version,
            created_at=session.environment.timestamp(),
            created_by=who,
            description=saving.description,
            tags=tuple(saving.tags),
            metadata=to_json(saving.metadata),
            source=code,
            inputs=tuple(saving.inputs),
            stage=saving.stage,
            message=saving.message,
        )

    return new_version


def put(store: StoreWriter, saving: Saving, verdicts: ScanCache) -> dict[str, ArtifactRecord]:
    """Store the files, and return the record of each artifact by name."""
    return {
        name: store_artifact(store, paths, saving.artifact_type, verdicts) for name, paths in saving.sources.items()
    }


def describe(saving: Saving, progress: Progress, verdicts: ScanCache) -> dict[str, ArtifactRecord]:
    """Return the records that `put` would return, without storing anything."""
    return {
        name: describe_artifact(paths, saving.artifact_type, progress, verdicts)
        for name, paths in saving.sources.items()
    }


def publish(session: Session, store: StoreWriter, operation: Operation, put_again: Callable[[], bool]) -> Outcome:
    """Commit the record of files that were stored, and return the outcome.

    Parameters
    ----------
    put_again:
        Stores all files again, and returns whether they are unchanged.

    Raises
    ------
    IntegrityError
        Files were lost from the store, and their sources have changed.
    """
    store.hold()
    outcome = session.commit(operation)
    # A garbage collection that began before this commit may have moved files that it found unreachable.
    if outcome.commit and store.lost() and (not put_again() or store.lost()):
        made = [outcome.changes.version] if outcome.changes.version else outcome.changes.versions
        references = ["@".join(each) for each in made]
        raise IntegrityError(
            f"{', '.join(references)} was saved, but bytes of it are gone from the store, and its files have changed "
            "since",
            hint=f"`gitreg model version delete {references[0]}`, and save the files again",
        )
    return outcome
