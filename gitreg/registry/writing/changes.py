"""The changes that an operation asks for: files to write or remove, and the commit message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitreg.documents.layout import Key
from gitreg.documents.types import AnnotationDocument, Document
from gitreg.documents.validation import check_annotation
from gitreg.errors import Refused
from gitreg.registry.state.snapshot import ModelVersion, Snapshot


class Difference(NamedTuple):
    """A field that an operation changes, for the sentence of its result.

    Parameters
    ----------
    field:
        The name of the field; of one key of the metadata ``metadata.KEY``.
    before, after:
        Its values; None where it has none.
    """

    field: str
    before: Any
    after: Any


def differences(
    before: object, after: object, fields: Iterable[str] = ("description", "tags", "metadata")
) -> tuple[Difference, ...]:
    """Return the attributes that differ between two versions or documents; the metadata key by key."""
    found: list[Difference] = []
    for name in fields:
        old, new = getattr(before, name), getattr(after, name)
        if name == "metadata":
            pairs = {f"metadata.{key}": (old.get(key), new.get(key)) for key in {**old, **new}}
        else:
            pairs = {name: (old, new)}
        found += [Difference(each, *pair) for each, pair in pairs.items() if pair[0] != pair[1]]
    return tuple(found)


@dataclass(frozen=True)
class Changes:
    """Files to write or remove, with the commit message.

    Parameters
    ----------
    files:
        The document or bytes to write, by key; None to remove the file.
    subject:
        The first line of the commit.
    body:
        The text of a person: a reason or a message.
    trailers:
        Names (without ``Gitreg-``) and values of the commit's trailers, for programs, in this order.
    version:
        The model and name of the version that the operation is about; None where it is not about one.
    versions:
        The models and names of the versions, in order, where the operation is about several.
    differences:
        The fields of a version, a card or the settings that the operation changes.
    emptied:
        The stage that nothing holds any more, where that is not the usual course of a promotion.
    """

    files: Mapping[Key, Document | bytes | None] = field(default_factory=dict)
    subject: str = ""
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    version: tuple[str, str] | None = None
    versions: tuple[tuple[str, str], ...] = ()
    differences: tuple[Difference, ...] = ()
    emptied: str | None = None

    @property
    def reference(self) -> str | None:
        """The version that the operation is about, as ``model@version``; None where it is not about one."""
        return "@".join(self.version) if self.version is not None else None

    @property
    def message(self) -> str:
        """The commit message: subject, body and trailers, separated by empty lines."""
        trailers = "\n".join(f"Gitreg-{name}: {_one_line(value)}" for name, value in self.trailers)
        return "\n\n".join(part for part in (_one_line(self.subject), self.body.strip(), trailers) if part) + "\n"


class Edits:
    """Pending changes over a snapshot; annotations are read with the changes that are pending."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.files: dict[Key, Document | bytes | None] = {}

    def write(self, key: Key, document: Document) -> None:
        """Write a document, pending."""
        self.files[key] = document

    def remove(self, key: Key) -> None:
        """Remove a file, pending."""
        self.files[key] = None

    def annotation(self, version: ModelVersion) -> AnnotationDocument:
        """Return the pending annotation of a version, or the one in the snapshot where none is pending."""
        pending = self.files.get(Key("annotation", version.model, version.version), version.annotation)
        assert isinstance(pending, AnnotationDocument)
        return pending

    def annotate(self, version: ModelVersion, **fields: Any) -> AnnotationDocument:
        """Write fields of a version's annotation, pending, and return the annotation.

        Raises
        ------
        Refused
            The annotation would name an artifact that was sealed with the version.
        """
        pending = self.annotation(version)
        after = pending.but(**fields)
        if after != pending:
            if "artifacts" in fields or "links" in fields:
                refuse_sealed(version, after.to_data(), pending.to_data())
            self.files[Key("annotation", version.model, version.version)] = after
        return after

    def leave_stages(self, version: ModelVersion, *, but: str | None = None) -> None:
        """Remove the pointer of the stage that a version holds, unless that is the stage `but`."""
        for stage, holder in self._snapshot.stages(version.model).items():
            if holder == version.version and stage != but:
                self.remove(Key("stage", version.model, stage))


def refuse_sealed(
    version: ModelVersion, annotation: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> None:
    """Raise Refused for an annotation that names an artifact which was sealed with its version.

    Parameters
    ----------
    annotation, before:
        The fields of the new annotation, and of the present one.

    Raises
    ------
    Refused
        The new annotation names a sealed artifact.
    """
    key = Key("annotation", version.model, version.version)
    for found in check_annotation(key, annotation, version.record.to_data(), before or {}):
        raise Refused(
            f"{version.reference} was sealed with an artifact {found.artifact!r}",
            hint="save it under another name and link that",
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
