"""What records say that makes edges of the lineage: few of their fields, read when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.registry.index import Entry
    from gitreg.registry.snapshot import Snapshot

_KEPT = {
    "model_version": ("inputs", "links", "run", "source", "artifacts"),
    "artifact": ("run", "type"),
    "run": ("inputs", "versions", "steps", "source", "status"),
    "annotation": ("links", "archived", "deleted", "yanked"),
}
"""The fields of a record that make edges, or a note."""
_ORIGIN = "\n    artifact: "
_LEADING = {
    kind: (*(said for word in words for said in (f"\n{word}:", f'"{word}":')), *origins)
    for kind, words, origins in (
        ("model_version", ("inputs", "links", "run"), (_ORIGIN, '"artifact":')),
        ("artifact", ("run",), ()),
        ("run", ("run",), ()),
        ("annotation", ("links", "archived", "deleted", "yanked"), (_ORIGIN, '"artifact":')),
    )
}
"""What a text holds, as YAML or as JSON, where an edge leads from something else than code to its record."""
_BLOCKS = {kind: re.compile(rf"^(?:{'|'.join(fields)}):.*\n(?:[ -].*\n)*+", re.M) for kind, fields in _KEPT.items()}
"""Those fields, in a text that the index keeps as it was written: most of it is something else."""
BROKEN: Mapping[str, Any] = {"broken": True}
"""What stands for a record that cannot be read."""


class Records:
    """The records of a snapshot.

    A name is as in ``iris@7`` or ``train/RUN``: neither a model, an artifact nor a pipeline has the sign in its own.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._read: dict[str, dict[str, Mapping[str, Any] | None]] = {kind: {} for kind in _KEPT}
        self._names: dict[str, set[str]] = {}  # of the kinds of which all names are known

    def get(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Give what one record says; None where there is none."""
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
        """By kind and name, the records to which something may lead that is not code; one pass reads all kinds."""
        return {kind: dict(self._pass(kind)) for kind in _KEPT}

    def _pass(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        read, names = self._read[kind], set()
        for entry in self._snapshot.index.scan(self._snapshot.seq, kind):
            name = f"{entry.model}{_sign(kind)}{entry.name}"
            names.add(name)
            if (text := entry.text) is None or any(said in text for said in _LEADING[kind]):
                read[name] = record = _kept(entry)
                yield name, record
            elif kind == "annotation":  # it says nothing that matters here, and each version's is asked for
                read[name] = {}
        self._names[kind] = names


def _sign(kind: str) -> str:
    return "/" if kind == "run" else "@"


def _kept(entry: Entry) -> Mapping[str, Any]:
    text = entry.text
    if text is None:
        return BROKEN
    if not text.startswith("{"):
        blocks = _BLOCKS[entry.kind].findall(text)
        if _ORIGIN not in text:  # a record's files are most of it
            blocks = [block for block in blocks if not block.startswith("artifacts:")]
        entry = entry._replace(text="".join(blocks))
    data = entry.data or {}
    kept = {field: data[field] for field in _KEPT[entry.kind] if data.get(field)}
    origins = [each["artifact"] for each in kept.pop("artifacts", {}).values() if each.get("artifact")]
    return kept | {"links": tuple(dict.fromkeys((*kept.get("links", ()), *origins)))} if origins else kept
