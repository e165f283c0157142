"""The checks of derived refs and of the work trees of the branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitreg.git import RefUpdate
from gitreg.registry.remote.mirror_moves import mirror_updates
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.registry_refs import (
    build_seal,
    mirror_namespace,
    parse_tag_ref,
    tag_prefix,
    tag_ref,
)
from gitreg.registry.state.seals import readings, same_record
from gitreg.registry.state.snapshot import Snapshot


def problems_of_refs(branch: RegistryBranch, snapshot: Snapshot, theirs: Mapping[str, str] | None) -> Iterator[Problem]:
    """Yield the problems of derived refs that are missing, foreign or moved, and of work trees behind the branch.

    Parameters
    ----------
    theirs:
        The derived refs of the remote; None if there is no remote or it was left out.
    """
    yield from _tags(branch, snapshot, theirs)
    yield from _mirrors(branch, snapshot)
    yield from _work_trees(branch)


def _tags(branch: RegistryBranch, snapshot: Snapshot, theirs: Mapping[str, str] | None) -> Iterator[Problem]:
    repository, settings = branch.repository, snapshot.settings
    tags = repository.refs(tag_prefix(settings))
    sealed = repository.tagged_commits(tags.values())
    for entry in snapshot.index.scan(snapshot.seq, "model_version"):
        if entry.text is None:
            continue
        ref = tag_ref(settings, entry.model, entry.name)
        oid = tags.pop(ref, None)
        first = readings(snapshot, entry)[-1]
        moment = snapshot.index.moment(first.since)
        if first.digest != entry.digest:
            continue  # an edited record is a problem of files; its tag seals the original
        if oid is not None and sealed.get(oid) == moment.oid:
            continue
        if moment.boundary and (oid is None or repository.peel(oid) is None):
            continue  # shallow clone: the commit that added the record is not here
        if oid is None:
            yield Problem(
                ref,
                f"is missing: the record of {entry.model}@{entry.name} is not sealed",
                "`gitreg doctor --repair` tags it",
                _repair(branch, snapshot, first, None, theirs),
            )
            continue
        commit = repository.peel(oid)
        repair = None if moment.boundary else _repair(branch, snapshot, first, oid, theirs)
        if repository.tag(oid) is None and repair and commit and same_record(branch, commit, entry):
            yield Problem(
                ref,
                "is a lightweight tag; it names nobody and no date",
                "`gitreg doctor --repair` makes it an annotated one",
                repair,
            )
        elif commit is None:
            if not repository.is_shallow:
                yield Problem(ref, "points to no commit of this repository", _PUT_BACK, repair)
        elif commit != moment.oid and not same_record(branch, commit, entry):
            yield Problem(
                ref,
                f"was moved to {commit[:12]}, where {entry.model}@{entry.name} is not what the branch says",
                _PUT_BACK,
                repair,
            )
        elif theirs is not None and ref not in theirs and not repository.is_ancestor(commit, snapshot.commit):
            yield Problem(
                ref,
                f"is at {commit[:12]}, which a rebase left behind",
                "`gitreg doctor --repair` tags the commit that took its place",
                repair,
            )
    for ref in tags:
        named = parse_tag_ref(settings, ref)
        if named is None:
            yield Problem(ref, "is no tag of a version", "move it out of the registry's prefix")
        elif snapshot.index.get(snapshot.seq, "model_version", *named) is not None:
            continue
        elif theirs is not None and ref not in theirs:
            yield Problem(
                ref,
                f"seals {'@'.join(named)}, of which neither branch nor remote knows: a save that lost a race left it",
                "`gitreg doctor --repair` removes it",
                RefUpdate(ref, None, tags[ref]),
            )
        else:
            yield Problem(
                ref,
                f"seals {named[0]}@{named[1]}, of which the branch has no record",
                f"merge the branch that has it, or `git tag -d {ref.removeprefix('refs/tags/')}`",
            )


def _repair(
    branch: RegistryBranch, snapshot: Snapshot, first: IndexEntry, now: str | None, theirs: Mapping[str, str] | None
) -> RefUpdate:
    """Return the ref update that repairs a tag, preferring the remote's tag, which may be signed, if it is right."""
    assert first.data is not None
    commit = snapshot.index.moment(first.since).oid
    ref, made = build_seal(branch.repository, snapshot.settings, commit, first.data, first.digest)
    if theirs and theirs.get(f"{ref}^{{}}") == commit:
        made = theirs[ref]
    return RefUpdate(ref, made, now)


def _mirrors(branch: RegistryBranch, snapshot: Snapshot) -> Iterator[Problem]:
    """Yield the problems of stage and alias refs: each has to be at the last commit that changed its pointer."""
    repository = branch.repository
    updates = mirror_updates(branch, snapshot)
    for update in updates:
        if update.old == update.new or update.new is None:
            continue
        problem = (
            "is missing"
            if update.old is None
            else f"is at {update.old[:12]}, not at {update.new[:12]} where its file last changed"
        )
        yield Problem(update.name, problem, "`gitreg doctor --repair` moves it", update)
    if repository.is_shallow:  # the last changes of some files are not here
        return
    known = {update.name for update in updates}
    refs: dict[str, str] = {}  # one namespace may lie inside the other
    for kind in ("stage", "alias"):
        refs.update(repository.refs(f"{mirror_namespace(snapshot.settings, kind)}/"))
    for ref in refs:
        if ref not in known and "@" in ref.rpartition("/")[2]:  # the namespace may have branches, too
            yield Problem(
                ref, "belongs to no stage or alias that ever was", f"`git update-ref -d {ref}`, if nobody needs it"
            )


def _work_trees(branch: RegistryBranch) -> Iterator[Problem]:
    for folder in branch.repository.unfinished_following():
        yield Problem(
            str(folder),
            "lags behind its branch: a commit made there would undo what it lacks",
            "`gitreg doctor --repair`; before that, move away what `git status` there shows to be in the way",
            "follow",
        )


_PUT_BACK = "find out who did it; `gitreg doctor --repair` puts it back"
