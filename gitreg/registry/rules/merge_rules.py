"""The rules that no approval can override: sealed records stay, pointers have targets, numbers are unique.

Only the files that a merge changes are checked, and the files that depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

from gitreg.documents.layout import FOLDERS, Key, model_folder
from gitreg.documents.types import ArtifactDocument, VersionDocument
from gitreg.documents.validation import check_annotation
from gitreg.errors import GitregError, InvalidDocument, InvalidInput, NotFound
from gitreg.names import check_alias, check_version, fold
from gitreg.registry.promotion.enforce import NO_STAGES, policies
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.manifests import listed_manifest
from gitreg.registry.state.merge_preview import SEALED, Change, Merge
from gitreg.registry.state.registry_refs import tag_ref
from gitreg.registry.state.runs_and_artifacts import find_artifact
from gitreg.registry.state.seals import same_record
from gitreg.registry.state.snapshot import Snapshot

_OF_NO_MODEL = ("registry", "artifact", "run")
_INSIDE_THEM = tuple(f"{folder}/" for folder in FOLDERS)
LINK = "is a symbolic link or a submodule, which no registry reads"


def problems(branch: RegistryBranch, merge: Merge) -> Iterator[Problem]:
    """Yield the problems that a merge causes; problems that exist before it and stay are left out."""
    if (missing := _no_registry(merge.head)) is not None:
        yield missing
        return
    for path in merge.conflicts:
        yield Problem(
            _inside(branch, path),
            "was changed on the target branch, too, and in another way",
            "merge or rebase onto the target branch, and check again",
        )
    target = merge.base.commit if merge.base else None
    for path in branch.repository.new_links(target, merge.head.commit, branch.root):
        if (where := _inside(branch, path)) in FOLDERS or where.startswith(_INSIDE_THEM):
            yield Problem(where, LINK, "put the file itself there")
    for change in merge.changes:
        yield from _file(branch, merge, change)
    if any(change.key == Key("registry") for change in merge.changes):
        yield from _fixed(merge)
        yield from _settings(merge)
    models = {change.key.model for change in merge.changes if change.key and change.key.kind not in _OF_NO_MODEL} - {""}
    known = set(merge.base.names_in_use()) if merge.base else set()
    new = models - known
    if new:
        yield from _case(merge.head.names_in_use(), new, model_folder)
    yield from _versions_case(merge)
    for model in sorted(models):
        before = set(_model(merge.base, model)) if model in known and merge.base else set()
        yield from (problem for problem in _model(merge.head, model) if problem not in before)


# -- one file --------------------------------------------------------------------------------------------------------


def _file(branch: RegistryBranch, merge: Merge, change: Change) -> Iterator[Problem]:
    where = _inside(branch, change.path)
    key = change.key
    if key is None:
        if change.new is not None and where.startswith(_INSIDE_THEM):
            yield Problem(
                where,
                "is no file of the registry, or its name is not spelled as gitreg spells it",
                "move it elsewhere, or see schemas/README.md for how names are spelled",
            )
        return
    entry = merge.head.index.get(merge.head.seq, *key) if change.new is not None else None
    if entry is not None and entry.problem is not None:
        yield Problem(where, entry.problem.removeprefix(f"{key.path}: ").removeprefix(f"{key.path} "), _BY_HAND)
    if key.kind in SEALED:
        yield from _sealed(branch, merge, change, key, entry)
    elif entry is not None and key.kind in ("annotation", "approval") and key.model:
        version = key.name.partition("/")[0] if key.kind == "approval" else key.name
        record = merge.head.index.get(merge.head.seq, "model_version", key.model, version)
        if record is None:
            yield Problem(where, f"is about {key.model}@{version}, which is not there", "remove the file")
        elif key.kind == "annotation":
            yield from _annotation(merge, key, entry, record)


def _annotation(merge: Merge, key: Key, entry: IndexEntry, record: IndexEntry) -> Iterator[Problem]:
    before = merge.base.index.get(merge.base.seq, *key) if merge.base else None
    for found in check_annotation(key, entry.data or {}, record.data or {}, (before and before.data) or {}):
        yield Problem(key.path, str(found), "take it out; save the artifact under another name and link that")


def _sealed(
    branch: RegistryBranch, merge: Merge, change: Change, key: Key, entry: IndexEntry | None
) -> Iterator[Problem]:
    contents = merge.base.index.history(merge.base.seq, *key) if merge.base else []
    sealed = [past.digest for past in contents if past.text is not None]
    if sealed:
        if entry is None:
            yield Problem(key.path, "is a sealed record and is removed", _HIDE)
        elif entry.digest != sealed[-1]:
            yield Problem(key.path, "is a sealed record and is edited", _ANNOTATE)
        return
    within = merge.head.index.history(merge.head.seq, *key)
    rewritten = merge.base is None and len({past.digest for past in within if past.text is not None}) > 1
    if change.first != change.new or rewritten:
        problem = "is edited" if entry is not None else "is removed again"
        yield Problem(
            key.path, f"{problem} by a later commit of the same proposal", "make one commit of them (`git rebase -i`)"
        )
    if entry is not None and entry.data is not None:
        yield from _digests(key, entry.data)
        if key.kind == "model_version":
            yield from _record(branch, merge.head, key, entry, entry.data)


def _record(
    branch: RegistryBranch, head: Snapshot, key: Key, entry: IndexEntry, data: dict[str, Any]
) -> Iterator[Problem]:
    model, name, number = key.model, key.name, data["number"]
    twin = head.index.by_number(head.seq, model, number)
    if twin is not None and twin.name != name:
        yield Problem(
            key.path,
            f"has the number {number}, which {model}@{twin.name} has already",
            f"save it again: the next number is {head.highest_number(model) + 1}",
        )
    if name.isdecimal() and name != str(number):
        yield Problem(key.path, f"is named {name} but has the number {number}", "name and number must agree")
    elif name != str(number):
        try:
            check_version(name, stages=head.settings.stages, aliases=tuple(head.aliases(model)))
        except InvalidInput as error:
            yield Problem(key.path, error.message, "save it under another name")
    for reference in data.get("inputs", ()):
        if not _is_there(head, reference):
            yield Problem(key.path, f"was made from {reference}, which is not there", "merge that first, or save again")
    for reference in data.get("links", ()):
        if head.index.get(head.seq, "artifact", *reference.rpartition("@")[::2]) is None:
            yield Problem(key.path, f"links {reference}, which is not there", "merge that first, or save again")
    ref = tag_ref(head.settings, model, name)
    oid = branch.repository.read_ref(ref)
    commit = branch.repository.peel(oid) if oid else None
    if commit is not None and not same_record(branch, commit, entry):
        yield Problem(
            key.path,
            f"has a name that is taken: the tag {ref.removeprefix('refs/tags/')} seals another record",
            "save it under another name; `gitreg doctor` says what the tag is",
        )


def _digests(key: Key, data: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each artifact of a record whose digest is not that of its listed files."""
    if key.kind == "run":
        return
    document = (ArtifactDocument if key.kind == "artifact" else VersionDocument).from_data(data)
    for name, artifact in document.artifacts.items():
        try:
            listed_manifest(artifact)
        except GitregError as error:
            yield Problem(key.path, f"at {name}: {error.message}", "save it again; a digest is no field to write")


