"""The only way to write: an operation on the newest snapshot becomes one commit, and all refs move or none.

Blobs are stored before. Then, under the repository's lock, Git objects and one commit are written, and one transaction
moves the branch, the tags that seal new records and the mirrors of moved pointers; first on the remote, where the
registry has one. Refs move by compare-and-swap: if another writer moved them first, the operation runs again, after a
backoff, on that writer's snapshot. Nothing is ever rebased.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from gitreg.documents.fast_yaml import read, recognise
from gitreg.documents.files import read_data, write
from gitreg.documents.layout import Key, parse_path
from gitreg.documents.types import Document, RegistryDocument
from gitreg.errors import CloneLags, Conflict, GitregError, IntegrityError, Locked, Refused, WorkTreeBusy, WorkTreeLags
from gitreg.git import Identity, RefUpdate
from gitreg.registry.state.branch import PATIENCE, RegistryBranch
from gitreg.registry.state.dates import dated_after
from gitreg.registry.state.registry_refs import build_seal, mirror_ref
from gitreg.registry.state.snapshot import Snapshot
from gitreg.registry.writing.changes import Changes
from gitreg.tracing import trace

if TYPE_CHECKING:
    from gitreg.registry.remote.upstream import Upstream

Operation = Callable[[Snapshot], Changes]

REMOTE_PATIENCE = 300.0
"""The same as PATIENCE, in seconds, where there is a remote: each of hundreds of writers at once needs a second."""

LOCK_PATIENCE = 10.0
"""The time in seconds to wait for one lock file of Git, which a live process keeps for milliseconds."""

_TOLD_AFTER = 3
"""The number of tries that one lock file stops before a warning names it."""

_FLOOR = 0.005
"""The shortest wait before another try, in seconds."""


class Proposal(NamedTuple):
    """The proposal of a change, which awaits its merge.

    Parameters
    ----------
    branch:
        The name of the proposal's branch on the remote.
    url:
        The page of the pull request, or the page to open one; None where it is not known.
    opened:
        True if the pull request is open.
    """

    branch: str
    url: str | None
    opened: bool = False


@dataclass(frozen=True)
class Outcome:
    """The outcome of a write.

    Parameters
    ----------
    commit:
        The id of the commit that was made; None where nothing changed, or for a dry run.
    changes:
        The changes that the operation asked for.
    written:
        The new content of each changed file, by path; None for a removed file. For a dry run, as it would be.
    proposal:
        The proposal in which the commit awaits its merge; None without one.
    """

    commit: str | None
    changes: Changes
    written: dict[str, bytes | None]
    proposal: Proposal | None = None

    def __repr__(self) -> str:
        if not self.written:
            return "Outcome(nothing to change)"
        made = f"{self.commit[:10]!r}" if self.commit else "a dry run"
        return f"Outcome({made}, {self.changes.subject!r})"


@dataclass(frozen=True)
class Writer:
    """The author and the committer of a commit.

    Parameters
    ----------
    author, committer:
        The identities for Git, with the time.
    """

    author: Identity
    committer: Identity


def plan(branch: RegistryBranch, snapshot: Snapshot, changes: Changes) -> dict[str, bytes | None]:
    """Return the new content of each file that differs from the snapshot, by path; None for a file to remove."""
    files: dict[str, bytes | None] = {}
    for key, wanted in changes.files.items():
        path = f"{branch.root}/{key.path}" if branch.root else key.path
        old = branch.repository.read(snapshot.commit, path)
        new = write(key, wanted, old) if isinstance(wanted, Document) else wanted
        if new != old:
            files[path] = new
    return files


def commit(
    branch: RegistryBranch,
    operation: Operation,
    writer: Callable[[], Writer],
    *,
    upstream: Upstream | None = None,
    dry_run: bool = False,
    patience: float | None = None,
) -> Outcome:
    """Run an operation and commit its changes to the branch, again where other writers are faster.

    Parameters
    ----------
    operation:
        Returns the changes for a snapshot; called at each try.
    writer:
        Returns author and committer; called at each try, so that the commit has the time of that try.
    upstream:
        The remote that moves first; None for a registry without one.
    dry_run:
        Return the planned changes and write nothing.
    patience:
        The time in seconds for all tries; by default PATIENCE, or REMOTE_PATIENCE with a remote.

    Raises
    ------
    Conflict
        Other writers were faster until the time ran out, or a lock file of Git stays.
    WorkTreeBusy
        Another process has locked the Git index of a work tree with the branch checked out.
    WorkTreeLags
        The commit is on the branch, but such a work tree could not be updated.
    CloneLags
        The commit is on the remote's branch, but this clone's refs could not be moved.
    Refused
        The rules of the operation or of the remote forbid the change, or files in a work tree are in its way.
    Unreachable
        The remote does not answer.
    """
    if dry_run:
        snapshot = branch.snapshot()
        changes = operation(snapshot)
        return Outcome(None, changes, plan(branch, snapshot, changes))
    if patience is None:
        patience = REMOTE_PATIENCE if upstream else PATIENCE
    deadline = time.monotonic() + patience
    attempt, took = 0, 0.0
    lock = _LockInTheWay()
    while True:
        time.sleep(max(lock.pause(), upstream.pause(attempt, took) if upstream else _pause(attempt)))
        begun = time.monotonic()
        try:
            with branch.repository.lock(timeout=max(0.0, deadline - time.monotonic())):
                return _try(branch, operation, writer, upstream)
        except WorkTreeBusy:
            raise  # waited for already; the lock of a killed process is never released
        except Conflict as conflict:
            # Before the deadline, only writers without our lock come here: plain git, and other clones.
            attempt, took = attempt + 1, time.monotonic() - begun
            lock.note(conflict, begun)
            trace(f"try {attempt} failed: {conflict.message}")
            if time.monotonic() >= deadline or lock.stays:
                raise


def _pause(attempt: int) -> float:
    """Return the backoff in seconds, with jitter, before a try; `attempt` counts from 0, which waits 0 s."""
    return random.uniform(_FLOOR, 0.01 * 2 ** min(attempt, 7)) if attempt else 0.0  # noqa: S311 - jitter, no secret


class _LockInTheWay:
    """The lock file of Git that stopped all the latest tries of a write, if there is one."""

    def __init__(self) -> None:
        self._path: str | None = None
        self._since = 0.0
        self._tries = 0

    def note(self, conflict: Conflict, begun: float) -> None:
        """Count a failed try, and warn of a lock file that stopped several: its process may be dead.

        Parameters
        ----------
        begun:
            The start of the try, in seconds of the monotonic clock.
        """
        path = conflict.path if isinstance(conflict, Locked) else None
        if path != self._path:
            self._path, self._since, self._tries = path, begun, 0
        self._tries += 1
        if path is not None and self._tries == _TOLD_AFTER:
            warnings.warn(f"{conflict.message}; waiting for it", stacklevel=2)

    @property
    def stays(self) -> bool:
        """True if the lock file stays for longer than a live process would keep it."""
        return self._path is not None and self._tries > _TOLD_AFTER and time.monotonic() - self._since > LOCK_PATIENCE

    def pause(self) -> float:
        """Return the shortest wait for the lock file, in seconds; 0 where none is in the way."""
        return min(1.0, _FLOOR * 2 ** min(self._tries, 10)) if self._path is not None else 0.0


def _try(
    branch: RegistryBranch, operation: Operation, writer: Callable[[], Writer], upstream: Upstream | None
) -> Outcome:
    repository = branch.repository
    repository.finish_following()
    theirs = upstream.catch_up() if upstream else None
    snapshot = branch.snapshot()
    settings = snapshot.sound_settings()
    changes = operation(snapshot)
    files = plan(branch, snapshot, changes)
    if not files:
        return Outcome(None, changes, files)
    who = writer()
    committer = dated_after(who.committer, repository.commit(snapshot.commit))
    made = repository.build_commit(
        snapshot.commit, files, message=changes.message, author=who.author, committer=committer
    )
    updates = [
        RefUpdate(branch.ref, made, snapshot.commit),
        *derived_updates(branch, settings, made, files),
    ]
    published = False
    try:
        with repository.follow(branch.ref, snapshot.commit, made):
            if upstream:
                upstream.publish(made, theirs, updates)
                published = True
            repository.update_refs(updates, reason=f"gitreg: {changes.subject}")
    except WorkTreeLags:
        raise  # the commit is on the branch, and must not be made again
    except GitregError as error:
        if published:
            raise CloneLags(upstream.branch if upstream else branch.name, made, error) from error
        if not isinstance(error, Refused):
            raise
        if branch.head() != snapshot.commit:  # the branch moved meanwhile
            raise Conflict(f"{branch.name} was changed by somebody else in the meantime", hint="try again") from None
        raise
    with suppress(Conflict):  # a locked index is no reason to commit again
        branch.snapshot_at(made)  # adds the new commit to the index
    return Outcome(made, changes, files)


def derived_updates(
    branch: RegistryBranch, settings: RegistryDocument, made: str, files: dict[str, bytes | None]
) -> list[RefUpdate]:
    """Return the updates of derived refs for the files of a commit: tags of new records, mirrors of moved pointers.

    Raises
    ------
    IntegrityError
        The tag of a new record exists already.
    """
    updates = []
    for path, content in files.items():
        key = parse_path(path[len(branch.root) + 1 :] if branch.root else path)
        if key is None:
            continue
        if key.kind == "model_version" and content is not None:
            updates.append(_seal(branch, settings, made, key, content))
        elif key.kind in ("stage", "alias"):
            updates.append(RefUpdate(mirror_ref(settings, key), made))
    return updates


def _seal(branch: RegistryBranch, settings: RegistryDocument, made: str, key: Key, content: bytes) -> RefUpdate:
    known = recognise(key, content)
    record: dict[str, Any] = read(known.string) if known else read_data(key, content)
    ref, tag = build_seal(branch.repository, settings, made, record, sha256(content).hexdigest())
    if branch.repository.read_ref(ref) is not None:
        raise IntegrityError(
            f"the tag {ref} is there already, but the branch had no record of {key.model}@{key.name}",
            hint="run `gitreg doctor`; a tag that belongs to no record has to go before the name can be used",
        )
    return RefUpdate(ref, tag, None)
