"""The checks of files on the branch: each by itself, and the references between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from gitreg.documents.layout import FOLDERS, Key, model_folder, parse_path
from gitreg.documents.validation import check_annotation
from gitreg.documents.yaml import pointer
from gitreg.errors import InvalidDocument
from gitreg.names import fold
from gitreg.policy.evaluate import is_for
from gitreg.policy.parse import each_policy
from gitreg.registry.promotion.enforce import NO_STAGES, policies
from gitreg.registry.rules.merge_rules import LINK, misread
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.seals import readings
from gitreg.registry.state.snapshot import Snapshot


def problems_of_files(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield the problems of files: unreadable or foreign ones, edited records, pointers to missing versions."""
    for check in (_files, _models, _versions, _pointers):
        yield from check(branch, snapshot)


def _files(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    for entry in snapshot.index.problems(snapshot.seq):
        where = _path(entry)
        yield Problem(where, (entry.problem or "").removeprefix(f"{where}: "), "mend the file by hand and commit it")
    for shift in snapshot.fixed_field_changes:
        yield Problem(Key("registry").path, snapshot.describe_change(shift), snapshot.undo_change(shift))
    if snapshot.settings.id is None and not snapshot.unreadable(""):
        yield Problem(
            Key("registry").path,
            "has no id: copies of this registry cannot be told from others",
            "`gitreg doctor --repair` draws one and commits it, on the remote first",
            "id",
        )
    for name in set(NO_STAGES) & set(snapshot.settings.stages):
        yield Problem(
            Key("registry").path,
            f"at /stages: a stage is called {name}, as a policy of another kind is; no policy guards it",
            "give the stage another name, and move its files",
        )
    try:
        policies(snapshot)
    except InvalidDocument as error:
        yield Problem(error.where, f"at {error.pointer}: {error.reason}", error.hint or "mend it by hand")
    else:
        yield from _globs_without_a_model(snapshot)
    prefix = f"{branch.root}/" if branch.root else ""
    for folder in FOLDERS:
        for path, _ in branch.repository.walk(snapshot.commit, f"{prefix}{folder}"):
            if parse_path(path.removeprefix(prefix)) is None:
                yield Problem(
                    path,
                    "is no file of the registry, or its name is not spelled as gitreg spells it",
                    f"move it out of {folder}/, or see schemas/README.md for how names are spelled",
                )
        for path in branch.repository.links(snapshot.commit, f"{prefix}{folder}"):
            yield Problem(path, LINK, "remove it, or put the file itself there")


def _globs_without_a_model(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem for each glob of a policy that fits no model: misspelled, it guards nothing."""
    names = snapshot.names_in_use()
    for stage, data in snapshot.settings.policies.items() if names else ():
        for at, policy in each_policy(stage, data):
            for number, glob in enumerate(policy.get("models", ())):
                if not any(is_for([glob], name) for name in names):
                    yield Problem(
                        Key("registry").path,
                        f"at {pointer([*at, 'models', number])}: {glob!r} fits no model",
                        "correct it, or take it out, unless the model is still to come",
                    )


def _models(_: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    names = snapshot.model_names()
    parts = [name.split("/") for name in snapshot.names_in_use()]
    folders = sorted({"/".join(each[:length]) for each in parts for length in range(1, len(each) + 1)})
    yield from _twins(folders, model_folder)
    registered = set(names)
    holders = {e.model for kind in ("model_version", "stage", "alias") for e in snapshot.index.scan(snapshot.seq, kind)}
    for name in sorted(holders - registered):
        if snapshot.versions(name):
            yield Problem(
                Key("model", name).path,
                f"is missing, though {name} has versions",
                f"register it: `gitreg model register {name!r}`",
            )


def _versions(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    root = f"{branch.root}/" if branch.root else ""
    by_number: dict[tuple[str, int], list[str]] = defaultdict(list)
    names: dict[str, list[str]] = defaultdict(list)
    stages = set(map(fold, snapshot.settings.stages))
    for entry in snapshot.index.scan(snapshot.seq, "model_version"):
        names[entry.model].append(entry.name)
        if entry.data is None:
            continue
        number = entry.data["number"]
        by_number[entry.model, number].append(entry.name)
        if entry.name.isdecimal() and entry.name != str(number):
            yield Problem(
                _path(entry), f"is named {entry.name} but has the number {number}", "name and number must agree"
            )
        misnomer = "is a version that is called like a stage" if fold(entry.name) in stages else misread(entry)
        if misnomer:
            yield Problem(
                _path(entry),
                f"{misnomer}; only its number means it",
                f"`gitreg model version delete {entry.model}@{number}`, and save it under another name",
            )
        contents = readings(snapshot, entry)
        if contents[-1].digest != entry.digest:
            first, now = (snapshot.index.moment(at.since).oid[:12] for at in (contents[-1], contents[0]))
            yield Problem(
                _path(entry),
                f"is a sealed record and was edited in {now}",
                f"`git checkout {first} -- {root}{_path(entry)}` and commit; say what is new with `gitreg annotate`",
            )
    for (model, number), same in sorted(by_number.items()):
        if len(same) > 1:
            yield Problem(
                Key("model_version", model, same[-1]).path,
                f"number {number} of {model} is given {len(same)} times: {', '.join(same)}",
                "renumber the newer one before it is tagged",
            )
    for model, versions in sorted(names.items()):
        yield from _twins(versions, lambda name, model=model: Key("model_version", model, name).path)  # type: ignore[misc]
    present = {(model, name) for model, versions in names.items() for name in versions}
    for entry in snapshot.index.scan(snapshot.seq, "annotation"):
        if (entry.model, entry.name) not in present:
            yield Problem(
                _path(entry), "annotates a version that is not there", "remove the file, or restore the record"
            )
        elif entry.data and (entry.data.get("artifacts") or entry.data.get("links")):
            record = snapshot.index.get(snapshot.seq, "model_version", entry.model, entry.name)
            for found in check_annotation(Key(*entry[:3]), entry.data, (record and record.data) or {}):
                yield Problem(_path(entry), str(found), "take it out by hand and commit that; readers ignore it")
    yield from _removed(snapshot, present)


def _removed(snapshot: Snapshot, present: set[tuple[str, str]]) -> Iterator[Problem]:
    for entry in snapshot.index.removed(snapshot.seq, "model_version"):
        if (entry.model, entry.name) not in present:
            assert entry.until is not None
            commit = snapshot.index.moment(entry.until).oid
            yield Problem(
                _path(entry),
                f"is a sealed record and was removed in {commit[:12]}",
                f"`git revert {commit[:12]}`; hide a version with `gitreg model version delete`",
            )


def _twins(names: list[str], path: Callable[[str], str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(fold(name), name)
        if twin != name:
            yield Problem(
                path(name),
                f"differs from {path(twin)} only in case",
                "rename one: on macOS and Windows they are one file",
            )


def _pointers(_: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    known = snapshot.settings.stages
    stages_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind in ("stage", "alias"):
        for entry in snapshot.index.scan(snapshot.seq, kind):
            if entry.data is None:
                continue
            target = entry.data["version"]
            record = snapshot.index.get(snapshot.seq, "model_version", entry.model, target)
            digest = f"sha256:{record.digest}" if record else None
            verb = "promote" if kind == "stage" else "alias set"
            again = f"point it elsewhere: `gitreg {verb} {entry.model}@N {entry.name}`"
            if kind == "stage" and entry.name not in known:
                yield Problem(
                    _path(entry),
                    f"is no stage that gitreg.yaml declares ({', '.join(known)})",
                    "declare it, or remove the file",
                )
            is_stage = kind == "alias" and fold(entry.name) in map(fold, known)
            if (
                misnomer := "is an alias that is called like a stage; it is not followed"
                if is_stage
                else misread(entry)
            ):
                yield Problem(
                    _path(entry), misnomer, f"`gitreg alias delete {entry.model} {entry.name}`, and choose another name"
                )
            if record is None:
                yield Problem(_path(entry), f"points to version {target!r}, which is not there", again)
                continue
            note = snapshot.index.get(snapshot.seq, "annotation", entry.model, target)
            if note and note.data and note.data.get("deleted"):
                yield Problem(_path(entry), f"points to version {target!r}, which was deleted", again)
            if entry.data.get("digest") not in (None, digest):
                yield Problem(
                    _path(entry),
                    f"says the digest {entry.data['digest'][:19]}..., but the record of {entry.model}@{target} is "
                    f"{(digest or '')[:19]}...",
                    again,
                )
            if kind == "stage":
                stages_of[entry.model, target].append(entry.name)
    for model in snapshot.names_in_use():
        yield from _twins(list(snapshot.aliases(model)), lambda name, model=model: Key("alias", model, name).path)  # type: ignore[misc]
    for (model, target), stages in sorted(stages_of.items()):
        if len(stages) > 1:
            yield Problem(
                f"{model}@{target}",
                f"holds {len(stages)} stages: {', '.join(stages)}",
                "a version holds one: remove the other files",
            )


def _path(entry: IndexEntry) -> str:
    return Key(entry.kind, entry.model, entry.name).path
