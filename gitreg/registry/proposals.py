"""Changes that await a merge: the commit that an operation would make, on a branch of its own on the remote.

The target branch, its tags and mirrors stay where they are; after the merge ``gitreg sync`` makes what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitreg.git import RefUpdate
from gitreg.names import slug
from gitreg.registry.changes import Changes
from gitreg.registry.checking import check
from gitreg.registry.circumstances import UNKNOWN, Circumstances
from gitreg.registry.commit import PATIENCE, Operation, Outcome, Proposal, Writer, plan
from gitreg.registry.dates import dated_after
from gitreg.registry.forges import Host, PullRequest, host_of, offered_by_push, open_pull_request, opened_by_push
from gitreg.registry.ledger import Ledger
from gitreg.registry.markdown import proposal_text
from gitreg.registry.upstream import Upstream

_NAMING = ("Model", "Stage", "Alias", "Version")


def propose(
    ledger: Ledger,
    operation: Operation,
    writer: Callable[[], Writer],
    upstream: Upstream,
    *,
    env: Mapping[str, str],
    circumstances: Circumstances = UNKNOWN,
    dry_run: bool = False,
) -> Outcome:
    """Run an operation on the remote's branch, and push what it changes to a branch that asks to be merged.

    Proposed again, the same change replaces what its branch held. The pull request is opened by the host's own program,
    or by its push options; where neither can be, the proposal names the page that opens it.

    Parameters
    ----------
    env:
        Where the hosts' programs are found.
    circumstances:
        What the gates may ask of which the pull request's text tells.

    Returns
    -------
    Outcome:
        Its ``proposal`` says where it is.

    Raises
    ------
    Refused, Declined
        The operation's rules or the remote's forbid it.
    Unreachable, NotFound
        The remote does not answer, or has no such branch.
    """
    with ledger.repository.lock(timeout=PATIENCE):
        ledger.repository.finish_following()
        theirs = upstream.catch_up()
        snapshot = ledger.snapshot(theirs)
        changes = operation(snapshot)
        files = plan(ledger, snapshot, changes)
        if dry_run or not files:
            return Outcome(None, changes, files)
        who = writer()
        committer = dated_after(who.committer, ledger.repository.commit(snapshot.commit))
        made = ledger.repository.build_commit(
            snapshot.commit, files, message=changes.message, author=who.author, committer=committer
        )
        text = proposal_text(check(ledger, snapshot.commit, made, circumstances=circumstances), changes.body)
        request = PullRequest(branch_of(changes), ledger.branch, changes.subject, text)
        host = host_of(upstream.url, env)
        told = upstream.push_branch(
            RefUpdate(f"refs/heads/{request.branch}", made), host.push_options(request) if host else ()
        )
        opened = _open(upstream, host, request, made, env) if host else None
    opened = opened or opened_by_push(told)
    page = offered_by_push(told) or (host.page(request.branch, request.target) if host else None)
    return Outcome(made, changes, files, Proposal(request.branch, opened or page, opened is not None))


def _open(upstream: Upstream, host: Host, request: PullRequest, made: str, env: Mapping[str, str]) -> str | None:
    """Open a pull request for a branch that is there, and give its address; None where the host does not so."""
    review = host.push_for_review(request)
    if review is None:
        return open_pull_request(host, request, env)
    told = upstream.push_for_review(RefUpdate(review[0], made), review[1])
    return None if told is None else opened_by_push(told) or f"{host.address}/pulls"


def branch_of(changes: Changes) -> str:
    """Name the branch of a proposal, as ``gitreg/promote/iris-production-7``."""
    said = dict(changes.trailers)
    parts = [slug(said[name]) for name in _NAMING if name in said]
    return f"gitreg/{said.get('Operation', 'change')}/{'-'.join(parts) or 'registry'}"
