"""What an operation wants: files to write or remove, and what to say of it in the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.types import AnnotationDocument, Document
from gitreg.errors import Refused
from gitreg.registry.snapshot import ModelVersion, Snapshot


@dataclass(frozen=True)
class Changes:
    """Files to write or remove, with a message.

    Parameters
    ----------
    files:
        By key: the document or bytes to write, None to remove.
    subject:
        The first line of the commit.
    body:
        What a person added: a reason, a message.
    trailers:
        What machines read in the commit, in the order given.
    version:
        Model and name of the version that the operation is about, if it is about one.
    versions:
        The same of each, in their order, where it is about many.
    """

    files: Mapping[Key, Document | bytes | None] = field(default_factory=dict)
    subject: str = ""
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    version: tuple[str, str] | None = None
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def message(self) -> str:
        """The commit's message: subject, body, trailers."""
        trailers = "\n".join(f"Gitreg-{name}: {_one_line(value)}" for name, value in self.trailers)
        return "\n\n".join(part for part in (_one_line(self.subject), self.body.strip(), trailers) if part) + "\n"


class Edits:
    """Changes in the making: what is written here is seen by what is read here next."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.files: dict[Key, Document | bytes | None] = {}

    def write(self, key: Key, document: Document) -> None:
        """Write a document."""
        self.files[key] = document

    def remove(self, key: Key) -> None:
        """Remove a file."""
        self.files[key] = None

    def annotation(self, version: ModelVersion) -> AnnotationDocument:
        """Return a version's annotation as it is to be written, or as it stands."""
        pending = self.files.get(Key("annotation", version.model, version.version), version.annotation)
        assert isinstance(pending, AnnotationDocument)
        return pending

    def annotate(self, version: ModelVersion, **said: Any) -> AnnotationDocument:
        """Write more into a version's annotation, and return it.

        Raises
        ------
        Refused
            It would name an artifact that was sealed with the version.
        """
        pending = self.annotation(version)
        after = pending.but(**said)
        if after != pending:
            if "artifacts" in said or "links" in said:
                refuse_sealed(version, after.to_data(), pending.to_data())
            self.files[Key("annotation", version.model, version.version)] = after
        return after

    def leave_stages(self, version: ModelVersion, *, but: str | None = None) -> None:
        """Take a version out of the stage that it holds."""
        for stage, holder in self._snapshot.stages(version.model).items():
            if holder == version.version and stage != but:
                self.remove(Key("stage", version.model, stage))


def refuse_sealed(version: ModelVersion, said: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Refuse an annotation that names an artifact which was sealed with its version.

    Parameters
    ----------
    said, before:
        What the annotation is to say, and what it says now.

    Raises
    ------
    Refused
        It names one.
    """
    from gitreg.documents.meaning import check_annotation  # readers come by here, and need no YAML

    key = Key("annotation", version.model, version.version)
    for found in check_annotation(key, said, version.record.to_data(), before or {}):
        raise Refused(
            f"{version.reference} was sealed with an artifact {found.artifact!r}",
            hint="save it under another name and link that",
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())
