"""What a merge moves and brings: stages and aliases from one version to another, new versions, cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.blobs import Source
from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.comparison import compare
from gitreg.registry.history import overridden_by
from gitreg.registry.index import Entry
from gitreg.registry.merging import Merge
from gitreg.registry.snapshot import ModelVersion, Snapshot
from gitreg.registry.tenure import is_rollback

if TYPE_CHECKING:
    from gitreg.policy.deciding import Decision

Comparison = Mapping[str, Any]
"""Two versions side by side, as :func:`gitreg.registry.comparison.compare` gives them."""


@dataclass(frozen=True)
class Move:
    """A stage or an alias that goes from one version to another.

    Parameters
    ----------
    kind:
        ``stage`` or ``alias``.
    before, after:
        Who has it now, and who will; None: nobody.
    comparison:
        Both side by side; None where one of them is not there.
    rollback:
        Whether a stage is given back to who held it before.
    decision:
        What the target branch's policy says of it; None where a stage is left, or an alias removed.
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
        """The pointer."""
        return Key(self.kind, self.model, self.name)

    @property
    def path(self) -> str:
        """The pointer's file."""
        return self.key.path

    def row(self) -> dict[str, Any]:
        """Give it as plain data."""
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


class Arrival(NamedTuple):
    """A version that is new.

    Parameters
    ----------
    comparison:
        It beside the model's latest version before; None where it is the first.
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
        The stage that it holds on the target branch.
    artifact:
        The artifact version, as a reference; None where its files have none.
    name:
        What the version calls it.
    """

    version: str
    stage: str
    artifact: str | None
    name: str
    type: str
    size: int
    digest: str


class CardChange(NamedTuple):
    """What is said of a model in another way.

    Parameters
    ----------
    fields:
        By name: ``from`` and ``to``.
    text:
        The difference of the card's text, line by line, as ``diff -u`` gives it.
    """

    model: str
    fields: Mapping[str, Mapping[str, Any]]
    text: tuple[str, ...]


def moves(merge: Merge, circumstances: Circumstances, source: Source | None) -> Iterator[Move]:
    """Give the pointers that move, by their files' paths, each with what the target's policy says of it.

    Raises
    ------
    InvalidDocument
        The target's policies are not understood.
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
            decision = _decide(merge.base, merge.head, after, pointer, circumstances, rollback=rollback)
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
    pointer: Entry,
    circumstances: Circumstances,
    *,
    rollback: bool,
) -> Decision | None:
    """Ask the target's policy; who promotes, and what force shall override, the commit says that moves the pointer."""
    from gitreg.registry.decisions import decide  # policies are for merges that move a stage
    from gitreg.registry.entries import may_return

    if base.index.get(base.seq, "registry", "", "") is None:
        return None
    moment = head.index.moment(pointer.since)
    circumstances = replace(circumstances, promoter=lambda: moment.email)
    force = bool(overridden_by(moment))
    rollback = rollback and may_return(base, version, pointer.name, circumstances)
    return decide(base, head, version, Key(*pointer[:3]), circumstances, force=force, rollback=rollback)


def arrivals(merge: Merge, source: Source | None) -> Iterator[Arrival]:
    """Give the versions that are new, by their files' paths."""
    for change in merge.changes:
        key = change.key
        if key is None or key.kind != "model_version" or change.old is not None or change.new is None:
            continue
        version = merge.head.find_version(key.model, key.name, deleted=True)
        if version is not None:
            latest = merge.base.latest(key.model) if merge.base else None
            yield Arrival(version, side_by_side(latest, version, source) if latest else None)


def links(merge: Merge) -> Iterator[Link]:
    """Yield what is linked to versions that hold a stage on the target branch, and was not before."""
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
    """Give the models of which something else is said."""
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
    said = document.to_data() if document else {}
    fields = {name: value for name, value in said.items() if name not in ("format", "kind", "name", "created_at")}
    return fields, (snapshot.card(model) or "").splitlines()


def side_by_side(old: ModelVersion, new: ModelVersion, source: Source | None) -> Comparison | None:
    """Return two versions side by side, without the files that only a store could list where it does not.

    None where a record lists files that do not have its digest: what it says of them is not to be believed.
    """
    for asked in (source, None):
        with suppress(GitregError):
            return compare(old, new, asked)
    return None
