"""The provenance graph: edges from the used thing to the thing made from it, read from the records.

Nothing is stored besides the records. To find ancestors, the few records concerned are looked up one by one; to find
descendants, all records are read, once per snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.names import ARCHIVED, as_number
from gitreg.registry.lineage.provenance_records import BROKEN, ProvenanceRecords
from gitreg.registry.state.runs_and_artifacts import find_artifact

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot

VERSION, ARTIFACT, STEP, RUN, CODE, MISSING = "version", "artifact", "step", "run", "code", "missing"
_KINDS = {VERSION: "model_version", ARTIFACT: "artifact", RUN: "run"}  # the kinds in the index


class NodeId(NamedTuple):
    """The identity of a node: its kind, and its name within the kind.

    Parameters
    ----------
    kind:
        ``version``, ``artifact``, ``step``, ``run``, ``code``, or ``missing`` (a record names it, but it does not
        exist).
    name:
        ``iris@7``, ``data@12``, ``train/RUN/trainer``, ``train/RUN``, a commit.
    """

    kind: str
    name: str


class Node(NamedTuple):
    """One node of the graph.

    Parameters
    ----------
    place:
        The identity.
    note:
        A remark of a word or two: a stage, the type of an artifact, the status of a run.
    """

    place: NodeId
    note: str | None = None


class Edge(NamedTuple):
    """An edge from a used thing to the thing made from it.

    Parameters
    ----------
    source, target:
        The used thing, and the thing made from it.
    relation:
        ``input``, ``output``, ``linked``, ``made by``, ``worked on``, ``part of``, ``code``.
    """

    source: NodeId
    target: NodeId
    relation: str


class Provenance:
    """The provenance graph of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._records = ProvenanceRecords(snapshot)
        self._get = self._records.get
        self._stages: dict[str, dict[str, str]] = {}
        self._up: dict[NodeId, tuple[Edge, ...]] = {}

    def node(self, place: NodeId) -> Node:
        """Return a node with its note."""
        record = self._record(place) or {}
        if record is BROKEN:
            return Node(place, "cannot be read")
        if place.kind == VERSION:
            return Node(place, self._state(place.name))
        return Node(place, record.get("type" if place.kind == ARTIFACT else "status"))

    def parents(self, place: NodeId) -> tuple[Edge, ...]:
        """Return the edges to the node from the things that it was made from."""
        if place not in self._up:
            readers = {VERSION: self._of_version, ARTIFACT: self._of_artifact, STEP: self._of_step, RUN: self._of_run}
            reader = readers.get(place.kind)
            self._up[place] = tuple(dict.fromkeys(reader(place))) if reader else ()
        return self._up[place]

    def children(self, place: NodeId) -> Iterable[Edge]:
        """Return the edges from the node to the things that were made from it."""
        return self._down.get(place, {})

    @cached_property
    def _down(self) -> dict[NodeId, dict[Edge, None]]:
        down: dict[NodeId, dict[Edge, None]] = {}
        for place in self._all():
            for edge in self.parents(place):
                down.setdefault(edge.source, {})[edge] = None
        for edge in self._gone():
            down.setdefault(edge.source, {})[edge] = None
        return down

    def _all(self) -> Iterator[NodeId]:
        for kind, indexed in _KINDS.items():
            for name, record in self._records.leading[indexed].items():
                yield NodeId(kind, name)
                yield from (NodeId(STEP, f"{name}/{step}") for step in record.get("steps", ()))
        yield from (NodeId(ARTIFACT, name) for name in self._linked_later)

    def _gone(self) -> Iterator[Edge]:
        """Yield the edges to outputs that were removed, so that no record of their own has the edge."""
        for name, run in self._records.leading["run"].items():
            made = [(NodeId(RUN, name), each, "made by") for each in run.get("versions", ())]
            for step, step_record in run.get("steps", {}).items():
                made += [
                    (NodeId(STEP, f"{name}/{step}"), each, "output") for each in step_record.get("outputs", {}).values()
                ]
            for maker, each, relation in made:
                if (place := self._place(each, ARTIFACT, VERSION)).kind == MISSING:
                    yield Edge(maker, place, relation)
        for artifact, versions in self._linked_later.items():
            if (place := self._place(artifact, ARTIFACT, VERSION)).kind == MISSING:
                yield from (Edge(NodeId(VERSION, version), place, "linked") for version in versions)

    # -- the edges to each kind of node ----------------------------------------------------------------------------

    def _of_version(self, place: NodeId) -> Iterator[Edge]:
        record = self._record(place) or {}
        made_of = record.get("links", ())
        for link in made_of:
            yield Edge(self._place(link, ARTIFACT, VERSION), place, "linked")
        run_fields = record.get("run") or {}
        run_name, step = _run_name(run_fields), run_fields.get("step")
        run = self._get("run", run_name)
        if run_name:
            yield Edge(self._maker(run_name, step), place, "made by")
        for name in _at_work(run, place.name, made_of):
            if name != step:
                yield Edge(NodeId(STEP, f"{run_name}/{name}"), place, "worked on")
        known = _used_in(run, place.name, made_of, step)
        for used in record.get("inputs", ()):
            if used not in known:
                yield Edge(self._place(used, VERSION, ARTIFACT), place, "input")
        for later in (self._get("annotation", place.name) or {}).get("links", ()):
            if self._went_into(later, place.name):
                yield Edge(self._place(later, ARTIFACT, VERSION), place, "linked")
        if not (run and run.get("source")):
            yield from _code(record.get("source"), place)

    def _of_artifact(self, place: NodeId) -> Iterator[Edge]:
        run_fields = (self._record(place) or {}).get("run") or {}
        if run_name := _run_name(run_fields):
            yield Edge(self._maker(run_name, run_fields.get("step")), place, "output")
        for version in self._linked_later.get(place.name, ()):
            if not self._went_into(place.name, version):
                yield Edge(NodeId(VERSION, version), place, "linked")

    def _of_step(self, place: NodeId) -> Iterator[Edge]:
        pipeline, name, step = place.name.split("/", 2)
        run = self._get("run", f"{pipeline}/{name}") or {}
        for used in run.get("steps", {}).get(step, {}).get("inputs", {}).values():
            yield Edge(self._place(used, VERSION, ARTIFACT), place, "input")
        yield Edge(NodeId(RUN, f"{pipeline}/{name}"), place, "part of")

    def _of_run(self, place: NodeId) -> Iterator[Edge]:
        run = self._record(place) or {}
        for used in run.get("inputs", ()):
            yield Edge(self._place(used, VERSION, ARTIFACT), place, "input")
        for version in run.get("versions", ()):
            record = self._get("model_version", version)
            if record is not None and record is not BROKEN and _run_name(record.get("run") or {}) != place.name:
                yield Edge(NodeId(VERSION, version), place, "input")  # another run had made it: this run worked on it
        yield from _code(run.get("source"), place)

    def _maker(self, run_name: str, step: str | None) -> NodeId:
        run = self._get("run", run_name)
        if run is None:
            return NodeId(MISSING, run_name)
        return NodeId(STEP, f"{run_name}/{step}") if step in run.get("steps", {}) else NodeId(RUN, run_name)

    @cached_property
    def _linked_later(self) -> dict[str, list[str]]:
        """The versions that each artifact was linked to after they were sealed, by the artifact's reference."""
        found: dict[str, list[str]] = {}
        for name, record in self._records.leading["annotation"].items():
            for link in record.get("links", ()):
                found.setdefault(link, []).append(name)
        return found

    def _went_into(self, artifact: str, version: str) -> bool:
        """Return whether a later linked artifact was used for the version; else it came from it, as predictions do."""
        record = self._get("model_version", version) or {}
        run = self._get("run", _run_name(record.get("run") or {})) or {}
        steps = run.get("steps", {}).values()
        used = (value for step in steps for part in ("inputs", "outputs") for value in step.get(part, {}).values())
        return artifact in {*record.get("inputs", ()), *run.get("inputs", ()), *used}

    # -- looking up ------------------------------------------------------------------------------------------------

    def _place(self, reference: str, *kinds: str) -> NodeId:
        """Return the node that a record names: of the first kind in which it exists, else of the kind ``missing``."""
        for kind in kinds:
            if self._get(_KINDS[kind], reference) is not None:
                return NodeId(kind, reference)
        return self._by_number(reference, kinds) or NodeId(MISSING, reference)

    def _by_number(self, reference: str, kinds: Iterable[str]) -> NodeId | None:
        """Return the node that a person named by number, or None; gitreg itself writes names."""
        owner, _, name = reference.partition("@")
        number = as_number(name)
        for kind in kinds if number is not None else ():
            if kind == VERSION and (entry := self._snapshot.index.by_number(self._snapshot.seq, owner, number or 0)):
                return NodeId(VERSION, f"{owner}@{entry.name}")
            if kind == ARTIFACT and (artifact := find_artifact(self._snapshot, owner, name)):
                return NodeId(ARTIFACT, artifact.reference)
        return None

    def _record(self, place: NodeId) -> Mapping[str, Any] | None:
        return self._get(_KINDS[place.kind], place.name) if place.kind in _KINDS else None

    def _state(self, reference: str) -> str | None:
        model, _, name = reference.partition("@")
        annotation = self._get("annotation", reference) or {}
        if annotation is BROKEN:
            return "yanked"  # as everywhere: an unreadable annotation counts as yanked
        if model not in self._stages:
            self._stages[model] = {version: stage for stage, version in self._snapshot.stages(model).items()}
        for mark in ("deleted", "yanked"):
            if annotation.get(mark):
                return mark
        return self._stages[model].get(name) or (ARCHIVED if annotation.get("archived") else None)


