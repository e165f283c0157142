"""The commands that exchange commits between a clone and its remote: clone, pull, push and sync."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.errors import NotFound, Refused
from gitreg.git import RefUpdate, Repository
from gitreg.git.creation import add_remote, check_out, clone_repository, new_folder
from gitreg.git.program import without_repository
from gitreg.git.remote.protocol import PEELED, no_such_remote
from gitreg.git.urls import hide_login
from gitreg.git.values import check_ref_name
from gitreg.registry.discovery.location import (
    OWN_BRANCH,
    RegistryRoot,
    locate,
    note_place,
    spelled_place,
    split_place,
)
from gitreg.registry.discovery.mirrors import is_address
from gitreg.registry.discovery.registries import registry_roots
from gitreg.registry.operations.settings import set_field
from gitreg.registry.remote.rewrites import describe
from gitreg.registry.remote.sync import sync as sync_refs
from gitreg.registry.remote.upstream import Upstream
from gitreg.registry.state.branch import PATIENCE
from gitreg.registry.state.store_urls import is_private
from gitreg.registry.writing.commit import Outcome, commit
from gitreg.sdk.environment import Environment
from gitreg.sdk.session import PathLike, Session
from gitreg.sdk.verbs.settings_rules import judged
from gitreg.sdk.verbs.trust_code import follow

if TYPE_CHECKING:
    from gitreg.registry.remote.rewrites import Rewrite
    from gitreg.registry.remote.sync import Synced

_THEIRS = "refs/remotes/origin/"


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
    """Clone the repository of a registry, and return the open registry; a clone that fails leaves nothing.

    Parameters
    ----------
    url:
        The URL, as ``git clone`` takes it; ``URL#BRANCH`` or ``URL#BRANCH:FOLDER`` where there are several registries.
    path:
        The folder to create; None takes the name of the repository.

    Raises
    ------
    AlreadyExists
        The folder exists and is not empty.
    NotFound, Unreachable
        There is no repository at the address, no registry in it or several, or it does not answer.

    Warns
    -----
    UserWarning
        The weights lie in the clone that saved them.
    """
    environment = Environment.of_this_process()
    if "://" in url or _is_scp(url):
        address, _, fragment = url.partition("#")
        branch, _, root = fragment.partition(":")
        place = RegistryRoot(branch, root.strip("/")) if branch else None
    else:
        source, place = split_place(url, environment.folder)
        address = str(source)
    if place is not None:
        check_ref_name(f"refs/heads/{place.branch}")
    folder = Path(os.path.normpath(environment.folder / (path or _name(address))))
    with new_folder(folder):
        with clone_repository(address, folder, env=environment.env) as repository:
            place = _take_branch(repository, place, address, env=without_repository(environment.env))
        with ExitStack() as stack:
            session = stack.enter_context(_of_clone(folder, address, place, environment))
            if session.upstream is not None:
                pull(session)
            follow(session, address)
            stack.pop_all()  # the caller closes it
    if is_private(session.snapshot().settings.store):
        session.tell(
            f"the weights of this registry lie in the clone that saved them: in {folder} nobody can load them; there, "
            "`gitreg store set URL --copy` moves them to a folder or a bucket that all reach"
        )
    return session


def _take_branch(
    repository: Repository, place: RegistryRoot | None, address: str, *, env: Mapping[str, str]
) -> RegistryRoot | None:
    """Make the branch of the registry in a new clone, and return the place where discovery alone does not find it.

    If none is named, and neither the branch ``registry`` nor HEAD has one, it is the only one on the remote's branches.
    """
    theirs = repository.read_ref(f"{_THEIRS}{OWN_BRANCH}")
    if theirs and repository.read_ref(f"refs/heads/{OWN_BRANCH}") is None:
        repository.update_refs([RefUpdate(f"refs/heads/{OWN_BRANCH}", theirs, None)], reason="gitreg: clone")
    head, named = repository.head_branch(), place is not None
    if place is None:
        with suppress(NotFound):
            locate(repository.work_tree or repository.git_dir, env=env).repository.close()
            return None
        places = sorted(set(registry_roots(repository, _THEIRS)))
        if not places:
            return None
        if places[1:]:
            raise NotFound(
                f"there are several registries in {hide_login(address)}: {', '.join(map(spelled_place, places))}",
                hint=f"name one: `gitreg clone {hide_login(address)}#{spelled_place(places[0])}`",
            )
        place = places[0]
    commit = repository.read_ref(f"{_THEIRS}{place.branch}")
    if commit is not None:
        unborn = head is None or repository.read_ref(head) is None
        if unborn or (named and head != f"refs/heads/{place.branch}"):
            check_out(repository, place.branch, env=env)
        elif repository.read_ref(f"refs/heads/{place.branch}") is None:
            repository.update_refs([RefUpdate(f"refs/heads/{place.branch}", commit, None)], reason="gitreg: clone")
        note_place(repository, place)
    return place


def _of_clone(folder: Path, address: str, place: RegistryRoot | None, environment: Environment) -> Session:
    """Open the registry of a new clone, which has the declared remote by its name."""

    def found() -> Session:
        return Session(locate(folder, env=without_repository(environment.env), place=place), environment)

    try:
        session = found()
    except NotFound:
        raise NotFound(
            f"there is no registry in {hide_login(address)}{f' at {spelled_place(place)}' if place else ''}",
            hint=f"leave #{spelled_place(place)} out, and gitreg looks at each branch"
            if place
            else "`git clone` it, and run `gitreg init --remote origin` there",
        ) from None
    repository, remote = session.branch.repository, session.remote
    if remote is None or repository.remotes.has(remote):
        return session
    session.close()
    add_remote(repository, remote, address)
    return found()


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


def publish_new(session: Session, remote: str) -> None:
    """Publish a registry to the remote that it declares, or declares now; close it and raise if that fails.

    Raises
    ------
    GitregError
        As :func:`set_remote` raises it.
    """
    try:
        set_remote(session, remote)
    except BaseException:
        session.close()
        raise


def set_remote(session: Session, remote: str) -> Outcome:
    """Declare the remote of a registry, in one commit, and publish branch, tags and mirrors to it; return the outcome.

    The first remote gets all of it in one push, or nothing is changed here. A registry that has another remote by now
    tells its clones there first.

    Parameters
    ----------
    remote:
        The name of a remote in Git's configuration.

    Raises
    ------
    NotFound
        Git knows no such remote, or there is no repository at its address.
    Refused
        The remote's branch has another history, or its rules forbid the push.
    Unreachable
        The remote does not answer.

    Warns
    -----
    UserWarning
        The weights lie in a folder of this clone, where nobody else can load them.
    """
    operation = judged(session, partial(set_field, field="remote", value=remote))
    if session.is_mirror:
        return session.commit(operation)
    branch = session.branch
    if not branch.repository.remotes.has(remote):
        raise no_such_remote(remote, f"in {session.folder}")
    upstream = Upstream(branch, remote, session.environment.clock, context=session.context)
    former = session.upstream
    if session.remote is not None or session.local or session.proposing:
        if not session.local:
            upstream.fetch()  # before anybody is told to follow it
        outcome = session.commit(operation)
        if former is not None and not session.local:
            former.fetch_tags(branch.snapshot())  # of what others saved there, which this clone has not pulled
    else:
        outcome = commit(branch, operation, session.writer, upstream=upstream)
    if not session.local and outcome.proposal is None:
        push(session)
        _warn_of_head(session)
    session.warn_of_private_store()
    return outcome


def _warn_of_head(session: Session) -> None:
    """Warn where a plain ``git clone`` would check nothing out; a project's own repository gets its HEAD from it."""
    upstream, branch = session.upstream, session.branch
    if upstream is None or branch.name == OWN_BRANCH or not upstream.lacks_head():
        return
    url = branch.repository.remotes.url(upstream.name) or ""
    folder = url.removeprefix("file://")
    mend = f"`git --git-dir {shlex.quote(folder)} symbolic-ref HEAD {branch.ref}`"
    if is_address(folder):
        mend = f"make {branch.name} the default branch in the settings of the host"
    session.tell(f"HEAD of {upstream.name} names no branch that is there, so `git clone` checks nothing out: {mend}")


