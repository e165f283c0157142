"""The proposals: the commit of an operation on a branch of its own on the remote, to be merged by a pull request.

The target branch, its tags and its mirror refs do not move; after the merge ``gitreg sync`` updates the derived refs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitreg.git import RefUpdate
from gitreg.names import slug
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.review.forges import Host, PullRequest, host_of, offered_by_push, open_pull_request, opened_by_push
from gitreg.registry.review.markdown_report import proposal_text
from gitreg.registry.review.pull_request_check import check
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.dates import dated_after
from gitreg.registry.writing.changes import Changes
from gitreg.registry.writing.commit import Operation, Outcome, Proposal, Writer, plan

_NAMING = ("Model", "Stage", "Alias", "Version")


def propose(
    branch: RegistryBranch,
    operation: Operation,
    writer: Callable[[], Writer],
    upstream: Upstream,
    *,
    env: Mapping[str, str],
    context: PromotionContext = UNKNOWN,
    dry_run: bool = False,
) -> Outcome:
    """Run an operation on top of the remote's branch, push its commit to a branch and open a pull request.

    The same change proposed again replaces the commit on that branch. The pull request is opened by the program of the
    forge, or by its push options; if neither works, the proposal has the URL of the page to open it.

    Parameters
    ----------
    writer:
        Returns author and committer; called only if the operation changes files.
    upstream:
        The remote.
    env:
        The environment variables, by which the programs of forges are found.
    context:
        The context for the gates whose results the text of the pull request shows.
    dry_run:
        True to return the changes without a commit or a push.

    Returns
    -------
    Outcome:
        The changes; its ``proposal`` has the branch and the URL.

    Raises
    ------
    Refused, Declined
        The rules of the operation or those of the remote forbid it.
    Unreachable, NotFound
        The remote does not answer, or has no such branch.
    """
    with branch.repository.lock(timeout=PATIENCE):
        branch.repository.finish_following()
        theirs = upstream.catch_up()
        snapshot = branch.snapshot(theirs)
        changes = operation(snapshot)
        files = plan(branch, snapshot, changes)
        if dry_run or not files:
            return Outcome(None, changes, files)
        who = writer()
        committer = dated_after(who.committer, branch.repository.commit(snapshot.commit))
        made = branch.repository.build_commit(
            snapshot.commit, files, message=changes.message, author=who.author, committer=committer
        )
        text = proposal_text(check(branch, snapshot.commit, made, context=context), changes.body)
        request = PullRequest(branch_of(changes), branch.name, changes.subject, text)
        host = host_of(upstream.url, env)
        reply = upstream.push_branch(
            RefUpdate(f"refs/heads/{request.branch}", made), host.push_options(request) if host else ()
        )
        opened = _open(upstream, host, request, made, env) if host else None
    opened = opened or opened_by_push(reply)
    page = offered_by_push(reply) or (host.page(request.branch, request.target) if host else None)
    return Outcome(made, changes, files, Proposal(request.branch, opened or page, opened is not None))


def _open(upstream: Upstream, host: Host, request: PullRequest, made: str, env: Mapping[str, str]) -> str | None:
    """Open a pull request for a pushed branch and return its URL; None if the forge does not."""
    review = host.push_for_review(request)
    if review is None:
        return open_pull_request(host, request, env)
    reply = upstream.push_for_review(RefUpdate(review[0], made), review[1])
    return None if reply is None else opened_by_push(reply) or f"{host.address}/pulls"


def branch_of(changes: Changes) -> str:
    """Return the branch name of a proposal, as ``gitreg/promote/iris-production-7``."""
    trailers = dict(changes.trailers)
    parts = [slug(trailers[name]) for name in _NAMING if name in trailers]
    return f"gitreg/{trailers.get('Operation', 'change')}/{'-'.join(parts) or 'registry'}"