def _at_work(run: Mapping[str, Any] | None, version: str, made_of: Iterable[str]) -> Iterator[str]:
    """Yield the steps that worked on a version and have no other edge to it: none of their outputs is in it."""
    for name, step in (run or {}).get("steps", {}).items():
        if step.get("version") == version and not set(made_of) & set(step.get("outputs", {}).values()):
            yield name


def _used_in(run: Mapping[str, Any] | None, version: str, made_of: Iterable[str], maker: str | None) -> set[str]:
    """Return the inputs of the run and of the steps that led to a version; the graph shows them at those steps."""
    steps = (run or {}).get("steps", {})
    makers = {output: name for name, step in steps.items() for output in step.get("outputs", {}).values()}
    waiting = [name for name, step in steps.items() if step.get("version") == version or name == maker]
    waiting += [makers[each] for each in made_of if each in makers]
    used, seen = set((run or {}).get("inputs", ())), set(waiting)
    while waiting:
        for each in steps[waiting.pop()].get("inputs", {}).values():
            used.add(each)
            before = makers.get(each)
            if before is not None and before not in seen:
                seen.add(before)
                waiting.append(before)
    return used


def _run_name(run: Mapping[str, Any]) -> str:
    return "/".join(str(run[part]) for part in ("pipeline", "run") if run.get(part))


def _code(source: Mapping[str, Any] | None, place: NodeId) -> Iterator[Edge]:
    if source and source.get("commit"):
        name = f"{source['repository']}@" if source.get("repository") else ""
        dirty = ", changed since" if source.get("dirty") else ""
        yield Edge(NodeId(CODE, f"{name}{str(source['commit'])[:12]}{dirty}"), place, "code")
