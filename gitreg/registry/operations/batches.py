"""Saving many versions as one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gitreg.documents.layout import Key
from gitreg.documents.types import Document, VersionDocument
from gitreg.errors import AlreadyExists, Refused
from gitreg.names import check_model, fold
from gitreg.registry.changes import Changes
from gitreg.registry.circumstances import UNKNOWN, Circumstances
from gitreg.registry.operations.models import check_spelling
from gitreg.registry.operations.versions import NewVersion, find_existing, save_version
from gitreg.registry.snapshot import Snapshot

_NAMED = 3
"""Up to so many versions stand in the commit's first line by name."""


def save_versions(
    snapshot: Snapshot,
    news: Sequence[NewVersion],
    *,
    given: Callable[[str], Sequence[int]] = lambda _: (),
    circumstances: Circumstances = UNKNOWN,
    message: str = "",
) -> Changes:
    """Add versions, in their order, as :func:`gitreg.registry.operations.versions.save_version` adds one.

    Their numbers follow one another. What a version is made from has to be there before the batch.

    Parameters
    ----------
    given:
        Gives the numbers of a model that are taken though no record of the branch says so.
    message:
        What to add to the commit's message.

    Returns
    -------
    Changes:
        Their ``versions`` are all that were asked for, those too that are there already with the very same artifacts.

    Raises
    ------
    AlreadyExists
        Two of them have one name, or names that differ only in case; or as `save_version` raises it.
    Refused
        Two of them want one stage; or as `save_version` raises it.
    InvalidInput, NotFound
        As `save_version` raises it.
    """
    files: dict[Key, Document | bytes | None] = {}
    highest: dict[str, int] = {}
    names: dict[tuple[str, str], str] = {}
    asked: list[tuple[str, str]] = []
    trailers: list[tuple[str, str]] = []
    for new in news:
        model = check_model(new.model)
        if model not in highest:
            check_spelling(model, highest)
            highest[model] = max(given(model), default=0)
        changes = save_version(snapshot, new, given=[highest[model]], circumstances=circumstances)
        assert changes.version is not None
        asked.append(changes.version)
        name = changes.version[1]
        record = changes.files.get(Key("model_version", model, name))
        if not isinstance(record, VersionDocument):
            continue  # it is there already, and is the same
        if (model, fold(name)) in names:
            raise _twice(model, name, names[model, fold(name)])
        names[model, fold(name)] = name
        for key in changes.files.keys() & files.keys():
            if key.kind == "stage":
                raise Refused(f"two versions of {model} want to be in {key.name}", hint="give the stage to one of them")
        files |= changes.files
        highest[model] = record.number
        trailers += changes.trailers[1:]  # without the operation, which is one
    made = [f"{model}@{name}" for (model, _), name in names.items()]
    operation = (("Operation", "save"),) if made else ()
    return Changes(files, _subject(made), message, (*operation, *trailers), versions=tuple(asked))


def check_all_saveable(
    snapshot: Snapshot, news: Sequence[NewVersion], *, circumstances: Circumstances = UNKNOWN
) -> None:
    """Find what would refuse a batch whatever its files are, before gigabytes of them are moved.

    Raises
    ------
    GitregError
        As :func:`save_versions` does.
    """
    new_ones = [
        replace(new, artifacts={})
        for new in news
        if new.name is None or find_existing(snapshot, check_model(new.model), new.name) is None
    ]
    save_versions(snapshot, new_ones, circumstances=replace(circumstances, files_follow=True))


def _subject(made: Sequence[str]) -> str:
    if not made:
        return ""
    return f"Save {', '.join(made)}" if len(made) <= _NAMED else f"Save {len(made)} versions"


def _twice(model: str, name: str, twin: str) -> AlreadyExists:
    if name == twin:
        return AlreadyExists(f"{model}@{name} is to be saved twice", hint="a version never changes: name one otherwise")
    return AlreadyExists(
        f"{name!r} and {twin!r} of {model} differ only in case; on macOS and Windows they are one file",
        hint="choose another name for one of them",
    )