def _is_there(snapshot: Snapshot, reference: str) -> bool:
    model, _, version = reference.rpartition("@")
    if snapshot.find_version(model, version, deleted=True) is not None:
        return True
    return find_artifact(snapshot, model, version) is not None


# -- rules across files ----------------------------------------------------------------------------------------------


def _no_registry(head: Snapshot) -> Problem | None:
    """Return the problem of settings that were never readable; None if they can be read."""
    try:
        head.settings  # noqa: B018 - for its exceptions
    except NotFound:
        return Problem("gitreg.yaml", "is not there: there would be no registry", "leave it where it is")
    except InvalidDocument as error:
        return Problem("gitreg.yaml", error.message.removeprefix("gitreg.yaml "), error.hint or _BY_HAND)
    return None


def _fixed(merge: Merge) -> Iterator[Problem]:
    """Yield a problem for each fixed field of the settings that the merge changes."""
    before = {(shift.field, shift.now) for shift in merge.base.fixed_field_changes} if merge.base else set()
    for shift in merge.head.fixed_field_changes:
        if (shift.field, shift.now) not in before:
            problem = f"at /{shift.field}: cannot change once there are versions ({shift.was})"
            yield Problem("gitreg.yaml", problem, f"leave it as it was: `{shift.field}: {shift.was}`")


