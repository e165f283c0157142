"""The doctor: finds problems of a registry, and repairs those that need no decision of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from gitreg.blobs.manifest import Manifest
from gitreg.errors import IntegrityError
from gitreg.git import RefUpdate
from gitreg.registry.doctor.check_config import problems_of_config
from gitreg.registry.doctor.check_files import problems_of_files
from gitreg.registry.doctor.check_gates import problems_of_gates, without_refused
from gitreg.registry.doctor.check_index import problems_of_the_index
from gitreg.registry.doctor.check_locks import problems_of_locks
from gitreg.registry.doctor.check_receipts import problems_of_receipts
from gitreg.registry.doctor.check_refs import problems_of_refs
from gitreg.registry.doctor.check_remote import problems_of_the_remote
from gitreg.registry.doctor.check_runs import problems_of_runs
from gitreg.registry.doctor.check_weights import problems_of_weights
from gitreg.registry.remote.sync import sync
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import PATIENCE, RegistryBranch

__all__ = ["Problem", "examine", "problems_of_gates", "problems_of_weights", "repair", "without_refused"]


def examine(branch: RegistryBranch, upstream: Upstream | None = None, *, cached: bool = False) -> Iterator[Problem]:
    """Yield the problems of a registry, except those of its weights (`problems_of_weights`).

    Parameters
    ----------
    upstream:
        The remote, which is examined as well; None leaves it out.
    cached:
        True if this is the mirror of a registry that was named by its URL: its derived refs are those of the remote.

    Raises
    ------
    Unreachable, NotFound
        The remote does not answer.
    """
    snapshot = branch.snapshot()
    if stale := list(problems_of_the_index(branch, snapshot)):
        yield from stale
        return  # every other check reads the index, and would be wrong as well
    theirs = upstream.derived_refs(snapshot.settings) if upstream else None
    local = list(problems_of_files(branch, snapshot))
    if not cached:
        local += problems_of_refs(branch, snapshot, theirs)
    yield from local
    yield from problems_of_config(branch.repository)
    yield from problems_of_locks(branch.repository, upstream)
    yield from problems_of_runs(branch, snapshot)
    yield from problems_of_receipts(branch)
    if upstream is not None and theirs is not None:
        named = {problem.where for problem in local}
        found = problems_of_the_remote(branch, upstream, theirs, cached=cached)
        yield from (problem for problem in found if problem.where not in named)


def repair(
    branch: RegistryBranch,
    problems: list[Problem],
    *,
    restore: Callable[[Manifest], object],
    give_id: Callable[[], object] | None = None,
    upstream: Upstream | None = None,
    patience: float = PATIENCE,
) -> list[Problem]:
    """Repair derived refs, locally and on the remote, work trees, weights, the index and the id of the registry.

    Parameters
    ----------
    problems:
        The problems that were found; those without a repair are left alone.
    restore:
        A function that copies a set of files back into the store from an intact copy.
    give_id:
        A function that commits an id of the registry; None if that has to wait for the remote.
    patience:
        The time to wait for the lock of the repository, in seconds.

    Returns
    -------
    list:
        The problems that were repaired.
    """
    mended = [problem for problem in problems if problem.repair in ("sync", "reindex")]
    asked = {problem.repair for problem in mended}
    with branch.repository.lock(timeout=patience):
        finished = {str(folder) for folder in branch.repository.finish_following()}
        mended += [problem for problem in problems if problem.repair == "follow" and problem.where in finished]
        if "reindex" in asked:
            branch.forget_index()
        moves = {problem.repair.name: problem.repair for problem in problems if isinstance(problem.repair, RefUpdate)}
        if moves:
            if upstream is not None:
                upstream.bring(list(moves.values()))
            branch.repository.update_refs(list(moves.values()), reason="gitreg: doctor --repair")
        mended += [problem for problem in problems if isinstance(problem.repair, RefUpdate)]
        if "sync" in asked and upstream is not None:
            sync(branch, upstream)
    wanted = {problem.repair.digest: problem.repair for problem in problems if isinstance(problem.repair, Manifest)}
    for digest, manifest in wanted.items():
        with suppress(IntegrityError):  # without an intact copy the problem remains
            restore(manifest)
            mended += [p for p in problems if isinstance(p.repair, Manifest) and p.repair.digest == digest]
    if give_id is not None and (nameless := [problem for problem in problems if problem.repair == "id"]):
        give_id()
        mended += nameless
    return mended
