"""The commands that exchange commits between a clone and its remote: clone, pull, push and sync."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.errors import Refused
from gitreg.git import RefUpdate
from gitreg.git.creation import clone_repository
from gitreg.git.program import without_repository
from gitreg.registry.discovery.location import OWN_BRANCH, locate
from gitreg.registry.remote.rewrites import describe
from gitreg.registry.remote.sync import sync as sync_refs
from gitreg.registry.state.branch import PATIENCE
from gitreg.sdk.environment import Environment
from gitreg.sdk.session import PathLike, Session
from gitreg.sdk.verbs.trust_code import follow

if TYPE_CHECKING:
    from gitreg.registry.remote.rewrites import Rewrite
    from gitreg.registry.remote.sync import Synced
    from gitreg.registry.remote.upstream import Upstream


class Pulled(NamedTuple):
    """The result of a pull or a push.

    Parameters
    ----------
    before, after:
        The commits of the branch before and after; the same if nothing was new.
    rewrite:
        The commits and stage moves that a rewritten history removed, if one was accepted.
    """

    branch: str
    before: str | None
    after: str | None
    rewrite: Rewrite | None = None

    def row(self) -> dict[str, Any]:
        """Return the result as plain data."""
        gone, stages = self.rewrite or ((), ())
        return {
            "branch": self.branch,
            "before": self.before,
            "after": self.after,
            "gone": [{"commit": commit, "subject": subject} for commit, subject in gone],
            "stages": [move._asdict() for move in stages],
        }


def clone(url: str, path: PathLike | None = None) -> Session:
    """Clone the repository of a registry, and return the open registry.

    Parameters
    ----------
    url:
        The URL, as ``git clone`` takes it.
    path:
        The folder to create; None takes the name of the repository.

    Raises
    ------
    AlreadyExists
        The folder exists and is not empty.
    NotFound, Unreachable
        There is no repository at the address, no registry in it, or it does not answer.
    """
    environment = Environment.of_this_process()
    folder = Path(os.path.normpath(environment.folder / (path or _name(url))))
    address = url if "://" in url or _is_scp(url) else str(environment.folder / url)
    with clone_repository(address, folder, env=environment.env) as repository:
        theirs = repository.read_ref(f"refs/remotes/origin/{OWN_BRANCH}")
        if theirs and repository.read_ref(f"refs/heads/{OWN_BRANCH}") is None:
            repository.update_refs([RefUpdate(f"refs/heads/{OWN_BRANCH}", theirs, None)], reason="gitreg: clone")
    with ExitStack() as stack:
        session = stack.enter_context(Session(locate(folder, env=without_repository(environment.env)), environment))
        if session.upstream is not None:
            pull(session)
        follow(session, address)
        stack.pop_all()  # the caller closes it
    return session


def pull(session: Session, accept_rewrite: bool = False) -> Pulled:
    """Move branch, tags and mirrors of the clone to those of its remote, and return the result.

    Parameters
    ----------
    accept_rewrite:
        True to follow also a history that was rewritten, or another registry. The clone's own commits and uncommitted
        work are never lost by it.

    Raises
    ------
    Refused
        The registry has no remote, its history was rewritten, or each side has commits that the other lacks.
    Unreachable, NotFound
        The remote does not answer, or does not exist.
    """
    upstream, branch = _upstream(session), session.branch
    before = session.rewritten_from or branch.head()
    with branch.repository.lock(timeout=PATIENCE):
        branch.repository.finish_following()
        upstream.catch_up(accept_rewrite=accept_rewrite)
        upstream.move_mirrors()
    upstream.fetch_tags(branch.snapshot())
    after = branch.head()
    rewrite = None
    if accept_rewrite and before is not None and after is not None:
        rewrite = describe(branch, before, after)
    return Pulled(upstream.branch, before, after, rewrite)


def push(session: Session) -> Pulled:
    """Publish commits that were made with ``--local``, unchanged, with their tags and mirrors; return the result.

    Raises
    ------
    Refused
        As for `pull`, or the rules of the remote forbid the push.
    Conflict
        Another user moved the branch first.
    Unreachable, NotFound
        The remote does not answer, or does not exist.
    """
    upstream, branch = _upstream(session), session.branch
    with branch.repository.lock(timeout=PATIENCE):
        branch.repository.finish_following()
        theirs = upstream.catch_up()
        ours = branch.head()
        if ours is not None and ours != theirs:
            upstream.publish(ours, theirs, [])
    session.settle_claims()
    return Pulled(upstream.branch, theirs, ours)


def publish_new(session: Session, *, is_store_private: bool) -> None:
    """Publish a registry that was declared to have a remote; close it and raise if that fails.

    Parameters
    ----------
    is_store_private:
        True to warn that the weights lie in a folder of the clone, which nobody else can load from.

    Raises
    ------
    GitregError
        As :func:`push` raises it.
    """
    try:
        push(session)
    except BaseException:
        session.close()
        raise
    if is_store_private:
        session.tell(
            f"weights will lie in {session.store_url}, and nobody else can load them: {session.remote} gets the "
            "records alone. For a folder or a bucket that all reach: `gitreg store create URL`, write "
            "`store: URL` into gitreg.yaml, commit it, `gitreg trust`, `gitreg push`; next time "
            "`gitreg init --store URL`"
        )


def sync(session: Session) -> Synced:
    """Update the tags and mirrors that are derived from the remote's branch, and return what moved.

    See :mod:`gitreg.registry.remote.sync`.
    """
    upstream, branch = _upstream(session), session.branch
    with branch.repository.lock(timeout=PATIENCE):
        branch.repository.finish_following()
        return sync_refs(branch, upstream)


def _upstream(session: Session) -> Upstream:
    upstream = session.upstream
    if upstream is None:
        raise Refused(
            "this registry has no remote", hint="`gitreg init --remote origin` declares one (see `git remote -v`)"
        )
    return upstream


def _name(url: str) -> str:
    """Return the name of the folder that ``git clone`` would create."""
    return url.rstrip("/").removesuffix("/.git").removesuffix(".git").rpartition("/")[2].rpartition(":")[2]


def _is_scp(url: str) -> bool:
    """Return whether an address is ``[user@]host:path``, as git-clone(1) defines it: a colon before any slash."""
    return ":" in url.partition("/")[0]
