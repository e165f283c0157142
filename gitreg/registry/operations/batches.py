"""Batches: many versions saved in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gitreg.documents.layout import Key
from gitreg.documents.types import Document, VersionDocument
from gitreg.errors import AlreadyExists, Refused
from gitreg.names import check_model, fold
from gitreg.registry.operations.models import check_spelling
from gitreg.registry.operations.versions import NewVersion, find_existing, save_version
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes

_NAMED = 3
"""The largest number of versions that the subject of the commit lists by name."""


def save_versions(
    snapshot: Snapshot,
    news: Sequence[NewVersion],
    *,
    given: Callable[[str], Sequence[int]] = lambda _: (),
    context: PromotionContext = UNKNOWN,
    message: str = "",
) -> Changes:
    """Return the changes that add versions, as :func:`gitreg.registry.operations.versions.save_version` adds one.

    Numbers are assigned in the order of ``news``. The inputs of a version have to exist before the batch.

    Parameters
    ----------
    given:
        A function from a model's name to the numbers that are in use without a record on the branch.
    message:
        The body of the commit message.

    Returns
    -------
    Changes:
        ``versions`` lists all versions of the batch in order, also those that exist already with the same artifacts.

    Raises
    ------
    AlreadyExists
        Two versions of the batch have the same name, or names that differ only in case; or as for `save_version`.
    Refused
        Two versions of the batch ask for the same stage; or as for `save_version`.
    InvalidInput, NotFound
        The same reasons as for `save_version`.
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
        changes = save_version(snapshot, new, given=[highest[model]], context=context)
        assert changes.version is not None
        asked.append(changes.version)
        name = changes.version[1]
        record = changes.files.get(Key("model_version", model, name))
        if not isinstance(record, VersionDocument):
            continue  # the version exists already with the same artifacts
        if (model, fold(name)) in names:
            raise _twice(model, name, names[model, fold(name)])
        names[model, fold(name)] = name
        for key in changes.files.keys() & files.keys():
            if key.kind == "stage":
                raise Refused(
                    f"the batch puts two versions of {model} into {key.name}", hint="give the stage to one of them"
                )
        files |= changes.files
        highest[model] = record.number
        trailers += changes.trailers[1:]  # the operation is written once for the batch
    made = [f"{model}@{name}" for (model, _), name in names.items()]
    operation = (("Operation", "save"),) if made else ()
    return Changes(files, _subject(made), message, (*operation, *trailers), versions=tuple(asked))


def check_all_saveable(snapshot: Snapshot, news: Sequence[NewVersion], *, context: PromotionContext = UNKNOWN) -> None:
    """Raise the error that a batch would meet whatever its files are, before gigabytes of them are copied.

    Raises
    ------
    GitregError
        The same errors as :func:`save_versions`.
    """
    new_ones = [
        replace(new, artifacts={})
        for new in news
        if new.name is None or find_existing(snapshot, check_model(new.model), new.name) is None
    ]
    save_versions(snapshot, new_ones, context=replace(context, files_follow=True))


def _subject(made: Sequence[str]) -> str:
    if not made:
        return ""
    return f"Save {', '.join(made)}" if len(made) <= _NAMED else f"Save {len(made)} versions"


def _twice(model: str, name: str, twin: str) -> AlreadyExists:
    if name == twin:
        return AlreadyExists(f"the batch has {model}@{name} twice", hint="a version never changes: name one otherwise")
    return AlreadyExists(
        f"{name!r} and {twin!r} of {model} differ only in case; on macOS and Windows they are one file",
        hint="choose another name for one of them",
    )
