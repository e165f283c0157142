"""The snapshot: the registry at one commit, with models, versions, stages and aliases."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from gitreg import cards
from gitreg.documents.types import (
    CARD_FIELDS,
    NEWER_FORMAT,
    AliasDocument,
    AnnotationDocument,
    ArtifactRecord,
    ModelDocument,
    RegistryDocument,
    StageDocument,
    VersionDocument,
    amount_text,
)
from gitreg.errors import InvalidDocument, NotFound, Refused
from gitreg.names import ARCHIVED, LATEST, as_number, is_number, linked_name
from gitreg.registry.state.fixed_fields import FixedFieldChange, fixed_field_changes
from gitreg.registry.state.index import Index, IndexEntry
from gitreg.suggestions import alternatives, listed, nearest
from gitreg.units import counted

_Answer = TypeVar("_Answer")
_UNKNOWN: Any = object()
_MOST_REMEMBERED = 1000  # the most answers, and listed versions, in the cache of a snapshot


class ModelVersion(NamedTuple):
    """One version of a model: its sealed record, and the annotation that was added since.

    Parameters
    ----------
    record:
        The sealed record.
    annotation:
        The overlay of later changes; an empty one if there is no file.
    digest:
        The sha256 of the record's file, as ``sha256:<hex>``.
    stage:
        The stage that it holds, ``archived``, or None.
    aliases:
        The names of the aliases that point to it.
    is_hidden:
        True if it counts as yanked because its annotation cannot be read.
    """

    record: VersionDocument
    annotation: AnnotationDocument
    digest: str
    stage: str | None
    aliases: tuple[str, ...]
    is_hidden: bool = False

    def __repr__(self) -> str:
        parts = [
            repr(self.reference),
            *([f"stage={self.stage!r}"] if self.stage else []),
            *(["yanked"] if self.yanked else []),
            *([text] if (text := amount_text(self.artifacts.values())) else []),
        ]
        return f"ModelVersion({', '.join(parts)})"

    def _repr_html_(self) -> str:
        record, source, run = self.record, self.record.source or {}, self.record.run or {}
        facts = {
            "stage": "yanked" if self.yanked else self.stage,
            "aliases": self.aliases,
            "tags": self.tags,
            "description": self.description,
            "made": " by ".join(filter(None, [cards.notebook.when(record.created_at), record.created_by])),
            "made from": record.inputs,
            "run": "/".join(str(run[part]) for part in ("pipeline", "run", "step") if run.get(part)),
            "code": f"{str(source.get('commit', ''))[:12]}{', changed since' if source.get('dirty') else ''}",
        }
        files = [
            (name, each.type, amount_text([each]), each.materializer, each.digest[:19])
            for name, each in self.artifacts.items()
        ]
        tables = [
            cards.notebook.Table(("metadata", "value"), list(self.metadata.items())),
            cards.notebook.Table(("artifact", "type", "files", "object", "digest"), files),
        ]
        return cards.notebook.render("ModelVersion", self.reference, facts=facts, tables=tables)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.record.model

    @property
    def version(self) -> str:
        """The version's name; by default its number, as text."""
        return self.record.version

    @property
    def number(self) -> int:
        """The position in the order of the model's versions, from 1."""
        return self.record.number

    @property
    def reference(self) -> str:
        """The reference that always means this version."""
        return f"{self.model}@{self.version}"

    @property
    def withdrawal(self) -> str:
        """The sentence part, after the version's name, that says why it must not be used."""
        reason = f": {self.annotation.yank_reason}" if self.annotation.yank_reason else ""
        return f"{'is hidden' if self.is_hidden else 'was yanked'}{reason}"

    @property
    def description(self) -> str | None:
        """The newest description; None if there is none."""
        newest = self.annotation.description
        return (newest if newest is not None else self.record.description) or None

    @property
    def tags(self) -> tuple[str, ...]:
        """The labels, later ones last."""
        kept = (tag for tag in self.record.tags if tag not in self.annotation.removed_tags)
        return tuple(dict.fromkeys((*kept, *self.annotation.tags)))

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, each key with its newest value."""
        kept = {key: value for key, value in self.record.metadata.items() if key not in self.annotation.removed}
        return {**kept, **self.annotation.metadata}

    @property
    def sealed(self) -> Mapping[str, ArtifactRecord]:
        """The artifacts of the record by name; no annotation changes them."""
        return self.record.artifacts

    @property
    def linked(self) -> Mapping[str, ArtifactRecord]:
        """The artifacts that the annotation adds, by name; names of sealed artifacts are left out."""
        return {name: each for name, each in self.annotation.artifacts.items() if name not in self.sealed}

    @property
    def artifacts(self) -> Mapping[str, ArtifactRecord]:
        """All artifacts by name."""
        return {**self.sealed, **linked} if (linked := self.linked) else self.sealed

    @property
    def links(self) -> tuple[str, ...]:
        """All linked artifact versions, as ``name@version``, in the order of linking."""
        added = (each for each in self.annotation.links if linked_name(each) not in self.sealed)
        return tuple(dict.fromkeys((*self.record.links, *added)))

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names of sealed artifacts that the annotation names, too; these parts of the annotation are ignored."""
        named = (
            *self.annotation.artifacts,
            *(linked_name(each) for each in set(self.annotation.links) - set(self.record.links)),
        )
        return tuple(dict.fromkeys(name for name in named if name in self.sealed))

    @property
    def size(self) -> int:
        """The size of all files, in bytes."""
        return sum(artifact.size for artifact in self.artifacts.values())

    @property
    def archived(self) -> bool:
        """Return whether it is marked as no longer relevant."""
        return self.annotation.archived

    @property
    def yanked(self) -> bool:
        """Return whether it is yanked: never the latest version, but still loaded by name."""
        return self.annotation.yanked

    @property
    def deleted(self) -> bool:
        """Return whether it has a tombstone, which hides it everywhere."""
        return self.annotation.deleted


