"""Saving: files into the store first, then one commit that speaks of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.blobs import NO_PROGRESS, Progress
from gitreg.blobs import Saving as BlobSaving
from gitreg.documents.types import ArtifactRecord
from gitreg.errors import IntegrityError, InvalidInput
from gitreg.names import nfc
from gitreg.registry.artifacts import describe_artifact, store_artifact
from gitreg.registry.changes import Changes
from gitreg.registry.commit import Operation, Outcome
from gitreg.registry.derived import tagged_numbers
from gitreg.registry.metadata import to_json
from gitreg.registry.operations.versions import NewVersion, check_saveable, save_version
from gitreg.registry.snapshot import Snapshot
from gitreg.registry.verdicts import Verdicts
from gitreg.sdk.surroundings import source

if TYPE_CHECKING:
    from gitreg.sdk.registry import Registry


@dataclass(frozen=True)
class Saving:
    """What is to be saved, as :meth:`gitreg.Registry.save` takes it.

    Parameters
    ----------
    sources:
        For each artifact by name, its files and folders.
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
    """Give the files of each artifact: ``paths`` make the main one, which is named after its type.

    Raises
    ------
    InvalidInput
        There is nothing to save, or an artifact is given twice.
    """
    found: dict[str, Sequence[Path]] = {artifact_type: paths} if paths else {}
    for said, path in artifacts.items():
        name = nfc(said)
        if name in found:
            raise InvalidInput(f"the artifact {name!r} is given twice", hint="choose another name for one of them")
        found[name] = [path]
    if not found:
        raise InvalidInput("there is nothing to save", hint="name a file or a folder")
    return found


def save(registry: Registry, saving: Saving, *, progress: Progress = NO_PROGRESS, dry_run: bool = False) -> Outcome:
    """Save, and say what was committed; a dry run stores and commits nothing.

    Raises
    ------
    GitregError
        As :meth:`gitreg.Registry.save` says.
    """
    new = surrounded(registry)(saving)
    here = registry.circumstances()
    check_saveable(registry.snapshot(), new, circumstances=here)

    def operation(snapshot: Snapshot) -> Changes:
        given = tagged_numbers(registry.ledger.repository, snapshot, new.model)
        return save_version(snapshot, new, given=given, circumstances=here)

    if dry_run:
        new = replace(new, artifacts=describe(saving, progress, registry.verdicts))
        return registry.commit(operation, dry_run=True)
    if not saving.sources:
        return registry.commit(operation)

    with registry.saving(progress) as store:
        artifacts = put(store, saving, registry.verdicts)
        new = replace(new, artifacts=artifacts)
        return publish(registry, store, operation, lambda: put(store, saving, registry.verdicts) == artifacts)


def surrounded(registry: Registry) -> Callable[[Saving], NewVersion]:
    """Ask who saves and from which code, once; give what says what a version is to be, but for its artifacts."""
    who, code = str(registry.writer().author), source(registry)

    def new_version(saving: Saving) -> NewVersion:
        model, _, version = saving.model.rpartition("@") if "@" in saving.model else (saving.model, "", "")
        return NewVersion(
            model=model,
            name=version or None,
            created_at=registry.ambient.timestamp(),
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


def put(store: BlobSaving, saving: Saving, verdicts: Verdicts) -> dict[str, ArtifactRecord]:
    """Put the files into the store."""
    return {
        name: store_artifact(store, paths, saving.artifact_type, verdicts) for name, paths in saving.sources.items()
    }


def describe(saving: Saving, progress: Progress, verdicts: Verdicts) -> dict[str, ArtifactRecord]:
    """Return what `put` would record, without storing anything."""
    return {
        name: describe_artifact(paths, saving.artifact_type, progress, verdicts)
        for name, paths in saving.sources.items()
    }


def publish(registry: Registry, store: BlobSaving, operation: Operation, put_again: Callable[[], bool]) -> Outcome:
    """Commit what speaks of the files that were put into a store.

    Parameters
    ----------
    put_again:
        Puts all of them once more, and says whether they are still the same.

    Raises
    ------
    IntegrityError
        Bytes are gone from the store, and the files that they were read from have changed.
    """
    store.hold()
    outcome = registry.commit(operation)
    # A garbage collection that began before this commit may have taken what it did not see used.
    if outcome.commit and store.lost() and (not put_again() or store.lost()):
        made = [outcome.changes.version] if outcome.changes.version else outcome.changes.versions
        references = ["@".join(each) for each in made]
        raise IntegrityError(
            f"{', '.join(references)} was saved, but bytes of it are gone from the store, and its files have changed "
            "since",
            hint=f"`gitreg model version delete {references[0]}`, and save the files again",
        )
    return outcome
