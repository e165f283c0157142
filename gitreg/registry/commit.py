"""The one way to write: an operation on the newest snapshot becomes one commit, and refs move with it or not at all.

Blobs are in the store before this begins. Then, under the repository's lock: Git objects, one commit, and in one
transaction the branch, the tags that seal new records and the mirrors of what moved; of the remote first, where the
registry has one. When another writer was faster the operation runs again on what that writer left; nothing is ever
rebased.
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

from gitreg.documents.canonical import read, recognise
from gitreg.documents.files import read_data, write
from gitreg.documents.layout import Key, parse_path
from gitreg.documents.types import Document, RegistryDocument
from gitreg.errors import CloneLags, Conflict, GitregError, IntegrityError, Locked, Refused, WorkTreeBusy, WorkTreeLags
from gitreg.git import RefUpdate, Signature
from gitreg.registry.changes import Changes
from gitreg.registry.dates import dated_after
from gitreg.registry.derived import build_seal, mirror_ref
from gitreg.registry.ledger import Ledger
from gitreg.registry.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.registry.upstream import Upstream

Operation = Callable[[Snapshot], Changes]

PATIENCE = 60.0
"""How long, in seconds, a writer waits for others in the same repository before it gives up."""

REMOTE_PATIENCE = 300.0
"""The same where there is a remote: of hundreds who write to it at once each needs a second."""

LOCK_PATIENCE = 10.0
"""For how long, in seconds, one and the same lock file of Git is waited for, which is held for milliseconds."""

_TOLD_AFTER = 3
"""After how many tries that a lock has stopped it is told."""

_FLOOR = 0.005
"""The least that is waited before another try, in seconds."""


class Proposal(NamedTuple):
    """Where a change awaits its merge.

    Parameters
    ----------
    branch:
        On the remote.
    url:
        Where the pull request is, or can be opened; None where that is not known.
    opened:
        Whether it is open.
    """

    branch: str
    url: str | None
    opened: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an operation.

    Parameters
    ----------
    commit:
        The commit that was made; None where nothing was left to do, or for a dry run.
    changes:
        What the operation asked for.
    written:
        By path, what the files say or would say now; None for those removed.
    proposal:
        Where the commit awaits its merge, if it does.
    """

    commit: str | None
    changes: Changes
    written: dict[str, bytes | None]
    proposal: Proposal | None = None


@dataclass(frozen=True)
class Writer:
    """Who writes.

    Parameters
    ----------
    author, committer:
        As Git knows them, with the time.
    """

    author: Signature
    committer: Signature


def plan(ledger: Ledger, snapshot: Snapshot, changes: Changes) -> dict[str, bytes | None]:
    """Give the files that would really change, by path: what they would say, None for those removed."""
    files: dict[str, bytes | None] = {}
    for key, wanted in changes.files.items():
        path = f"{ledger.root}/{key.path}" if ledger.root else key.path
        old = ledger.repository.read(snapshot.commit, path)
        new = write(key, wanted, old) if isinstance(wanted, Document) else wanted
        if new != old:
            files[path] = new
    return files


def commit(
    ledger: Ledger,
    operation: Operation,
    writer: Callable[[], Writer],
    *,
    upstream: Upstream | None = None,
    dry_run: bool = False,
    patience: float | None = None,
) -> Outcome:
    """Run an operation until it is on the branch.

    Parameters
    ----------
    writer:
        Asked at each try, so that the commit carries its own time.
    upstream:
        The remote that moves first.
    dry_run:
        Do all but the last step.
    patience:
        How long to try, in seconds; PATIENCE, or REMOTE_PATIENCE where there is a remote.

    Raises
    ------
    Conflict
        Others were faster until patience ran out.
    WorkTreeBusy
        Another process holds the index of a work tree that has the branch checked out.
    WorkTreeLags
        It is on the branch, and such a work tree could not follow.
    CloneLags
        It is on the remote's branch, and this clone's own could not follow.
    Refused
        The operation's rules forbid it, the remote's do, or a work tree holds something in the way.
    Unreachable
        The remote does not answer.
    """
    if dry_run:
        snapshot = ledger.snapshot()
        changes = operation(snapshot)
        return Outcome(None, changes, plan(ledger, snapshot, changes))
    if patience is None:
        patience = REMOTE_PATIENCE if upstream else PATIENCE
    deadline = time.monotonic() + patience
    attempt, took = 0, 0.0
    lock = _LockInTheWay()
    while True:
        time.sleep(max(lock.pause(), upstream.pause(attempt, took) if upstream else _pause(attempt)))
        begun = time.monotonic()
        try:
            with ledger.repository.lock(timeout=max(0.0, deadline - time.monotonic())):
                return _try(ledger, operation, writer, upstream)
        except WorkTreeBusy:
            raise  # it was waited for; a lock that a killed process left is never given back
        except Conflict as conflict:
            # Before the deadline only who does not take our lock: plain git, and writers in other clones.
            attempt, took = attempt + 1, time.monotonic() - begun
            lock.note(conflict, begun)
            if time.monotonic() >= deadline or lock.stays:
                raise


