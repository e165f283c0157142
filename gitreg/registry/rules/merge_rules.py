"""The rules that no approval can override: sealed records stay, pointers have targets, numbers are unique.

Only the files that a merge changes are checked, and the files that depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from gitreg.documents.layout import FOLDERS, Key, model_folder
from gitreg.documents.types import ArtifactDocument, VersionDocument
from gitreg.errors import GitregError, InvalidDocument, NotFound
from gitreg.registry.rules import file_rules
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
            yield file_rules.link(where)
    for change in merge.changes:
        yield from _file(branch, merge, change)
    if any(change.key == Key("registry") for change in merge.changes):
        yield from _fixed(merge)
        yield from _settings(merge)
    base = _registry_before(merge)
    models = {change.key.model for change in merge.changes if change.key and change.key.kind not in _OF_NO_MODEL} - {""}
    known = set(merge.base.names_in_use()) if merge.base else set()
    new = models - known
    if new:
        yield from file_rules.same_in_case(merge.head.names_in_use(), model_folder, new)
    yield from _versions_case(merge)
    for model in sorted(models):
        before = set(file_rules.problems_of_model(base, model)) if base else set()
        yield from (problem for problem in file_rules.problems_of_model(merge.head, model) if problem not in before)


# -- one file --------------------------------------------------------------------------------------------------------


def _file(branch: RegistryBranch, merge: Merge, change: Change) -> Iterator[Problem]:
    where = _inside(branch, change.path)
    key = change.key
    if key is None:
        if change.new is not None and where.startswith(_INSIDE_THEM):
            yield file_rules.foreign_file(where)
        return
    entry = merge.head.index.get(merge.head.seq, *key) if change.new is not None else None
    if entry is not None:
        yield from file_rules.unreadable(entry)
    if key.kind in SEALED:
        yield from _sealed(branch, merge, change, key, entry)
    elif entry is not None and key.kind in ("annotation", "approval"):
        yield from file_rules.problems_of_file(merge.head, entry)
        if key.kind == "annotation":
            before = merge.base.index.get(merge.base.seq, *key) if merge.base else None
            yield from file_rules.sealed_names(merge.head, entry, (before and before.data) or {})


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
    yield from file_rules.problems_of_file(head, entry)
    for reference in data.get("inputs", ()):
        if not _is_there(head, reference):
            yield Problem(key.path, f"was made from {reference}, which is not there", "merge that first, or save again")
    for reference in data.get("links", ()):
        if head.index.get(head.seq, "artifact", *reference.rpartition("@")[::2]) is None:
            yield Problem(key.path, f"links {reference}, which is not there", "merge that first, or save again")
    ref = tag_ref(head.settings, key.model, key.name)
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
        return Problem("gitreg.yaml", error.message.removeprefix("gitreg.yaml "), error.hint or file_rules.BY_HAND)
    return None


def _registry_before(merge: Merge) -> Snapshot | None:
    """Return the registry before the merge; None if there was none."""
    return merge.base if merge.base is not None and _no_registry(merge.base) is None else None


def _fixed(merge: Merge) -> Iterator[Problem]:
    """Yield a problem for each fixed field of the settings that the merge changes."""
    before = {(shift.field, shift.now) for shift in merge.base.fixed_field_changes} if merge.base else set()
    for shift in merge.head.fixed_field_changes:
        if (shift.field, shift.now) not in before:
            problem = f"at /{shift.field}: cannot change once there are versions ({shift.was})"
            yield Problem("gitreg.yaml", problem, f"leave it as it was: `{shift.field}: {shift.was}`")


def _settings(merge: Merge) -> Iterator[Problem]:
    head, base = merge.head, _registry_before(merge)
    before = set(file_rules.stage_names(base)) if base else set()
    yield from (problem for problem in file_rules.stage_names(head) if problem not in before)
    yield from file_rules.unreadable_policies(head)
    new = set(head.settings.stages) - set(base.settings.stages if base else ())
    for kind in ("stage", "alias", *(("model_version",) if new else ())):
        for entry in head.index.scan(head.seq, kind):
            yield from file_rules.problems_of_file(head, entry, file_rules.NAME_RULES)


def _versions_case(merge: Merge) -> Iterator[Problem]:
    """Yield a problem for each new record whose name differs from another of its model in case only."""
    brought = [change.key for change in merge.changes if change.key and change.new is not None]
    names: dict[str, set[str]] = {}
    for key in brought:
        if key.kind == "model_version":
            names.setdefault(key.model, set()).add(key.name)
    for model, new in sorted(names.items()):
        yield from file_rules.same_in_case(merge.head.names_taken(model), partial(_record_path, model), new)


def _record_path(model: str, name: str) -> str:
    return Key("model_version", model, name).path


def _inside(branch: RegistryBranch, path: str) -> str:
    return path[len(branch.root) + 1 :] if branch.root else path


_HIDE = "leave it where it is; hide a version with `gitreg delete`"
_ANNOTATE = "leave it as it was; say what is new with `gitreg annotate`"
