"""The hooks of a clone: pre-commit, pre-push and post-merge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from gitreg.errors import Refused
from gitreg.git import RefUpdate, Repository
from gitreg.registry.discovery.location import Location
from gitreg.registry.discovery.registries import changed_roots, declared_branch
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.promotion.settings_changes import settings_change
from gitreg.registry.remote.local_refs import follow
from gitreg.registry.remote.mirror_moves import mirror_moves
from gitreg.registry.review.merge_check import judge_each
from gitreg.registry.review.pull_request_check import check
from gitreg.registry.rules.merge_rules import problems
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.merge_preview import is_first_parent_ancestor, preview_merge
from gitreg.registry.weights.trusted_stores import open_named
from gitreg.sdk.environment import Environment
from gitreg.sdk.session import Session
from gitreg.sdk.verbs.pull_requests import weights_in
from gitreg.sdk.verbs.settings_rules import tell_unasked

_BRANCHES = "refs/heads/"


def pre_commit(repository: Repository) -> Iterator[Problem]:
    """Yield the problems of the staged files, in every registry that they belong to; policies are checked at push.

    A work tree that lags behind its branch is one problem, and the only one that is reported: a commit would undo the
    commits of others.

    Raises
    ------
    InvalidInput
        A merge conflict is not resolved.

    Warns
    -----
    UserWarning
        The staged files change permissions, and the registry has no policy for ``settings``.
    """
    lagging = {folder.resolve() for folder in repository.unfinished_following()}
    if repository.work_tree is not None and repository.work_tree.resolve() in lagging:
        yield Problem(
            str(repository.work_tree),
            "lags behind its branch: this commit would undo what it lacks",
            "`gitreg doctor --repair`, then commit again",
        )
        return
    with repository.staged() as (reading, commit):
        parents = reading.commit(commit).parents
        parent = parents[0] if parents else None
        for root in changed_roots(reading, parent, commit):
            name = _branch(reading, root, parent, commit)
            if name is not None:
                base = parent if parent is not None and declared_branch(reading, parent, root) is not None else None
                with (
                    closing(RegistryBranch(reading, name, root)) as branch,
                    preview_merge(branch, base, commit) as merge,
                ):
                    found = list(problems(branch, merge))
                    yield from found
                    if all(problem.where != "gitreg.yaml" for problem in found):
                        tell_unasked(Session, settings_change(merge, UNKNOWN))


def pre_push(
    repository: Repository, environment: Environment, remote: str, updates: Sequence[RefUpdate]
) -> Iterator[Problem]:
    """Yield the problems of a push: weights that no store has, edits of sealed records, gates that are not met.

    Gates count for a push of the registry's own branch, not for a push of a proposal.

    Parameters
    ----------
    remote:
        The name of the remote, or its URL.
    updates:
        The ref updates of the push; ``old`` is the commit on the remote.

    Warns
    -----
    UserWarning
        A store was not checked; or permissions change, and the registry has no policy for ``settings``.
    """
    for update in updates:
        if not update.name.startswith(_BRANCHES) or update.new is None:
            continue
        old = update.old if update.old is not None and repository.object_type(update.old) else None
        for root in changed_roots(repository, old, update.new):
            name = _branch(repository, root, old, update.new)
            if name is None:
                continue
            own = update.name == f"{_BRANCHES}{name}"
            base = old if own else _where_it_is(repository, remote, name)
            if own and update.old != old:
                continue  # the remote's commit is not here: the remote refuses the push, or the user forces it
            session = Session(Location(repository, name, root), environment)
            with closing(session.branch):
                yield from _published(session, base, update.new, proposed=not own)


def post_merge(repository: Repository, environment: Environment, start: Location) -> None:
    """Move the stage and alias refs to match the merged branch; without a remote, create missing tags, too.

    Raises
    ------
    Conflict
        Another process held the lock of the repository for too long.
    """
    branch = RegistryBranch(start.repository, start.branch, start.root)
    with closing(branch), repository.lock(timeout=PATIENCE):
        snapshot = branch.snapshot()
        context = PromotionContext(now=environment.clock, branch=branch)
        if snapshot.settings.remote is None:
            follow(branch, context)
            return
        moves = mirror_moves(branch, snapshot, lambda: context)
        moves.tell()
        repository.update_refs(moves.due, reason="gitreg: post-merge")


def _published(session: Session, base: str | None, head: str, *, proposed: bool) -> Iterator[Problem]:
    repository, branch = session.branch.repository, session.branch
    unseen: list[str] = []
    try:
        settings = branch.snapshot_at(base or head).settings
        named = open_named(settings, repository, session.environment.trusted_stores())
        weights = weights_in(session, named, share=0, unseen=unseen)
        context = session.context()
        by_itself = not proposed and base is not None and is_first_parent_ancestor(repository, base, head)
        if base is not None and by_itself and (found := judge_each(branch, base, head, context)):
            yield from found
            return
        report = check(branch, base, head, context=context, weights=weights)
    except Refused as error:  # no common history: the remote refuses it itself
        session.tell(error.message)
        return
    for sentence in dict.fromkeys(unseen):
        session.tell(f"not looked at: {sentence}")
    tell_unasked(session, report.settings)
    # A proposal may still be approved; a push of the branch itself was judged commit by commit.
    yield from (problem for problem in report.problems if not ((proposed or by_itself) and problem in report.unmet))


def _branch(repository: Repository, root: str, old: str | None, new: str) -> str | None:
    """Return the branch of the registry in a folder; None if there is no registry or its branch is not known."""
    names = [declared_branch(repository, commit, root) for commit in (old, new) if commit is not None]
    return next((each for each in names if each), None)


def _where_it_is(repository: Repository, remote: str, name: str) -> str | None:
    """Return the newest commit of a branch that is known to be on the remote, or else that of the local branch."""
    names = (f"refs/gitreg/{remote}/accepted/{name}", f"refs/remotes/{remote}/{name}")
    newest: str | None = None
    for commit in filter(None, map(repository.read_ref, names)):
        if newest is None or repository.is_ancestor(newest, commit):
            newest = commit
    return newest or repository.read_ref(f"{_BRANCHES}{name}")