def _pause(attempt: int) -> float:
    """Give how long to wait, in seconds, before the n-th try, counted from 0."""
    return random.uniform(_FLOOR, 0.01 * 2 ** min(attempt, 7)) if attempt else 0.0  # noqa: S311 - jitter, no secret


class _LockInTheWay:
    """The lock file that has stopped all the last tries of a write, if one has."""

    def __init__(self) -> None:
        self._path: str | None = None
        self._since = 0.0
        self._tries = 0

    def note(self, conflict: Conflict, begun: float) -> None:
        """Note why a try failed; a lock that has stopped a few is told, for it may be nobody's.

        Parameters
        ----------
        begun:
            When the try began, by the monotonic clock in seconds.
        """
        path = conflict.path if isinstance(conflict, Locked) else None
        if path != self._path:
            self._path, self._since, self._tries = path, begun, 0
        self._tries += 1
        if path is not None and self._tries == _TOLD_AFTER:
            warnings.warn(f"{conflict.message}; waiting for it", stacklevel=2)

    @property
    def stays(self) -> bool:
        """True where it has been there for so long that no process at work can have made it."""
        return self._path is not None and self._tries > _TOLD_AFTER and time.monotonic() - self._since > LOCK_PATIENCE

    def pause(self) -> float:
        """Return how long to wait for it at least, in seconds: it is no rival, who would be faster meanwhile."""
        return min(1.0, _FLOOR * 2 ** min(self._tries, 10)) if self._path is not None else 0.0


def _try(ledger: Ledger, operation: Operation, writer: Callable[[], Writer], upstream: Upstream | None) -> Outcome:
    repository = ledger.repository
    repository.finish_following()
    theirs = upstream.catch_up() if upstream else None
    snapshot = ledger.snapshot()
    settings = snapshot.sound_settings()
    changes = operation(snapshot)
    files = plan(ledger, snapshot, changes)
    if not files:
        return Outcome(None, changes, files)
    who = writer()
    committer = dated_after(who.committer, repository.commit(snapshot.commit))
    made = repository.build_commit(
        snapshot.commit, files, message=changes.message, author=who.author, committer=committer
    )
    updates = [
        RefUpdate(ledger.ref, made, snapshot.commit),
        *derived_updates(ledger, settings, made, files),
    ]
    published = False
    try:
        with repository.follow(ledger.ref, snapshot.commit, made):
            if upstream:
                upstream.publish(made, theirs, updates)
                published = True
            repository.update_refs(updates, reason=f"gitreg: {changes.subject}")
    except WorkTreeLags:
        raise  # it is done, and must not be done again
    except GitregError as error:
        if published:
            raise CloneLags(upstream.branch if upstream else ledger.branch, made, error) from error
        if not isinstance(error, Refused):
            raise
        if ledger.head() != snapshot.commit:  # what is in the way was committed meanwhile
            raise Conflict(f"{ledger.branch} was moved by somebody else", hint="try again") from None
        raise
    with suppress(Conflict):  # what is committed must not be committed again because the index is in somebody's hands
        ledger.snapshot_at(made)  # the index learns it here, where everything is at hand
    return Outcome(made, changes, files)


def derived_updates(
    ledger: Ledger, settings: RegistryDocument, made: str, files: dict[str, bytes | None]
) -> list[RefUpdate]:
    """Give the tags and mirrors that follow from a commit's files.

    Raises
    ------
    IntegrityError
        A tag of a new record's name is there already and seals something else.
    """
    updates = []
    for path, content in files.items():
        key = parse_path(path[len(ledger.root) + 1 :] if ledger.root else path)
        if key is None:
            continue
        if key.kind == "model_version" and content is not None:
            updates.append(_seal(ledger, settings, made, key, content))
        elif key.kind in ("stage", "alias"):
            updates.append(RefUpdate(mirror_ref(settings, key), made))
    return updates


def _seal(ledger: Ledger, settings: RegistryDocument, made: str, key: Key, content: bytes) -> RefUpdate:
    known = recognise(key, content)
    record: dict[str, Any] = read(known.string) if known else read_data(key, content)
    ref, tag = build_seal(ledger.repository, settings, made, record, sha256(content).hexdigest())
    if ledger.repository.read_ref(ref) is not None:
        raise IntegrityError(
            f"the tag {ref} is there already, but the branch had no record of {key.model}@{key.name}",
            hint="run `gitreg doctor`; a tag that belongs to no record has to go before the name can be used",
        )
    return RefUpdate(ref, tag, None)
