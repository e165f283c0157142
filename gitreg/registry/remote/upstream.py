"""The upstream: the declared remote, whose branch is the truth for all clones; it moves first, then the clone follows.

The branch of a clone is at the last fetched commit of the remote's branch, or ahead of it by commits made with
``--local``. A writer fetches first, builds on the fetched commit, and pushes all refs by compare-and-swap.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from gitreg.documents.layout import parse_path
from gitreg.documents.types import RegistryDocument
from gitreg.errors import (
    Conflict,
    Declined,
    IntegrityError,
    NotAtomic,
    NotFound,
    Refused,
    StaleRefs,
    Unreachable,
    WorkTreeLags,
)
from gitreg.git import ANY, RefUpdate, Repository
from gitreg.git.refs.stale_locks import stale_locks
from gitreg.git.remote.protocol import PEELED, Remote
from gitreg.git.urls import hide_login
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.remote.mirror_moves import MirrorMoves, mirror_moves, mirror_updates
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import mirror_namespace, mirror_namespaces, mirror_ref, tag_prefix, tag_ref
from gitreg.registry.state.settings_file import settings_data
from gitreg.registry.state.snapshot import ModelVersion, Snapshot

_YIELD, _HURRY = 3.0, 3
"""The backoff on a busy branch: the longest first wait, in durations of a try, and the lost tries that end it.

