"""The checks of the files on the branch: by the rules that a merge keeps, and the edits of sealed records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain

from gitreg.documents.layout import FOLDERS, Key, model_folder, parse_path
from gitreg.documents.yaml import pointer
from gitreg.policy.evaluate import is_for
from gitreg.policy.parse import each_policy
from gitreg.progress import counting
from gitreg.registry.rules import file_rules
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.seals import readings
from gitreg.registry.state.snapshot import Snapshot


def problems_of_files(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield the problems of files: unreadable or foreign ones, edited records, pointers to missing versions."""
    yield from chain.from_iterable(map(file_rules.unreadable, snapshot.index.problems(snapshot.seq)))
    yield from _settings(snapshot)
    yield from _foreign(branch, snapshot)
    yield from _models(snapshot)
    yield from _records(branch, snapshot)
    for kind in ("annotation", "approval"):
        for entry in snapshot.index.scan(snapshot.seq, kind):
            yield from file_rules.problems_of_file(snapshot, entry)
            if kind == "annotation":
                yield from file_rules.sealed_names(snapshot, entry)


def _settings(snapshot: Snapshot) -> Iterator[Problem]:
    for shift in snapshot.fixed_field_changes:
        yield Problem(Key("registry").path, snapshot.describe_change(shift), snapshot.undo_change(shift))
    if snapshot.settings.id is None and not snapshot.unreadable(""):
        yield Problem(
            Key("registry").path,
            "has no id: copies of this registry cannot be told from others",
            "`gitreg doctor --repair` draws one and commits it, on the remote first",
            "id",
        )
    yield from file_rules.stage_names(snapshot)
    if found := list(file_rules.unreadable_policies(snapshot)):
        yield from found
    else:
        yield from _globs_without_a_model(snapshot)


def _globs_without_a_model(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem for each glob of a policy that fits no model: misspelled, it guards nothing."""
    names = snapshot.model_names()
    for stage, data in snapshot.settings.policies.items() if names else ():
        for at, policy in each_policy(stage, data):
            for number, glob in enumerate(policy.get("models", ())):
                if not any(is_for([glob], name) for name in names):
                    yield Problem(
                        Key("registry").path,
                        f"at {pointer([*at, 'models', number])}: {glob!r} fits no model",
                        "correct it, or take it out, unless the model is still to come",
                    )


def _foreign(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    prefix = f"{branch.root}/" if branch.root else ""
    for folder in FOLDERS:
        for path, _ in branch.repository.walk(snapshot.commit, f"{prefix}{folder}"):
            if parse_path(path.removeprefix(prefix)) is None:
                yield file_rules.foreign_file(path)
        yield from map(file_rules.link, branch.repository.links(snapshot.commit, f"{prefix}{folder}"))


def _models(snapshot: Snapshot) -> Iterator[Problem]:
    names = snapshot.names_in_use()
    parts = [name.split("/") for name in names]
    folders = {"/".join(each[:length]) for each in parts for length in range(1, len(each) + 1)}
    yield from file_rules.same_in_case(folders, model_folder)
    for name in names:
        yield from file_rules.problems_of_model(snapshot, name)
        yield from file_rules.same_in_case(snapshot.names_taken(name), partial(_record_path, name))


def _record_path(model: str, name: str) -> str:
    return Key("model_version", model, name).path


def _records(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    root = f"{branch.root}/" if branch.root else ""
    present = set()
    entries = list(snapshot.index.scan(snapshot.seq, "model_version"))
    for entry in counting(entries, "Checking records", len(entries), "versions"):
        present.add((entry.model, entry.name))
        yield from file_rules.problems_of_file(snapshot, entry)
        contents = readings(snapshot, entry) if entry.data is not None else []
        if contents and contents[-1].digest != entry.digest:
            first, now = (snapshot.index.moment(at.since).oid[:12] for at in (contents[-1], contents[0]))
            where = file_rules.path_of(entry)
            yield Problem(
                where,
                f"is a sealed record and was edited in {now}",
                f"`git checkout {first} -- {root}{where}` and commit; say what is new with `gitreg annotate`",
            )
    yield from _removed(snapshot, present)


def _removed(snapshot: Snapshot, present: set[tuple[str, str]]) -> Iterator[Problem]:
    for entry in snapshot.index.removed(snapshot.seq, "model_version"):
        if (entry.model, entry.name) not in present:
            assert entry.until is not None
            commit = snapshot.index.moment(entry.until).oid
            yield Problem(
                file_rules.path_of(entry),
                f"is a sealed record and was removed in {commit[:12]}",
                f"`git revert {commit[:12]}`; hide a version with `gitreg delete`",
            )
