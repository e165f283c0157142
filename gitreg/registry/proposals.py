"""Changes that await a merge: the commit that an operation would make, on a branch of its own on the remote.

The target branch, its tags and mirrors stay where they are; after the merge ``gitreg sync`` makes what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from gitreg.git import RefUpdate
from gitreg.names import slug
from gitreg.registry.changes import Changes
from gitreg.registry.commit import PATIENCE, Operation, Outcome, Proposal, Writer, plan
from gitreg.registry.ledger import Ledger
from gitreg.registry.upstream import Upstream

_NAMING = ("Model", "Stage", "Alias", "Version")
_ADDRESS = re.compile(r"https?://[^\s'\"<>]+")
_HOST = re.compile(r"(?:https?://|ssh://)?(?:[^@/\s]*@)?(?P<host>[\w.-]+)(?::\d+)?[:/](?P<path>[^\s]+?)(?:\.git)?/?$")


def propose(
    ledger: Ledger, operation: Operation, writer: Callable[[], Writer], upstream: Upstream, *, dry_run: bool = False
) -> Outcome:
    """Run an operation on the remote's branch, and push what it changes to a branch that asks to be merged.

    Proposed again, the same change replaces what its branch held.

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
        made = ledger.repository.build_commit(
            snapshot.commit, files, message=changes.message, author=who.author, committer=who.committer
        )
        branch = branch_of(changes)
        told = upstream.push_branch(RefUpdate(f"refs/heads/{branch}", made))
    found = _ADDRESS.search(told)
    url = found[0] if found else compare_url(upstream.url, ledger.branch, branch)
    return Outcome(made, changes, files, Proposal(branch, url))


def branch_of(changes: Changes) -> str:
    """Name the branch of a proposal, as ``gitreg/promote/iris-production-7``."""
    said = dict(changes.trailers)
    parts = [slug(said[name]) for name in _NAMING if name in said]
    return f"gitreg/{said.get('Operation', 'change')}/{'-'.join(parts) or 'registry'}"


def compare_url(remote: str, target: str, branch: str) -> str | None:
    """Give the page where a forge opens a pull request for a branch; None where the address names none."""
    found = _HOST.match(remote)
    if found is None or remote.startswith(("file://", "/", ".")):
        return None
    top = f"https://{found['host']}/{found['path'].strip('/')}"
    if "gitlab" in found["host"]:
        return f"{top}/-/merge_requests/new?merge_request%5Bsource_branch%5D={quote(branch, safe='')}"
    return f"{top}/compare/{quote(target)}...{quote(branch)}?expand=1"