The longest wait is halved after each lost try; at the end it is `_FLOOR`. A try counts as a second at least.
"""

_FLOOR = 0.05
"""The shortest wait after a lost try, in seconds."""

_CONTENDED = 10.0
"""The seconds for which a branch counts as busy after a lost try."""

_ALL_OF_IT = 0x7FFFFFFF
"""The depth of ``git fetch --unshallow``."""

_HOLDING = ("refs/heads/*", "refs/tags/*", "refs/drafts/*")
"""The patterns of refs that may have records which are not on the branch."""

_LOT = 500
"""The refs per fetch: each is an argument of git, and the system limits the length of a command."""

_SURVEYS = 3
"""The most tries to list and fetch refs that move meanwhile."""

_AT_ONCE = 20
"""The most tags that are fetched by name; if more are missing, all tags are fetched."""


class Upstream:
    """The remote of a registry.

    Parameters
    ----------
    branch:
        The branch in this clone.
    remote:
        The name of the remote in Git's configuration.
    clock:
        Returns the time in seconds since the epoch.
    mirror_of:
        The URL by which the registry was opened, if this repository is a mirror of it.
    context:
        Returns the context for the policies of stages whose mirror refs move; by default branch and clock only.
    """

    def __init__(
        self,
        branch: RegistryBranch,
        remote: str,
        clock: Callable[[], float],
        *,
        mirror_of: str | None = None,
        context: Callable[[], PromotionContext] | None = None,
    ) -> None:
        self._branch = branch
        self._context = context or (lambda: PromotionContext(now=clock, branch=branch))
        self._clock = clock
        self._repository = branch.repository
        self._remote: Remote = self._repository.remotes.open(remote)
        self._remote_name = remote
        self._mirror_of = hide_login(mirror_of) if mirror_of else ""
        self._remote.name = self._mirror_of.partition("#")[0] or self._remote.name
        self.name = self._remote.name
        folder = self._repository.common_dir / "gitreg"
        self._asked = folder / f"fetched-{remote}"
        self._contended = folder / f"contended-{remote}"
        self._custom_refs = folder / f"refused-{remote}"
        self._fetched = f"refs/gitreg/{remote}/fetched/{branch.name}"
        self._accepted = f"refs/gitreg/{remote}/accepted/{branch.name}"

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return int(self._clock())

    @property
    def branch(self) -> str:
        """The name of its branch for messages, as ``REMOTE/BRANCH``."""
        return f"{self.name}/{self._branch.name}"

    @property
    def fetched_at(self) -> float | None:
        """The time of the last fetch, in seconds since the epoch; None if there was none."""
        with suppress(FileNotFoundError):
            return self._asked.stat().st_mtime
        return None

    @property
    def accepted(self) -> str | None:
        """The last accepted commit of its branch; None before the first."""
        return self._repository.read_ref(self._accepted)

    @property
    def takes_mirrors(self) -> bool:
        """Return whether it has not refused refs that are neither branches nor tags."""
        return not self._custom_refs.exists()

    # -- fetching ----------------------------------------------------------------------------------------------------

    def fetch(self) -> str | None:
        """Fetch the remote's branch and return its commit; None if the remote has no such branch yet.

        A shallow clone is deepened to the whole history, which the stage history needs.

        Raises
        ------
        NotFound, Unreachable
            There is no such remote, or it does not answer.
        """
        depth = _ALL_OF_IT if self._repository.is_shallow else None
        try:
            self._remote.fetch([f"+{self._branch.ref}:{self._fetched}"], depth=depth)
        except NotFound:
            if self._remote.refs(self._branch.ref):
                raise
            found = None
        else:
            found = self._repository.read_ref(self._fetched)
            if depth:
                self._branch.reopen()  # the index ends where the shallow history did
        self._asked.parent.mkdir(exist_ok=True)
        self._asked.touch()
        return found

    def lacks_head(self) -> bool:
        """Return whether HEAD of the remote names no branch that is there: then ``git clone`` checks nothing out."""
        head = self._remote.head()
        return head is None or (head != self._branch.ref and not self._remote.refs(head))

    def survey(self) -> tuple[str | None, dict[str, str]]:
        """Fetch all refs of the remote that may have records, without moving any ref here.

        Refs of pull requests, which forges keep for ever (``refs/pull/`` and the like), are left out.

        Returns
        -------
        tuple:
            The commit of the remote's branch, None if there is no such branch yet; and the refs: object ids by full
            name.

        Raises
        ------
        Refused
            The branch was removed, or its history was rewritten: blobs of its former commits may be needed.
        NotFound, Unreachable
            As for `fetch`.
        Conflict
            The refs moved during each of several tries.
        """
        repository, before, ours = self._repository, self.accepted, self._branch.head()
        settings = None if ours is None else self._branch.snapshot_at(ours).settings
        mirrors = [f"{name}/*" for name in mirror_namespaces(settings)] if settings else []
        for _ in range(_SURVEYS):
            listed = self._remote.refs(*_HOLDING, *mirrors)
            refs = {name: oid for name, oid in listed.items() if not name.endswith(PEELED)}
            theirs = refs.get(self._branch.ref)
            if theirs is not None and (repository.is_shallow or repository.object_type(theirs) is None):
                self.fetch()
            lacking = _lacking(repository, refs)
            for start in range(0, len(lacking), _LOT):
                with suppress(NotFound):  # a ref was removed meanwhile
                    self._remote.fetch(lacking[start : start + _LOT])
            if not _lacking(repository, refs):
                break
        else:
            raise Conflict(f"the refs of {self.name} move while they are read", hint="try again")
        if before is not None and theirs is None:
            raise Refused(f"{self.branch} is gone", hint="find out who removed it")
        if before is not None and theirs is not None and not repository.is_ancestor(before, theirs):
            self._leave(before, ours, theirs, accept_rewrite=False)
        return theirs, refs

    def catch_up(self, *, accept_rewrite: bool = False) -> str | None:
        """Fetch the remote's branch, move the clone's branch to it and return its commit; None if there is none.

        Parameters
        ----------
        accept_rewrite:
            True to follow the remote's branch even if its history was rewritten.

        Raises
        ------
        Refused
            Both have commits that the other lacks, or the remote's history was rewritten.
        """
        theirs, ours = self.fetch(), self._branch.head()
        if theirs is None:
            return None
        repository, before = self._repository, self._repository.read_ref(self._accepted)
        if theirs != ours:
            rewritten = before is not None and not repository.is_ancestor(before, theirs)
            if before is not None and rewritten:
                self._leave(before, ours, theirs, accept_rewrite=accept_rewrite)
            if rewritten or ours is None or repository.is_ancestor(ours, theirs):
                mirrors = self._mirrors() if rewritten else set()
                self._follow(ours, theirs)
                self._drop_mirrors(mirrors - self._mirrors() if mirrors else mirrors)
            elif not repository.is_ancestor(theirs, ours):
                raise self._apart(theirs, ours)
        self._accept(theirs)
        return theirs

    def _accept(self, commit: str) -> None:
        """Write the accepted commit of the remote's branch into a ref, to detect a rewritten history later."""
        if self._repository.read_ref(self._accepted) != commit:
            with suppress(Conflict):
                self._repository.update_refs([RefUpdate(self._accepted, commit)], reason=f"gitreg: {self.branch}")

    def _follow(self, ours: str | None, theirs: str) -> None:
        branch, repository = self._branch, self._repository
        try:
            with repository.follow(branch.ref, ours, theirs):
                repository.update_refs([RefUpdate(branch.ref, theirs, ours)], reason=f"gitreg: pull from {self.name}")
        except WorkTreeLags:
            self._accept(theirs)
            self.move_mirrors()
            raise
        self.move_mirrors()

    def _mirrors(self) -> set[str]:
        """Return the mirror refs that the clone's branch implies."""
        return {move.name for move in mirror_updates(self._branch, self._branch.snapshot())}

    def _drop_mirrors(self, names: Collection[str]) -> None:
        """Remove the mirror refs of pointers that do not exist in a rewritten history."""
        current = [(name, self._repository.read_ref(name)) for name in names]
        with suppress(Conflict):  # as for `move_mirrors`
            self._repository.update_refs([RefUpdate(name, None, oid) for name, oid in current if oid], reason="gitreg")

    def move_mirrors(self) -> None:
        """Move this clone's mirror refs of stages and aliases as its branch says; warn of those that may not move.

        Raises
        ------
        NotFound, Unreachable, IntegrityError
            As for `fetch_tags`.
        """
        moves = self.mirror_moves(self._branch.snapshot())
        moves.tell()
        with suppress(Conflict):  # another process moves them; `gitreg doctor` repairs the rest
            self._repository.update_refs(moves.due, reason=f"gitreg: follow {self.name}")

    def mirror_moves(self, snapshot: Snapshot, other_refs: Mapping[str, str] | None = None) -> MirrorMoves:
        """Return the moves of mirror refs, due and refused (`gitreg.registry.remote.mirror_moves.mirror_moves`).

        Parameters
        ----------
        other_refs:
            The mirror refs of another repository, by name; None for those of this one.

        Raises
        ------
        NotFound, Unreachable, IntegrityError
            As for `fetch_tags`.
        """
        ask = partial(mirror_moves, self._branch, snapshot, self._context, other_refs=other_refs)
        moves = ask()
        if not moves.refused:
            return moves
        # Signatures are on tags, and this clone may lack the tags of versions that others have just promoted.
        versions = (snapshot.find_version(*each.reference.rpartition("@")[::2]) for each in moves.refused.values())
        self.fetch_tags(snapshot, filter(None, versions))
        return ask()

    def _leave(self, before: str, ours: str | None, theirs: str, *, accept_rewrite: bool) -> None:
        """Raise an error for a rewritten remote branch, unless the rewrite is accepted and loses no local work."""
        from gitreg.registry.remote.rewrites import check_fixed, refusal  # lazy: rewrites are rare

        repository, branch = self._repository, self._branch
        if not accept_rewrite:
            raise refusal(
                repository, branch.root, before, theirs,
                remote=self.name, branch=branch.name, url=self._mirror_of,
            )  # fmt: skip
        check_fixed(repository, branch.root, before, theirs)
        if ours is None or repository.is_ancestor(ours, theirs):
            return
        if changed := repository.changed_work_trees(branch.ref, ours):
            raise Refused(
                f"{changed[0]} has uncommitted work, and the history of {self.branch} was rewritten",
                hint="commit it to a branch of its own, or stash it, and try again",
            )
        if repository.is_ancestor(ours, before):
            return
        own = repository.ahead(ours, before)[1]
        raise Refused(
            f"{branch.name} has {len(own)} commit{'' if len(own) == 1 else 's'} of its own, which the rewritten "
            f"history of {self.branch} lacks (the last is {ours[:12]})",
            hint=f"keep them: `git branch mine {ours[:12]}`, then `git reset --keep {before[:12]}`, and again",
        )

    def _apart(self, theirs: str, ours: str) -> Refused:
        if self._repository.ahead(ours, theirs)[0] is None:  # as a host begins a repository, with a README
            taking = f"on {self._branch.name}: `git merge --allow-unrelated-histories {theirs[:12]}`, then again; or "
            is_registry = settings_data(self._repository, theirs, self._branch.root) is not None
            return Refused(
                f"{self.branch} is {'another registry' if is_registry else 'a history of its own'}: it does not begin "
                f"as {self._branch.name} does",
                hint=f"{'' if is_registry else taking}publish to an empty repository",
            )
        return Refused(
            f"{self._branch.name} is at {ours[:12]} and {self.branch} at {theirs[:12]}: each has commits that the "
            "other lacks",
            hint=rebase_hint(theirs, self._branch.name),
        )

    def fetch_tags(self, snapshot: Snapshot, versions: Iterable[ModelVersion] | None = None) -> None:
        """Fetch the tags of versions that have none in this clone.

        Parameters
        ----------
        snapshot:
            The snapshot with the settings and the versions.
        versions:
            The versions; None for all of the snapshot.

        Raises
        ------
        NotFound, Unreachable
            There is no such remote, or it does not answer.
        IntegrityError
            A tag differs between this clone and the remote.
        """
        settings = snapshot.settings
        present = self._repository.refs(tag_prefix(settings))
        records = (
            ((entry.model, entry.name) for entry in snapshot.index.scan(snapshot.seq, "model_version"))
            if versions is None
            else ((version.model, version.version) for version in versions)
        )
        missing = [ref for ref in (tag_ref(settings, *record) for record in records) if ref not in present]
        if not missing:
            return
        # As a pattern with a star, a tag that the remote lacks is no error.
        asked = [f"{ref}*" for ref in missing] if len(missing) <= _AT_ONCE else [f"{tag_prefix(settings)}*"]
        self._remote.fetch([f"{pattern}:{pattern}" for pattern in asked])

    def fetch_seal(self, ref: str) -> None:
        """Fetch one version's tag without history, if the remote has it.

        Raises
        ------
        Unreachable
            The remote does not answer.
        """
        with suppress(NotFound):
            self._remote.fetch([f"{ref}:{ref}"], depth=1)  # a pattern with a star would match longer names, too

    def bring(self, moves: Sequence[RefUpdate]) -> None:
        """Fetch the missing objects of ref updates, from the remote's refs of the same names.

        Raises
        ------
        NotFound, Unreachable
            As for `fetch`.
        """
        lacking = [move.name for move in moves if move.new and self._repository.object_type(move.new) is None]
        if lacking:
            self._remote.fetch(lacking)

    # -- backoff ----------------------------------------------------------------------------------------------------

    def pause(self, attempt: int, took: float) -> float:
        """Return the backoff, in seconds with jitter, before the n-th try of a write, counted from 0.

        While others write, too, a newcomer waits longest, so that writers who have lost before go first: with equal
        chances, one in two hundred would wait for five times the mean.

        Parameters
        ----------
        attempt:
            The number of lost tries of this write.
        took:
            The duration of the last try, in seconds.
        """
        if attempt:
            self._contended.write_text(f"{took:.1f}")
        elif not self._is_contended():
            return 0.0
        if attempt >= _HURRY:
            return _FLOOR
        most = _YIELD * max(1.0, took or self._try_took()) / 2**attempt
        return random.uniform(_FLOOR, most)  # noqa: S311 - jitter, no secret

    def _is_contended(self) -> bool:
        with suppress(FileNotFoundError):
            return abs(self._clock() - self._contended.stat().st_mtime) < _CONTENDED
        return False

    def _try_took(self) -> float:
        """Return the duration, in seconds, of the last try that was lost in this clone; 0 if unknown."""
        with suppress(OSError, ValueError):
            return float(self._contended.read_text())
        return 0.0

    # -- publishing --------------------------------------------------------------------------------------------------

    def publish(self, commit: str, theirs: str | None, updates: Sequence[RefUpdate]) -> None:
        """Push the branch together with the tags and mirror refs that its new commits imply, by compare-and-swap.

        Parameters
        ----------
        commit:
            The new commit of the branch.
        theirs:
            The present commit of the remote's branch, as returned by `catch_up`.
        updates:
            The refs that move with this commit.

        Raises
        ------
        Conflict
            The remote's branch has moved meanwhile; nothing was changed.
        IntegrityError
            The remote has one of the new tags, but no such record on its branch.
        Declined
            The remote's rules or hooks forbid it.
        Unreachable
            It is unknown whether the push arrived.
        """
        branch = RefUpdate(self._branch.ref, commit, theirs)
        others = {update.name: update for update in self._unpublished(theirs)}
        others.update((update.name, update) for update in updates if update.name != branch.name)
        try:
            self._push([branch, *others.values()])
        except Unreachable:
            if not self._arrived(commit):
                raise
        except StaleRefs as stale:
            only_tags = stale.refs and all(ref.startswith("refs/tags/") for ref in stale.refs)
            if only_tags and self.fetch() == theirs:  # the branch itself has not moved
                raise IntegrityError(
                    f"{self.name} has the tag {stale.refs[0]} already, but its branch has no such record",
                    hint="remove the tag, or merge the record that it seals, before the name is used",
                ) from None
            raise
        self._accept(commit)

    def stale_locks(self) -> list[Path]:
        """Return the lock files left in the remote, if it is a folder on this machine."""
        folder = self._repository.remotes.folder(self._remote_name)
        return stale_locks(folder) if folder else []

    @property
    def url(self) -> str:
        """The URL of the remote, without a password."""
        return self._repository.remotes.url(self.name) or self.name

    def push_branch(self, update: RefUpdate, options: Sequence[str] = ()) -> str:
        """Push one branch of the remote, whatever its commit there, and return the remote's messages for the user.

        Parameters
        ----------
        update:
            The branch and its commit.
        options:
            Push options; a remote that takes none gets the branch without them.
        """
        try:
            return self._remote.push([update], options=options)
        except Declined as declined:
            if not options or declined.refs:
                raise
            return self._remote.push([update])

    def push_for_review(self, update: RefUpdate, options: Sequence[str]) -> str | None:
        """Push to a ref by which the remote opens a pull request; return the remote's messages for the user.

        Returns
        -------
        str or None:
            None if the remote does not take such a push.
        """
        try:
            return self._remote.push([update], options=options)
        except Declined:
            return None

    def push_derived(self, updates: Sequence[RefUpdate]) -> None:
        """Push tags and mirror refs alone; those that the remote has already at the right object are skipped.

        Raises
        ------
        Conflict
            A ref is locked by another process, or was moved elsewhere.
        Declined, Unreachable
            As for `publish`.
        """
        if self._custom_refs.exists():
            updates = [update for update in updates if not self._is_custom(update.name)]
        try:
            if updates:
                self._remote.push(updates)
        except NotAtomic:
            self._push_one_by_one(updates)
        except Declined as declined:
            self._note_declined(declined)
            self.push_derived(updates)
        except Conflict:
            current = self._remote.refs(*(update.name for update in updates))
            left = [update for update in updates if current.get(update.name) != update.new]
            if len(left) == len(updates):
                raise
            self.push_derived(left)

    def derived_refs(self, settings: RegistryDocument) -> dict[str, str]:
        """Return the remote's version tags and mirror refs: object ids by full name; ``<tag>^{}`` is the commit."""
        tags = self._remote.refs(f"{tag_prefix(settings)}*")
        namespaces = {mirror_namespace(settings, kind) for kind in ("stage", "alias")}
        return tags | self._remote.refs(*(f"{namespace}/*" for namespace in sorted(namespaces)))

    def _unpublished(self, theirs: str | None) -> list[RefUpdate]:
        """Return the updates for the tags and mirror refs of commits made with ``--local``."""
        ours = self._branch.head()
        if ours is None or ours == theirs:
            return []
        settings = self._branch.snapshot().settings
        root = self._branch.root
        updates: list[RefUpdate] = []
        for change in self._repository.diff(theirs, ours, root):
            key = parse_path(change.path[len(root) + 1 :] if root else change.path)
            if key is None:
                continue
            if key.kind == "model_version" and change.old is None:
                name, old = tag_ref(settings, key.model, key.name), None
            elif key.kind in ("stage", "alias"):
                name, old = mirror_ref(settings, key), ANY
            else:
                continue
            if oid := self._repository.read_ref(name):
                updates.append(RefUpdate(name, oid, old))
        return updates

    def _push(self, updates: Sequence[RefUpdate]) -> None:
        """Push refs in one transaction, or else the branch first; mirror refs that the remote refuses are left out."""
        branch, *others = updates
        if self._custom_refs.exists():
            others = [update for update in others if not self._is_custom(update.name)]
        try:
            self._remote.push([branch, *(_forced(update) for update in others)])
        except NotAtomic:
            self._remote.push([branch])
            self._push_one_by_one(others)
        except Declined as declined:
            self._note_declined(declined)
            self._push(updates)

    def _note_declined(self, declined: Declined) -> None:
        """Note that the remote takes branches and tags only, if it declined nothing else; otherwise raise the error."""
        if not declined.refs or not all(self._is_custom(ref) for ref in declined.refs):
            raise declined
        self._custom_refs.write_text(f"{declined.message}\n")
        warnings.warn(f"{self.name} takes no refs of stages and aliases; the branch says the same", stacklevel=2)

    def _push_one_by_one(self, updates: Sequence[RefUpdate]) -> None:
        if not updates:
            return
        try:
            self._remote.push([_forced(update) for update in updates], atomic=False)
        except (Conflict, Declined, Unreachable) as error:
            warnings.warn(f"published, but for tags or refs: {error.message}; `gitreg sync` makes them", stacklevel=2)

    def _is_custom(self, ref: str) -> bool:
        """Return whether a ref is neither a branch nor a tag: some hosts refuse such refs."""
        return not ref.startswith(("refs/heads/", "refs/tags/"))

    def _arrived(self, commit: str) -> bool:
        """Return whether the remote's branch contains a commit, after a push without an answer."""
        with suppress(Unreachable, NotFound):
            theirs = self.fetch()
            return theirs is not None and self._repository.is_ancestor(commit, theirs)
        return False


def rebase_hint(theirs: str, branch: str) -> str:
    """Return the way out where a clone and its remote both have commits that the other lacks."""
    return (
        f"`git rebase {theirs[:12]} {branch}`, and `git rebase --skip` where it stops, as at a version that both "
        "numbered alike; then `gitreg doctor --repair` and `gitreg push`, and save again what was skipped"
    )


def _lacking(repository: Repository, refs: Mapping[str, str]) -> list[str]:
    """Return the refs whose objects this clone lacks."""
    return [name for name, oid in refs.items() if repository.object_type(oid) is None]


def _forced(update: RefUpdate) -> RefUpdate:
    """Return the update of a mirror ref without a compare-and-swap: the branch in the same push has one."""
    return update if update.name.startswith(("refs/heads/", "refs/tags/")) else update._replace(old=ANY)
