"""The rules of files at one commit: doctor applies them to all files, a merge to those that it changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from gitreg.documents.layout import Key
from gitreg.documents.validation import check_annotation
from gitreg.errors import InvalidDocument, InvalidInput
from gitreg.names import check_version, fold
from gitreg.registry.promotion.enforce import NO_STAGES, policies
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.snapshot import Snapshot

Rule = Callable[[Snapshot, IndexEntry], Iterator[Problem]]

BY_HAND = "mend the file by hand, and commit it"


# -- one file --------------------------------------------------------------------------------------------------------


def unreadable(entry: IndexEntry) -> Iterator[Problem]:
    """Yield a problem for a file that cannot be read."""
    if entry.problem is not None:
        where = path_of(entry)
        yield Problem(where, entry.problem.removeprefix(f"{where}: ").removeprefix(f"{where} "), BY_HAND)


def foreign_file(where: str) -> Problem:
    """Return the problem of a file in one of the registry's folders that does not belong there."""
    problem = "is no file of the registry, or its name is not spelled as gitreg spells it"
    return Problem(where, problem, "move it elsewhere, or see schemas/README.md for how names are spelled")


def link(where: str) -> Problem:
    """Return the problem of a symbolic link or a submodule in one of the registry's folders."""
    problem = "is a symbolic link or a submodule, which no registry reads"
    return Problem(where, problem, "remove it, or put the file itself there")