class Published(NamedTuple):
    """The refs of a registry on its remote.

    Parameters
    ----------
    branch:
        Its branch, as ``REMOTE/BRANCH``.
    tags:
        The number of its versions' tags.
    mirrors:
        The number of its refs of stages and aliases.
    """

    branch: str
    tags: int
    mirrors: int


def published(session: Session) -> Published:
    """Return the refs that the registry's remote has now.

    Raises
    ------
    Refused, Unreachable, NotFound
        As for :func:`pull`.
    """
    upstream = _upstream(session)
    refs = [name for name in upstream.derived_refs(session.snapshot().settings) if not name.endswith(PEELED)]
    tags = sum(name.startswith("refs/tags/") for name in refs)
    return Published(upstream.branch, tags, len(refs) - tags)


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
            "this registry has no remote", hint="`gitreg remote set origin` declares one (see `git remote -v`)"
        )
    return upstream


def _name(url: str) -> str:
    """Return the name of the folder that ``git clone`` would create."""
    return url.rstrip("/").removesuffix("/.git").removesuffix(".git").rpartition("/")[2].rpartition(":")[2]


def _is_scp(url: str) -> bool:
    """Return whether an address is ``[user@]host:path``, as git-clone(1) defines it: a colon before any slash."""
    return ":" in url.partition("/")[0]
