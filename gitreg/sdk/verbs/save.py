"""The steps of a save: files into the store first, then one commit with their record."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import GeneratorType, MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.blobs.save import StoreWriter
from gitreg.documents.types import ArtifactRecord
from gitreg.errors import IntegrityError, InvalidInput
from gitreg.names import check_list, check_local, name_and_version, named_path, nfc
from gitreg.progress import NO_PROGRESS, Progress
from gitreg.registry.operations.versions import NewVersion, check_saveable, save_version
from gitreg.registry.state.content_verdicts import ScanCache
from gitreg.registry.state.manifests import describe_artifact, store_artifact
from gitreg.registry.state.registry_refs import tagged_numbers
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Operation, Outcome
from gitreg.registry.writing.metadata import to_json
from gitreg.sdk import verbs
from gitreg.sdk.run_environment import source

if TYPE_CHECKING:
    from gitreg.sdk.session import Session


class Unwritten(NamedTuple):
    """An object that is an artifact, and is written to files when it is saved.

    Parameters
    ----------
    unsafe_pickle:
        True to pickle an object that no safe format supports.
    """

    value: object
    unsafe_pickle: bool


class Files(NamedTuple):
    """The files and folders of an artifact, and the materializer that wrote them; None if they were given."""

    paths: Sequence[Path]
    materializer: str | None = None


@dataclass(frozen=True)
class Saving:
    """The arguments of one save, as :meth:`gitreg.Registry.save` takes them.

    Parameters
    ----------
    sources:
        The files and folders of each artifact, or the object that it is, by the artifact's name.
    """

    model: str
    sources: Mapping[str, Files | Unwritten]
    artifact_type: str = "model"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    description: str | None = None
    inputs: Sequence[str] = ()
    stage: str | None = None
    message: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.model, str):
            raise InvalidInput(
                f"the model is named by a text, not by {type(self.model).__name__}",
                hint="the name comes first: save('iris', estimator)",
            )
        check_list(self.tags, "tags")
        check_list(self.inputs, "inputs")

    @property
    def paths(self) -> list[Path]:
        """The files and folders of all artifacts, without those that objects will be written to."""
        return [path for source in self.sources.values() if isinstance(source, Files) for path in source.paths]


def sources(
    artifact_type: str,
    contents: Sequence[object],
    artifacts: Mapping[str, object] = MappingProxyType({}),
    *,
    unsafe_pickle: bool = False,
) -> Mapping[str, Files | Unwritten]:
    """Return the files of each artifact, or the object that it is, by the artifact's name.

    Text and ``os.PathLike`` are paths, everything else is an object.

    Parameters
    ----------
    contents:
        The paths of the main artifact, which is named after its type, or the one object that it is.
    artifacts:
        The path or the object of each further artifact.

    Raises
    ------
    InvalidInput
        There is nothing to save, two artifacts have the same name, an object is not alone, or it is a mistake: None, a
        number, a list of paths.
    """
    found: dict[str, Files | Unwritten] = {}
    if not isinstance(artifacts, Mapping):
        raise InvalidInput(
            f"artifacts is a mapping, not {type(artifacts).__name__}", hint="write artifacts={'name': object or path}"
        )
    if contents and all(map(_is_path, contents)):
        found[artifact_type] = Files([_path(each) for each in contents])
    elif len(contents) > 1:
        raise InvalidInput("an object is saved on its own", hint="give further files as artifacts={'name': path}")
    elif contents:
        _check_model(contents[0])
        found[artifact_type] = Unwritten(contents[0], unsafe_pickle)
    for given, value in artifacts.items():
        name = nfc(given)
        if name in found:
            raise InvalidInput(f"the artifact {name!r} is given twice", hint="choose another name for one of them")
        _check_object(value, f"the artifact {name!r}", "an artifact is one path: name the folder of several files")
        found[name] = Files([_path(value)]) if _is_path(value) else Unwritten(value, unsafe_pickle)
    if not found:
        raise InvalidInput("there is nothing to save", hint="name a file or a folder")
    return found


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _path(value: Any) -> Path:
    path = named_path(value)
    check_local(path, "fetch it first, and save the file")
    return path


def _check_model(value: object) -> None:
    """Raise InvalidInput for an object that is a mistake where a model is expected, although it could be written."""
    if isinstance(value, list | tuple) and value and all(map(_is_path, value)):
        raise InvalidInput("what to save is a list of paths", hint="write save(model, *paths)")
    if isinstance(value, bool | int | float | complex):
        raise InvalidInput(
            f"the number {value} is neither a file nor a model",
            hint="keep numbers as metadata={'name': number}, or save them in a dict",
        )
    _check_object(value, "what to save", "write save(model, *paths)")


def _check_object(value: object, place: str, several: str) -> None:
    """Raise InvalidInput for None, and for a list of paths."""
    if value is None:
        raise InvalidInput(f"{place} is None", hint="pass a path, or the object itself")
    if isinstance(value, type):
        raise InvalidInput(
            f"{place} is the class {value.__name__}", hint=f"did you forget the brackets, {value.__name__}()?"
        )
    if isinstance(value, io.IOBase):
        raise InvalidInput(f"{place} is an open file", hint="pass its path")
    if isinstance(value, range | GeneratorType):
        raise InvalidInput(f"{place} is a {type(value).__name__}", hint="make it a list")
    if isinstance(value, list | tuple) and any(isinstance(each, os.PathLike) for each in value):
        raise InvalidInput(f"{place} is a list of paths", hint=several)


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

    if not saving.sources:
        return session.commit(operation, dry_run=dry_run)
    if dry_run:
        with written(saving) as files:
            new = replace(new, artifacts=describe(saving, files, progress or NO_PROGRESS, session.verdicts))
        return session.commit(operation, dry_run=True)
    checked = session.into(session.store_url, operation)
    with written(saving) as files, session.saving(progress or NO_PROGRESS) as store:
        artifacts = put(store, saving, files, session.verdicts)
        new = replace(new, artifacts=artifacts)
        return publish(session, store, checked, lambda: put(store, saving, files, session.verdicts) == artifacts)


@contextmanager
def written(saving: Saving) -> Iterator[Mapping[str, Files]]:
    """Yield the files of each artifact by name; those of objects are written now, and are gone after the block.

    Raises
    ------
    InvalidInput
        No materializer takes an object, its files would not restore it, or its library is not installed.
    """
    with ExitStack() as stack:
        yield {
            name: source if isinstance(source, Files) else _write(source, stack)
            for name, source in saving.sources.items()
        }


def _write(source: Unwritten, stack: ExitStack) -> Files:
    folder, materializer = verbs.objects.write_object(source.value, stack, unsafe_pickle=source.unsafe_pickle)
    return Files([folder], materializer)


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


def put(
    store: StoreWriter, saving: Saving, files: Mapping[str, Files], verdicts: ScanCache
) -> dict[str, ArtifactRecord]:
    """Store the files that `written` yields, and return the record of each artifact by name."""
    return {
        name: store_artifact(store, paths, saving.artifact_type, verdicts).but(materializer=materializer)
        for name, (paths, materializer) in files.items()
    }


def describe(
    saving: Saving, files: Mapping[str, Files], progress: Progress, verdicts: ScanCache
) -> dict[str, ArtifactRecord]:
    """Return the records that `put` would return, without storing anything."""
    return {
        name: describe_artifact(paths, saving.artifact_type, progress, verdicts).but(materializer=materializer)
        for name, (paths, materializer) in files.items()
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
            hint=f"`gitreg delete {references[0]}`, and save the files again",
        )
    return outcome
