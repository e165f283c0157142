"""Models: registration, changes of the card, deletion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.types import CARD_FIELDS, ModelDocument
from gitreg.errors import AlreadyExists, InvalidInput, Refused
from gitreg.names import check_list, check_model, fold, nfc
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes, Edits, differences


def register_model(
    snapshot: Snapshot,
    name: str,
    *,
    created_at: str,
    fields: Mapping[str, str | None],
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Changes:
    """Return the changes that register a model.

    Parameters
    ----------
    created_at:
        The time of the registration, in RFC 3339.
    fields:
        The fields of the card (:data:`gitreg.documents.types.CARD_FIELDS`); a value of None is left out.

    Raises
    ------
    AlreadyExists
        A model of that name, or of a name that differs only in case, is registered already.
    InvalidInput
        The name is not valid, or the card has no such field.
    """
    name = check_model(name)
    if snapshot.find_model(name) is not None:
        raise AlreadyExists(f"the model {name!r} already exists", hint=f"change it with `gitreg model update {name}`")
    document = new_model(snapshot, name, created_at)
    card_fields = _said(fields)
    document = document.but(**card_fields, tags=unique(tags), metadata=dict(metadata or {}))
    return Changes(
        {Key("model", name): document},
        f"Register {name}",
        trailers=(("Operation", "register"), ("Model", name)),
    )


def new_model(snapshot: Snapshot, name: str, created_at: str) -> ModelDocument:
    """Return an empty card for a model whose name collides with no other.

    Raises
    ------
    AlreadyExists
        The name differs only in case from another name in use, or from a folder of one.
    """
    check_spelling(name, snapshot.names_in_use())
    return ModelDocument(name=name, created_at=created_at)


def check_spelling(name: str, others: Iterable[str]) -> None:
    """Raise an error if a model's name differs only in case from another name, or from a folder of one.

    Raises
    ------
    AlreadyExists
        The names differ only in case.
    """
    parts = name.split("/")
    prefixes = {"/".join(parts[: n + 1]) for n in range(len(parts))}
    folded = {fold(prefix): prefix for prefix in prefixes}
    for other in others:
        other_parts = other.split("/")
        for n in range(len(other_parts)):
            prefix = "/".join(other_parts[: n + 1])
            if folded.get(fold(prefix), prefix) != prefix:
                raise AlreadyExists(
                    f"{name!r} differs from the model {other!r} only in case; on macOS and Windows they are one file",
                    hint=f"spell it {prefix!r}, or choose another name",
                )


def update_model(
    snapshot: Snapshot,
    name: str,
    *,
    fields: Mapping[str, str | None] | None = None,
    tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Changes:
    """Return the changes of a model's card: fields are replaced, tags added and removed, metadata merged by key.

    Raises
    ------
    NotFound
        The model does not exist.
    InvalidInput
        The card has no such field, or a tag is not valid.
    """
    document = snapshot.card_fields(name)
    card_fields = _said(fields or {})
    tags, remove_tags = unique(tags), unique(remove_tags, "remove_tags")
    kept = [tag for tag in (*document.tags, *tags) if tag not in remove_tags]
    changed = document.but(**card_fields, tags=unique(kept), metadata={**document.metadata, **(metadata or {})})
    found = differences(document, changed, (*CARD_FIELDS, "tags", "metadata"))
    changed_fields = sorted({each.field.partition(".")[0] for each in found})
    return Changes(
        {Key("model", name): changed},
        f"Update {name}: {', '.join(changed_fields)}" if changed_fields else f"Update {name}",
        trailers=(("Operation", "update"), ("Model", name)),
        differences=found,
    )


def delete_model(snapshot: Snapshot, name: str, *, force: bool = False) -> Changes:
    """Return the changes that delete a model and its versions: the records stay as tombstones, the numbers stay taken.

    Raises
    ------
    NotFound
        The model does not exist.
    Refused
        A stage or an alias points to a version of the model, and ``force`` is false.
    """
    model = snapshot.model(name)
    aliases = snapshot.aliases(name)
    if (model.stages or aliases) and not force:
        pointers = ", ".join(f"{pointer} ({version})" for pointer, version in {**model.stages, **aliases}.items())
        raise Refused(f"{name} is in use: {pointers}", hint="--force (in Python: force=True) deletes it all the same")
    edits = Edits(snapshot)
    edits.remove(Key("model", name))
    if snapshot.card(name) is not None:
        edits.remove(Key("card", name))
    for stage in model.stages:
        edits.remove(Key("stage", name, stage))
    for alias in aliases:
        edits.remove(Key("alias", name, alias))
    for version in snapshot.versions(name):
        edits.annotate(version, deleted=True)
    return Changes(edits.files, f"Delete {name}", trailers=(("Operation", "delete"), ("Model", name)))


def unique(tags: Sequence[str], name: str = "tags") -> tuple[str, ...]:
    """Return the tags in order, without duplicates, in Unicode form NFC.

    Raises
    ------
    InvalidInput
        A tag is blank or not a string, or ``tags`` is no list.
    """
    check_list(tags, name)
    for tag in tags:
        if not isinstance(tag, str) or not tag.strip():
            raise InvalidInput(f"{tag!r} is no tag", hint="a tag is a word or two")
    return tuple(dict.fromkeys(map(nfc, tags)))


def _said(fields: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the fields whose value is not None; raise InvalidInput for a field that a card does not have."""
    unknown = sorted(set(fields) - set(CARD_FIELDS))
    if unknown:
        raise InvalidInput(f"a card has no field {unknown[0]!r}", hint=f"its fields are {', '.join(CARD_FIELDS)}")
    return {field: value for field, value in fields.items() if value is not None}
