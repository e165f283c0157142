"""The semantic diff of a merge: moves of stages and aliases, new versions, links and changed cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.blobs.reader import StoreReader
from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.enforce import decide
from gitreg.registry.promotion.stage_entries import may_return
from gitreg.registry.query.diff import compare
from gitreg.registry.state.audit_log import overridden_by
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.merge_preview import Merge
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.state.stage_history import is_rollback

if TYPE_CHECKING:
    from gitreg.policy.evaluate import Decision

Comparison = Mapping[str, Any]
"""The comparison of two versions, as :func:`gitreg.registry.query.diff.compare` returns it."""


@dataclass(frozen=True)
class Move:
    """The move of a stage or an alias from one version to another.

    Parameters
    ----------
    kind:
        ``stage`` or ``alias``.
    model, name:
        The names of the model and of the stage or alias.
    before, after:
        The versions that hold it before and after the merge; None if no version does.
    comparison:
        The comparison of both; None if one of them is missing.
    rollback:
        True if a stage returns to a former holder.
    decision:
        The decision of the target branch's policy; None if the stage is left or the alias removed.
    """

    kind: str
    model: str
    name: str
    before: ModelVersion | None
    after: ModelVersion | None
    comparison: Comparison | None
    rollback: bool = False
    decision: Decision | None = None

    @property
    def key(self) -> Key:
        """The key of the pointer."""
        return Key(self.kind, self.model, self.name)

    @property
    def path(self) -> str:
        """The path of the pointer's file, inside the registry."""
        return self.key.path

    def row(self) -> dict[str, Any]:
        """Return the move as plain data."""
        return {
            "kind": self.kind,
            "model": self.model,
            "name": self.name,
            "from": self.before.reference if self.before else None,
            "to": self.after.reference if self.after else None,
            "rollback": self.rollback,
            "decision": self.decision.row() if self.decision else None,
            "comparison": self.comparison,
        }


class NewVersionMove(NamedTuple):
    """A new version.

    Parameters
    ----------
    version:
        The version.
    comparison:
        The comparison with the model's latest version before the merge; None if it is the first.
    """

    version: ModelVersion
    comparison: Comparison | None


class Link(NamedTuple):
    """An artifact version that a merge links to a version which holds a stage.

    Parameters
    ----------
    version:
        The version, as a reference.
    stage:
        The stage that the version holds on the target branch.
    artifact:
        The artifact version, as a reference; None if its files belong to none.
    name:
        The name of the artifact in the version.
    type:
        The type of the artifact.
    size:
        In bytes.
    digest:
        The digest of the artifact.
    """

    version: str
    stage: str
    artifact: str | None
    name: str
    type: str
    size: int
    digest: str


class CardChange(NamedTuple):
    """The change of a model's fields and card.

    Parameters
    ----------
    model:
        The name of the model.
    fields:
        The changed fields by name: ``from`` and ``to``.
    text:
        The difference of the card's text, line by line, as ``diff -u`` prints it.
    """

    model: str
    fields: Mapping[str, Mapping[str, Any]]
    text: tuple[str, ...]


def moves(merge: Merge, context: PromotionContext, source: StoreReader | None) -> Iterator[Move]:
    """Yield the pointers that move, by the path of their files, each with the decision of the target's policy.

    Raises
    ------
    InvalidDocument
        The target's policies are invalid.
    """
    for change in merge.changes:
        key = change.key
        if key is None or key.kind not in ("stage", "alias") or change.old == change.new:
            continue
        before, after = _target(merge.base, key), _target(merge.head, key)
        if (before and before.version) == (after and after.version):
            continue
        comparison = side_by_side(before, after, source) if before and after else None
        move = Move(key.kind, key.model, key.name, before, after, comparison)
        pointer = merge.head.index.get(merge.head.seq, *key)
        if merge.base is not None and after is not None and pointer is not None:
            rollback = key.kind == "stage" and is_rollback(merge.base, pointer)
            decision = _decide(merge.base, merge.head, after, pointer, context, rollback=rollback)
            move = replace(move, rollback=rollback, decision=decision)
        yield move


def _target(snapshot: Snapshot | None, key: Key) -> ModelVersion | None:
    entry = snapshot.index.get(snapshot.seq, *key) if snapshot else None
    if snapshot is None or entry is None or entry.data is None:
        return None
    return snapshot.find_version(key.model, entry.data["version"], deleted=True)


def _decide(
    base: Snapshot,
    head: Snapshot,
    version: ModelVersion,
    pointer: IndexEntry,
    context: PromotionContext,
    *,
    rollback: bool,
) -> Decision | None:
    """Return the decision of the target's policy; promoter and force are those of the commit that moves the pointer."""
    if base.index.get(base.seq, "registry", "", "") is None:
        return None
    moment = head.index.moment(pointer.since)
    context = replace(context, promoter=lambda: moment.email)
    force = bool(overridden_by(moment))
    rollback = rollback and may_return(base, version, pointer.name, context)
    return decide(base, head, version, Key(*pointer[:3]), context, force=force, rollback=rollback)


def arrivals(merge: Merge, source: StoreReader | None) -> Iterator[NewVersionMove]:
    """Yield the new versions, by the path of their files."""
    for change in merge.changes:
        key = change.key
        if key is None or key.kind != "model_version" or change.old is not None or change.new is None:
            continue
        version = merge.head.find_version(key.model, key.name, deleted=True)
        if version is not None:
            latest = merge.base.latest(key.model) if merge.base else None
            yield NewVersionMove(version, side_by_side(latest, version, source) if latest else None)


def links(merge: Merge) -> Iterator[Link]:
    """Yield the new links to versions that hold a stage on the target branch."""
    for change in merge.changes:
        key = change.key
        if key is None or key.kind != "annotation" or merge.base is None or change.new is None:
            continue
        before, after = (each.find_version(key.model, key.name) for each in (merge.base, merge.head))
        stage = next((s for s, holder in merge.base.stages(key.model).items() if holder == key.name), None)
        if after is None or stage is None:
            continue
        for name, record in after.linked.items():
            if before is None or before.linked.get(name) != record:
                yield Link(after.reference, stage, record.artifact, name, record.type, record.size, record.digest)


def card_changes(merge: Merge) -> Iterator[CardChange]:
    """Yield the models whose fields or card change."""
    models = [change.key.model for change in merge.changes if change.key and change.key.kind in ("model", "card")]
    for model in dict.fromkeys(models):
        before, after = _card(merge.base, model), _card(merge.head, model)
        fields = {
            name: {"from": before[0].get(name), "to": after[0].get(name)}
            for name in dict.fromkeys([*before[0], *after[0]])
            if before[0].get(name) != after[0].get(name)
        }
        text = tuple(unified_diff(before[1], after[1], lineterm="", n=1))[2:]
        if fields or text:
            yield CardChange(model, fields, text)


def _card(snapshot: Snapshot | None, model: str) -> tuple[dict[str, Any], list[str]]:
    if snapshot is None:
        return {}, []
    document = snapshot.find_model(model)
    values = document.to_data() if document else {}
    fields = {name: value for name, value in values.items() if name not in ("format", "kind", "name", "created_at")}
    return fields, (snapshot.card(model) or "").splitlines()


def side_by_side(old: ModelVersion, new: ModelVersion, source: StoreReader | None) -> Comparison | None:
    """Return the comparison of two versions; files that only the store lists are left out if the store fails.

    None if a record lists files that do not have its digest: its list is not to be believed.
    """
    for asked in (source, None):
        with suppress(GitregError):
            return compare(old, new, asked)
    return None