def _settings(merge: Merge) -> Iterator[Problem]:
    head = merge.head
    before = () if merge.base is None or _no_registry(merge.base) else merge.base.settings.stages
    for name in NO_STAGES:
        if name in head.settings.stages and name not in before:
            yield Problem("gitreg.yaml", f"at /stages: no stage may be called {name}", "choose another name")
    try:
        policies(head)
    except InvalidDocument as error:
        yield Problem(error.where, f"at {error.pointer}: {error.reason}", error.hint or _BY_HAND)
    for kind in ("stage", "alias", *(("model_version",) if set(head.settings.stages) - set(before) else ())):
        for entry in head.index.scan(head.seq, kind):
            if problem := _misnamed(head, entry):
                yield Problem(
                    Key(*entry[:3]).path,
                    problem,
                    "`gitreg config set stages` declares others; or remove the file",
                )


def _model(head: Snapshot, model: str) -> Iterator[Problem]:
    if head.index.get(head.seq, "model", model, "") is None and head.versions(model):
        yield Problem(Key("model", model).path, f"is missing, though {model} has versions", "leave it where it is")
    stage_of: dict[str, str] = {}
    for kind in ("stage", "alias"):
        for entry in head.index.scan(head.seq, kind, model):
            if problem := _misnamed(head, entry) or misread(entry) or _pointer_problem(head, entry):
                yield Problem(Key(*entry[:3]).path, problem, "let it point to a version that is there, or remove it")
            if kind == "stage" and entry.data is not None:
                other = stage_of.setdefault(entry.data["version"], entry.name)
                if other != entry.name:
                    yield Problem(
                        Key(*entry[:3]).path,
                        f"is held by {model}@{entry.data['version']}, and so is {other}; a version holds one stage",
                        f"remove {Key('stage', model, other).path}, or this one",
                    )
    aliases = list(head.aliases(model))
    yield from _case(aliases, set(aliases), lambda each: Key("alias", model, each).path)


def _misnamed(head: Snapshot, entry: IndexEntry) -> str | None:
    known = head.settings.stages
    if entry.kind == "stage":
        return None if entry.name in known else f"is no stage that gitreg.yaml declares ({', '.join(known)})"
    kind = "an alias" if entry.kind == "alias" else "a version"
    if fold(entry.name) in map(fold, known):
        return f"is {kind} that is called like a stage ({', '.join(known)})"
    return None


def misread(entry: IndexEntry) -> str | None:
    """Return the problem of an alias or version whose name would be read as something else; None if it is fine."""
    try:
        if entry.kind == "alias":
            check_alias(entry.name)
        elif entry.kind == "model_version" and not entry.name.isdecimal():
            check_version(entry.name)
    except InvalidInput as error:
        return f"is misnamed: {error.message}"
    return None


def _pointer_problem(head: Snapshot, entry: IndexEntry) -> str | None:
    if entry.data is None:
        return None
    target, digest = entry.data["version"], entry.data.get("digest")
    record = head.index.get(head.seq, "model_version", entry.model, target)
    if record is None:
        return f"points to version {target!r}, which is not there"
    note = head.index.get(head.seq, "annotation", entry.model, target)
    if note is not None and (note.data or {}).get("deleted"):
        return f"points to version {target!r}, which was deleted"
    if digest not in (None, f"sha256:{record.digest}"):
        pointed, is_now = digest.removeprefix("sha256:")[:12], record.digest[:12]
        return f"says the digest {pointed}..., but the record of {entry.model}@{target} has {is_now}..."
    return None


def _versions_case(merge: Merge) -> Iterator[Problem]:
    """Yield a problem for each new record whose name differs from another of its model in case only."""
    brought = [change.key for change in merge.changes if change.key and change.new is not None]
    names: dict[str, set[str]] = {}
    for key in brought:
        if key.kind == "model_version":
            names.setdefault(key.model, set()).add(key.name)
    for model, new in sorted(names.items()):
        yield from _case(merge.head.names_taken(model), new, partial(_record_path, model))


def _record_path(model: str, name: str) -> str:
    return Key("model_version", model, name).path


def _case(names: Collection[str], new: Collection[str], path: Callable[[str], str]) -> Iterator[Problem]:
    """Yield a problem for each new name that differs from another in case only."""
    seen: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name in new):
        twin = seen.setdefault(fold(name), name)
        if twin != name:
            yield Problem(
                path(name),
                f"differs from {path(twin)} only in case: on macOS and Windows they are one file",
                "choose another name",
            )


def _inside(branch: RegistryBranch, path: str) -> str:
    return path[len(branch.root) + 1 :] if branch.root else path


_BY_HAND = "mend the file by hand"
_HIDE = "leave it where it is; hide a version with `gitreg model version delete`"
_ANNOTATE = "leave it as it was; say what is new with `gitreg annotate`"