def _number(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    """Yield a problem for a number that is not the name's, or that another version of the model has."""
    if entry.data is None:
        return
    model, number = entry.model, entry.data["number"]
    twin = snapshot.index.by_number(snapshot.seq, model, number)
    if twin is not None and twin.name != entry.name:
        problem = f"has the number {number}, which {model}@{twin.name} has already"
        remedy = "renumber it before it is tagged, or save it again: the next number is"
        yield Problem(path_of(entry), problem, f"{remedy} {snapshot.highest_number(model) + 1}")
    if entry.name.isdecimal() and entry.name != str(number):
        problem = f"is named {entry.name} but has the number {number}"
        yield Problem(path_of(entry), problem, "name and number must agree")


def _version_name(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    if not entry.name.isdecimal() and (problem := _misread(snapshot, entry)):
        yield Problem(path_of(entry), problem, "save it under another name; `gitreg delete` hides this one")


def _misread(snapshot: Snapshot, version: IndexEntry) -> str | None:
    """Return the problem of a version whose name is read as something else; None if it is not."""
    if _is_like_a_stage(snapshot, version):
        return "is a version that is called like a stage; only its number means it"
    try:
        check_version(version.name, aliases=tuple(snapshot.aliases(version.model)))
    except InvalidInput as error:
        return f"is misnamed: {error.message}"
    return None


def _its_version(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    """Yield a problem for an annotation or an approval of a version that does not exist."""
    version = entry.name.partition("/")[0] if entry.kind == "approval" else entry.name
    if entry.model and snapshot.index.get(snapshot.seq, "model_version", entry.model, version) is None:
        problem = f"is about {entry.model}@{version}, which is not there"
        yield Problem(path_of(entry), problem, "remove the file, or restore the record")


def sealed_names(
    snapshot: Snapshot, entry: IndexEntry, before: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[Problem]:
    """Yield a problem for each artifact of a sealed record that its annotation names, too.

    Parameters
    ----------
    before:
        The annotation before a change; entries that it has already are left out.
    """
    record = snapshot.index.get(snapshot.seq, "model_version", entry.model, entry.name)
    for found in check_annotation(Key(*entry[:3]), entry.data or {}, (record and record.data) or {}, before):
        remedy = "take it out, for readers ignore it; save the artifact under another name and link that"
        yield Problem(path_of(entry), str(found), remedy)


def _stage_name(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    if entry.name not in (known := snapshot.settings.stages):
        problem = f"is no stage that gitreg.yaml declares ({', '.join(known)})"
        yield Problem(path_of(entry), problem, "`gitreg config set stages` declares it; or remove the file")


def _alias_name(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    if _is_like_a_stage(snapshot, entry):
        problem = "is an alias that is called like a stage; it is not followed"
        remedy = f"`gitreg alias delete {entry.model} {entry.name}`, and choose another name"
        yield Problem(path_of(entry), problem, remedy)


def _is_like_a_stage(snapshot: Snapshot, entry: IndexEntry) -> bool:
    return fold(entry.name) in map(fold, snapshot.settings.stages)


def _pointed_version(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    """Yield a problem for a pointer to a version that is missing or deleted, or whose record is another."""
    if entry.data is None:
        return
    target, digest = entry.data["version"], entry.data.get("digest")
    record = snapshot.index.get(snapshot.seq, "model_version", entry.model, target)
    note = snapshot.index.get(snapshot.seq, "annotation", entry.model, target)
    if record is None:
        problem = f"points to version {target!r}, which is not there"
    elif note is not None and (note.data or {}).get("deleted"):
        problem = f"points to version {target!r}, which was deleted"
    elif digest not in (None, f"sha256:{record.digest}"):
        pointed, is_now = digest.removeprefix("sha256:")[:12], record.digest[:12]
        problem = f"says the digest {pointed}..., but the record of {entry.model}@{target} has {is_now}..."
    else:
        return
    verb = "promote" if entry.kind == "stage" else "alias set"
    remedy = f"point it elsewhere (`gitreg {verb} {entry.model}@N {entry.name}`), or remove the file"
    yield Problem(path_of(entry), problem, remedy)


def _one_stage(snapshot: Snapshot, entry: IndexEntry) -> Iterator[Problem]:
    """Yield a problem for a stage whose version holds another stage, too, the first by name."""
    if entry.data is None:
        return
    version = entry.data["version"]
    for other in snapshot.index.scan(snapshot.seq, "stage", entry.model):
        if other.name < entry.name and other.data is not None and other.data["version"] == version:
            problem = f"is held by {entry.model}@{version}, and so is {other.name}; a version holds one stage"
            yield Problem(path_of(entry), problem, f"remove {path_of(other)}, or this one")
            return


NAME_RULES: tuple[tuple[str, Rule], ...] = (
    ("model_version", _version_name),
    ("stage", _stage_name),
    ("alias", _alias_name),
)
"""The rules, by kind of file, that depend on the stages that the settings declare."""

RULES: tuple[tuple[str, Rule], ...] = (
    ("model_version", _number),
    *NAME_RULES,
    ("annotation", _its_version),
    ("approval", _its_version),
    ("stage", _pointed_version),
    ("stage", _one_stage),
    ("alias", _pointed_version),
)
"""All rules, by kind of file."""


def problems_of_file(
    snapshot: Snapshot, entry: IndexEntry, rules: Iterable[tuple[str, Rule]] = RULES
) -> Iterator[Problem]:
    """Yield the problems of a file by the rules for its kind."""
    for kind, rule in rules:
        if kind == entry.kind:
            yield from rule(snapshot, entry)


# -- the settings and the models -------------------------------------------------------------------------------------


def stage_names(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem for each stage that is called like a policy that is of no stage."""
    for name in NO_STAGES:
        if name in snapshot.settings.stages:
            problem = f"at /stages: no stage may be called {name}: a policy of another kind is, and none guards it"
            yield Problem(Key("registry").path, problem, "give the stage another name, and move its files")


def unreadable_policies(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem for policies that are not understood."""
    try:
        policies(snapshot)
    except InvalidDocument as error:
        yield Problem(error.where, f"at {error.pointer}: {error.reason}", error.hint or BY_HAND)


def problems_of_model(snapshot: Snapshot, model: str) -> Iterator[Problem]:
    """Yield the problems of a model's own file, its stages and its aliases."""
    if snapshot.index.get(snapshot.seq, "model", model, "") is None and snapshot.versions(model):
        problem = f"is missing, though {model} has versions"
        yield Problem(
            Key("model", model).path, problem, f"restore it, or register it: `gitreg model register {model!r}`"
        )
    for kind in ("stage", "alias"):
        for entry in snapshot.index.scan(snapshot.seq, kind, model):
            yield from problems_of_file(snapshot, entry)
    yield from same_in_case(list(snapshot.aliases(model)), lambda name: Key("alias", model, name).path)


def same_in_case(
    names: Collection[str], path: Callable[[str], str], new: Collection[str] | None = None
) -> Iterator[Problem]:
    """Yield a problem for each name that differs from one before it only in case; new names come last."""
    seen: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name in (new or ()), name)):
        twin = seen.setdefault(fold(name), name)
        if twin != name:
            problem = f"differs from {path(twin)} only in case: on macOS and Windows they are one file"
            yield Problem(path(name), problem, "choose another name for it")


def path_of(entry: IndexEntry) -> str:
    """Return the path of a file inside the registry."""
    return Key(entry.kind, entry.model, entry.name).path