class ModelCard(NamedTuple):
    """One model: the fields of its card, and its latest version and stages.

    Parameters
    ----------
    document:
        The fields of the card.
    versions:
        The count of versions that are not deleted.
    latest:
        The name of the newest version that is neither deleted nor yanked; None if there is none.
    stages:
        For each held stage, the name of its version; in the registry's order of stages.
    """

    document: ModelDocument
    versions: int
    latest: str | None
    stages: Mapping[str, str]

    def __repr__(self) -> str:
        stages = "".join(f", {stage}={version!r}" for stage, version in self.stages.items())
        return f"ModelCard({self.name!r}, {counted(self.versions, 'version')}, latest={self.latest!r}{stages})"

    def _repr_html_(self) -> str:
        document = self.document
        facts = {
            "versions": self.versions,
            "latest": self.latest,
            **{field.replace("_", " "): getattr(document, field) for field in CARD_FIELDS},
            "tags": document.tags,
            "created": cards.notebook.when(document.created_at),
        }
        tables = [
            cards.notebook.Table(("stage", "version"), list(self.stages.items())),
            cards.notebook.Table(("metadata", "value"), list(document.metadata.items())),
        ]
        return cards.notebook.render("ModelCard", self.name, facts=facts, tables=tables)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.document.name


class Snapshot:
    """The registry at one commit.

    Parameters
    ----------
    index:
        The index, which contains the commit.
    seq:
        The commit's position in the index.
    commit:
        The commit's id.
    """

    def __init__(self, index: Index, seq: int, commit: str) -> None:
        self.index = index
        self.seq = seq
        self.commit = commit
        self._known: dict[Hashable, Any] = {}
        self._listed: dict[str, list[ModelVersion]] = {}

    def remember(self, question: Hashable, ask: Callable[[], _Answer]) -> _Answer:
        """Return a computed answer from the cache: the content of a commit never changes.

        Parameters
        ----------
        question:
            The cache key of the question.
        ask:
            Computes the answer if it is not in the cache.
        """
        known = self._known.get(question, _UNKNOWN)  # one access: another thread may clear the cache meanwhile
        if known is _UNKNOWN:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[question] = ask()
        answer: _Answer = known
        return answer

    @cached_property
    def settings(self) -> RegistryDocument:
        """The settings in ``gitreg.yaml``; if it cannot be read now, its last readable content.

        Fixed fields have their original values (:mod:`gitreg.registry.state.fixed_fields`).

        Raises
        ------
        NotFound
            There is no ``gitreg.yaml``.
        InvalidDocument
            It was never readable, or has a newer format.
        """
        contents = self._settings_history
        if not contents or (contents[0].until is not None and contents[0].until <= self.seq):
            raise NotFound(f"there is no gitreg.yaml at {self.commit[:12]}", hint="run `gitreg init`")
        newer = NEWER_FORMAT in (contents[0].problem or "")
        for entry in contents:
            if entry.data is not None and not newer:
                return RegistryDocument.from_data(entry.data).but(
                    **{each.field: each.was for each in self.fixed_field_changes}
                )
        raise _broken_settings(contents[0], "upgrade gitreg" if newer else "mend it by hand and commit it")

    @property
    def may_have_policies(self) -> bool:
        """Return whether unreadable settings may have policies: of a newer format, or with an incomplete history."""
        contents = self._settings_history
        newer = any(NEWER_FORMAT in (entry.problem or "") for entry in contents)
        return newer or any(self.index.moment(entry.since).boundary for entry in contents)

    @cached_property
    def _settings_history(self) -> list[IndexEntry]:
        return self.index.history(self.seq, "registry", "", "")

    @cached_property
    def fixed_field_changes(self) -> list[FixedFieldChange]:
        """The fixed fields of ``gitreg.yaml`` that were changed, although that is not allowed."""
        return fixed_field_changes(self._settings_history, lambda: self.index.first_record(self.seq))

    def check_fixed(self) -> None:
        """Raise an error if a fixed field of ``gitreg.yaml`` was changed.

        Raises
        ------
        Refused
            A fixed field was changed; the hint names the commit to revert.
        """
        for shift in self.fixed_field_changes:
            raise Refused(f"gitreg.yaml {self.describe_change(shift)}", hint=self.undo_change(shift))

    def describe_change(self, shift: FixedFieldChange) -> str:
        """Return the change of a fixed field as the rest of a sentence, after the name of the file."""
        change = f"changed its {shift.field} from {shift.was} to {shift.now or 'nothing'}"
        return f"{change} in {self.index.moment(shift.since).oid[:12]}"

    def undo_change(self, shift: FixedFieldChange) -> str:
        """Return the command that restores a fixed field."""
        return f"git revert {self.index.moment(shift.since).oid[:12]}"

    def sound_settings(self) -> RegistryDocument:
        """Return the settings for a write, which needs them readable and unchanged in fixed fields.

        Raises
        ------
        InvalidDocument
            ``gitreg.yaml`` cannot be read now.
        Refused
            A fixed field was changed.
        """
        settings = self.settings
        self.check_fixed()
        for broken in (each for each in self.unreadable("") if each.kind == "registry"):
            raise _broken_settings(broken, "mend it by hand and commit it; until then the registry can only be read")
        return settings

    # -- models ------------------------------------------------------------------------------------------------------

    def find_model(self, name: str) -> ModelDocument | None:
        """Return the fields of a model's card; None if the model is not registered."""
        entry = self.index.get(self.seq, "model", name, "")
        return _card(entry) if entry else None

    def card_fields(self, name: str) -> ModelDocument:
        """Return the fields of a model's card.

        Raises
        ------
        NotFound
            There is no model of that name; the hint has similar names.
        """
        document = self.find_model(name)
        if document is None:
            raise self._no_model(name)
        return document

    def _no_model(self, name: str) -> NotFound:
        """Return the error for a model that is not there, which names those that are."""
        if gone := self.deleted_names(name):
            kind = "version" if len(gone) == 1 else "versions"
            return NotFound(
                f"{name} was deleted, with the {kind} {listed(gone)}",
                hint=f"`gitreg undelete {name}@{gone[-1]}` takes that back for a version",
            )
        known = self.model_names()
        message = f"there is no model {name!r}"
        if name in self.settings.stages:
            return NotFound(message, hint=f"{name} is a stage; `gitreg list stage={name}` shows the versions in it")
        joined = re.fullmatch(r"(.+?) ?(?:==?|[/#_ -])v?([^/=#@ ]+)", name)
        if joined and joined[1] in known and self.has(*joined.groups()):
            return NotFound(message, correction=(name, f"{joined[1]}@{joined[2]}"))
        if is_number(name):
            return NotFound(message, hint=f"write MODEL@{name}; the models are {listed(known)}")
        near = nearest(name, known) if "@" not in name else []  # who names a version never means all of the model
        if len(near) == 1:
            return NotFound(message, correction=(name, near[0]))
        if near:
            return NotFound(message, hint=f"did you mean {alternatives(near)}?")
        register = "register one with `gitreg model register`, or save a first version"
        return NotFound(message, hint=f"the models are {listed(known)}" if known else register)

    def has(self, model: str, selector: str) -> bool:
        """Return whether a model has a version, a stage or an alias of a name."""
        number = as_number(selector)
        return (
            (number is not None and self.find_number(model, number) is not None)
            or self.find_version(model, selector) is not None
            or selector in (*self.stages(model), *self.aliases(model), LATEST)
        )

    def model(self, name: str) -> ModelCard:
        """Return a model.

        Raises
        ------
        NotFound
            There is no model of that name; the hint has similar names.
        """
        document = self.card_fields(name)
        latest = self.index.latest(self.seq, name).get(name)
        versions = sum(1 for version in self.versions(name))
        return ModelCard(document, versions, latest, self.stages(name))

    def models(self) -> list[ModelCard]:
        """Return all registered models, by name."""
        latest = self.index.latest(self.seq)
        counts = self.index.count_versions(self.seq)
        stages_of: dict[str, dict[str, str]] = {}
        for entry in self.index.scan(self.seq, "stage"):
            if entry.data is not None:
                stages_of.setdefault(entry.model, {})[entry.name] = entry.data["version"]
        return [
            ModelCard(
                _card(entry),
                counts.get(entry.model, 0),
                latest.get(entry.model),
                self._in_order(stages_of.get(entry.model, {})),
            )
            for entry in self.index.scan(self.seq, "model")
        ]

    def model_names(self) -> list[str]:
        """Return the names of all registered models, sorted."""
        return [entry.model for entry in self.index.scan(self.seq, "model")]

    def names_in_use(self) -> list[str]:
        """Return the names of all models that have files: registered models, and deleted ones, whose records stay."""
        return self.index.models(self.seq)

    def card(self, model: str) -> str | None:
        """Return the text of a model's card; None if there is none."""
        entry = self.index.get(self.seq, "card", model, "")
        return entry.data["text"] if entry and entry.data else None

    def unreadable(self, model: str | None = None) -> list[IndexEntry]:
        """Return the files, of one model or of all (None), that cannot be read; all other methods leave them out."""
        found = self.remember("unreadable", lambda: self.index.problems(self.seq))
        return [entry for entry in found if model is None or entry.model == model]

    # -- versions ----------------------------------------------------------------------------------------------------

    def versions(self, model: str) -> list[ModelVersion]:
        """Return a model's versions by number, without deleted ones."""
        found = self._listed.get(model)
        if found is None:
            found = self._versions(model)
            if len(found) + sum(map(len, list(self._listed.values()))) > _MOST_REMEMBERED:
                self._listed.clear()
            self._listed[model] = found
        return list(found)

    def _versions(self, model: str) -> list[ModelVersion]:
        notes = {entry.name: entry for entry in self.index.scan(self.seq, "annotation", model)}
        stages = {version: stage for stage, version in self.stages(model).items()}
        aliases = self.aliases(model)
        found = [
            self._version(entry, notes.get(entry.name), stages.get(entry.name), aliases)
            for entry in self.index.scan(self.seq, "model_version", model)
            if entry.data is not None
        ]
        return sorted((version for version in found if not version.deleted), key=lambda version: version.number)

    def find_version(self, model: str, name: str, *, deleted: bool = False) -> ModelVersion | None:
        """Return a version by its name; None if there is none, or it is deleted and ``deleted`` is False."""
        return self._complete(self.index.get(self.seq, "model_version", model, name), deleted)

    def find_number(self, model: str, number: int, *, deleted: bool = False) -> ModelVersion | None:
        """Return a version by its number; None if there is none, or it is deleted and ``deleted`` is False."""
        return self._complete(self.index.by_number(self.seq, model, number), deleted)

    def versions_between(self, model: str, first: int, last: int) -> list[ModelVersion]:
        """Return the versions with these numbers, both ends included, by number and without deleted ones."""
        stages = {version: stage for stage, version in self.stages(model).items()}
        aliases = self.aliases(model)
        found = [
            self._version(
                entry, self.index.get(self.seq, "annotation", model, entry.name), stages.get(entry.name), aliases
            )
            for entry in self.index.by_numbers(self.seq, model, first, last)
            if entry.data is not None
        ]
        return [version for version in found if not version.deleted]

    def find_digest(self, model: str, prefix: str) -> list[ModelVersion]:
        """Return the versions whose record digest has this hexadecimal prefix, or else those with such an artifact."""
        found = [self._complete(entry, False) for entry in self.index.by_digest(self.seq, model, prefix)]
        named = [version for version in found if version]
        if named:
            return named
        versions = self.versions(model)
        return _holding(versions, prefix, lambda version: version.sealed) or _holding(
            versions, prefix, lambda version: version.linked
        )

    def latest(self, model: str) -> ModelVersion | None:
        """Return the version with the highest number that is neither deleted nor yanked; None if there is none."""
        name = self.index.latest(self.seq, model).get(model)
        return self.find_version(model, name) if name is not None else None

    def highest_number(self, model: str) -> int:
        """Return the highest number that a version of the model ever had; 0 if there is none."""
        return self.index.highest_number(self.seq, model)

    def names_taken(self, model: str) -> list[str]:
        """Return the names of all versions of the model, deleted ones included."""
        return self.index.names(self.seq, "model_version", model)

    def deleted_names(self, model: str) -> list[str]:
        """Return the names of the deleted versions of the model, by number."""
        found = (self.find_version(model, name, deleted=True) for name in self.names_taken(model))
        gone = [version for version in found if version is not None and version.deleted]
        return [version.version for version in sorted(gone, key=lambda version: version.number)]

    def _complete(self, entry: IndexEntry | None, deleted: bool) -> ModelVersion | None:
        if entry is None or entry.data is None:
            return None
        note = self.index.get(self.seq, "annotation", entry.model, entry.name)
        stages = {version: stage for stage, version in self.stages(entry.model).items()}
        aliases = self.aliases(entry.model)
        version = self._version(entry, note, stages.get(entry.name), aliases)
        return None if version.deleted and not deleted else version

    @staticmethod
    def _version(
        entry: IndexEntry, note: IndexEntry | None, stage: str | None, aliases: Mapping[str, str]
    ) -> ModelVersion:
        assert entry.data is not None
        annotation = _annotation(note)
        return ModelVersion(
            VersionDocument.from_data(entry.data),
            annotation,
            f"sha256:{entry.digest}",
            stage or (ARCHIVED if annotation.archived else None),
            tuple(alias for alias, version in aliases.items() if version == entry.name),
            note is not None and note.data is None,
        )

    # -- pointers ----------------------------------------------------------------------------------------------------

    def find_stage(self, model: str, stage: str) -> StageDocument | None:
        """Return the pointer of a stage; None if no version holds it."""
        entry = self.index.get(self.seq, "stage", model, stage)
        return StageDocument.from_data(entry.data) if entry and entry.data is not None else None

    def find_alias(self, model: str, alias: str) -> AliasDocument | None:
        """Return the pointer of an alias; None if there is none."""
        entry = self.index.get(self.seq, "alias", model, alias)
        return AliasDocument.from_data(entry.data) if entry and entry.data is not None else None

    def approvals(self, model: str, version: str, stage: str) -> list[IndexEntry]:
        """Return the approval files of a version for a stage, unreadable ones included, sorted by approver."""
        prefix = f"{version}/{stage}/"
        return [e for e in self.index.scan(self.seq, "approval", model) if e.name.startswith(prefix)]

    def stages(self, model: str) -> dict[str, str]:
        """Return, for each held stage, the name of its version; in the registry's order of stages."""
        entries = self.index.scan(self.seq, "stage", model)
        return self._in_order({e.name: e.data["version"] for e in entries if e.data is not None})

    def aliases(self, model: str) -> dict[str, str]:
        """Return, for each alias, the name of its version."""
        return {e.name: e.data["version"] for e in self.index.scan(self.seq, "alias", model) if e.data is not None}

    def _in_order(self, holders: Mapping[str, str]) -> dict[str, str]:
        order = {stage: place for place, stage in enumerate(self.settings.stages)}
        return dict(sorted(holders.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def _holding(
    versions: list[ModelVersion], prefix: str, artifacts: Callable[[ModelVersion], Mapping[str, ArtifactRecord]]
) -> list[ModelVersion]:
    """Return the versions with an artifact whose digest starts with these hexadecimal digits."""
    wanted = f"sha256:{prefix}"
    return [each for each in versions if any(a.digest.startswith(wanted) for a in artifacts(each).values())]


def _card(entry: IndexEntry) -> ModelDocument:
    """Return the fields of a card; of an unreadable one, only the name."""
    return ModelDocument.from_data(entry.data) if entry.data is not None else ModelDocument(name=entry.model)


def _annotation(entry: IndexEntry | None) -> AnnotationDocument:
    """Return the annotation; an unreadable one counts as yanked."""
    if entry is None:
        return AnnotationDocument()
    if entry.data is None:
        return AnnotationDocument(yanked=True, yank_reason="its annotation cannot be read; see `gitreg doctor`")
    return AnnotationDocument.from_data(entry.data)


def _broken_settings(entry: IndexEntry, hint: str) -> InvalidDocument:
    """Return the error for an unreadable ``gitreg.yaml``, made from the problem in the index."""
    place, _, reason = (entry.problem or "").partition(": ")
    return InvalidDocument("gitreg.yaml", place.partition(" at ")[2], reason, hint=hint)
