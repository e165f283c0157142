"""The fields of records that make edges of the provenance graph; only these few are parsed, when they are needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.registry.state.index import IndexEntry
    from gitreg.registry.state.snapshot import Snapshot

_KEPT = {
    "model_version": ("inputs", "links", "run", "source", "artifacts"),
    "artifact": ("run", "type"),
    "run": ("inputs", "versions", "steps", "source", "status"),
    "annotation": ("links", "archived", "deleted", "yanked"),
}
"""The fields of each kind of record that make edges or the note of a node."""
_ORIGIN = "\n    artifact: "
_LEADING = {
    kind: (*(marker for word in words for marker in (f"\n{word}:", f'"{word}":')), *origins)
    for kind, words, origins in (
        ("model_version", ("inputs", "links", "run"), (_ORIGIN, '"artifact":')),
        ("artifact", ("run",), ()),
        ("run", ("run",), ()),
        ("annotation", ("links", "archived", "deleted", "yanked"), (_ORIGIN, '"artifact":')),
    )
}
"""The strings, in YAML or in JSON, one of which is in each record that has an edge from anything but code."""
_BLOCKS = {
    kind: re.compile(rf"^(?:{'|'.join(fields)}):.*\n(?:[ -].*\n)*+", re.MULTILINE) for kind, fields in _KEPT.items()
}
"""The pattern of the fields of `_KEPT` in YAML text: most of a record is other fields."""
BROKEN: Mapping[str, Any] = {"broken": True}
"""The placeholder for a record that cannot be read."""


class ProvenanceRecords:
    """The records of a snapshot.

    A name is as in ``iris@7`` or ``train/RUN``: no name of a model, artifact or pipeline contains its separator.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._read: dict[str, dict[str, Mapping[str, Any] | None]] = {kind: {} for kind in _KEPT}
        self._names: dict[str, set[str]] = {}  # all names, for each kind that was read in full

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return the kept fields of one record; None if there is none, `BROKEN` if it cannot be read."""
        read = self._read[kind]
        if name not in read:
            owner, sign, rest = name.partition(_sign(kind))
            found = None
            if sign and name in self._names.get(kind, (name,)):
                found = self._snapshot.index.get(self._snapshot.seq, kind, owner, rest)
            read[name] = None if found is None else _kept(found)
        return read[name]

    @cached_property
    def leading(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        """The records, by kind and name, that may have an edge from anything but code; all kinds are read at once."""
        return {kind: dict(self._pass(kind)) for kind in _KEPT}

    def _pass(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        read, names = self._read[kind], set()
        for entry in self._snapshot.index.scan(self._snapshot.seq, kind):
            name = f"{entry.model}{_sign(kind)}{entry.name}"
            names.add(name)
            if (text := entry.text) is None or any(marker in text for marker in _LEADING[kind]):
                read[name] = record = _kept(entry)
                yield name, record
            elif kind == "annotation":  # without edges; kept because each version's annotation is looked up
                read[name] = {}
        self._names[kind] = names


def _sign(kind: str) -> str:
    return "/" if kind == "run" else "@"


def _kept(entry: IndexEntry) -> Mapping[str, Any]:
    text = entry.text
    if text is None:
        return BROKEN
    if not text.startswith("{"):
        blocks = _BLOCKS[entry.kind].findall(text)
        if _ORIGIN not in text:  # the artifacts are most of a record
            blocks = [block for block in blocks if not block.startswith("artifacts:")]
        entry = entry._replace(text="".join(blocks))
    data = entry.data or {}
    kept = {field: data[field] for field in _KEPT[entry.kind] if data.get(field)}
    origins = [each["artifact"] for each in kept.pop("artifacts", {}).values() if each.get("artifact")]
    return kept | {"links": tuple(dict.fromkeys((*kept.get("links", ()), *origins)))} if origins else kept
