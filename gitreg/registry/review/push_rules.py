"""The push rules of a self-hosted server: the ref moves that it accepts in a repository with registries.

The branch only moves forward, by commits that each keep the rules (:mod:`gitreg.registry.review.merge_check`). A tag
that seals a version is made once, at the commit that brought the record. A mirror is at a commit that changed its
pointer's file. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from hashlib import sha256

from gitreg.documents.layout import Key
from gitreg.documents.types import RegistryDocument
from gitreg.errors import Conflict, GitregError, InvalidDocument, NotFound
from gitreg.git import RefUpdate, Repository
from gitreg.registry.discovery.registries import affected_roots
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.review.merge_check import judge_each
from gitreg.registry.review.pull_request_check import check
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.merge_preview import is_first_parent_ancestor
from gitreg.registry.state.registry_refs import (
    mirror_namespace,
    parse_mirror_ref,
    parse_tag_ref,
    tag_prefix,
    tag_record,
)
from gitreg.registry.state.seals import readings


def push_problems(
    repository: Repository,
    updates: Sequence[RefUpdate],
    context: Callable[[RegistryBranch], PromotionContext],
    *,
    one_by_one: bool = False,
) -> list[Problem]:
    """Return the problems that forbid a push; an empty list accepts it.

    Parameters
    ----------
    updates:
        The pushed ref updates; the repository has their objects already.
    context:
        Returns the promotion context of a registry.
    one_by_one:
        True if the refs of a push are judged one after the other before any of them moves (the ``update`` hook in
        githooks(5)); a tag may then be ahead of its branch.

    Raises
    ------
    Conflict
        Another push has moved one of the refs meanwhile; git itself would refuse this one.
    """
    _check_current(repository, updates)
    found: list[Problem] = []
    for place in affected_roots(repository, updates):
        with closing(RegistryBranch(repository, *place)) as branch:
            found += _PushedRegistry(branch, updates, context(branch), one_by_one=one_by_one).problems()
    if found:
        _check_current(repository, updates)  # a push of somebody else may be the cause
    return found


def _check_current(repository: Repository, updates: Sequence[RefUpdate]) -> None:
    for update in updates:
        now = repository.read_ref(update.name)
        if now != update.old:
            raise _overtaken(update.name, now)


class _PushedRegistry:
    """One registry, before and after a push."""

    def __init__(
        self, branch: RegistryBranch, updates: Sequence[RefUpdate], context: PromotionContext, *, one_by_one: bool
    ) -> None:
        self._branch = branch
        self._repository = branch.repository
        self._updates = updates
        self._context = context
        self._one_by_one = one_by_one
        self._branch_update = next((update for update in updates if update.name == branch.ref), None)
        self._before = branch.head()
        self._after = self._branch_update.new if self._branch_update else self._before

    def problems(self) -> Iterator[Problem]:
        found = list(self._of_the_branch(self._branch_update)) if self._branch_update else []
        yield from found
        if found or (settings := self._settings()) is None:
            return
        namespaces = tuple(f"{mirror_namespace(settings, kind)}/" for kind in ("stage", "alias"))
        for update in self._updates:
            if update.name.startswith(tag_prefix(settings)):
                yield from self._of_a_tag(settings, update)
            elif update.name.startswith(namespaces) and "@" in update.name.rpartition("/")[2]:
                yield from self._of_a_mirror(settings, update)

    def _settings(self) -> RegistryDocument | None:
        commit = self._before or self._after
        try:
            return self._branch.snapshot_at(commit).settings if commit else None
        except (NotFound, InvalidDocument):
            return None

    # -- the branch --------------------------------------------------------------------------------------------------

    def _of_the_branch(self, update: RefUpdate) -> Iterator[Problem]:
        name = self._branch.name
        if update.new is None:
            yield Problem(update.name, "is the branch of a registry and cannot be deleted", "leave it")
            return
        if update.old is not None and not self._repository.is_ancestor(update.old, update.new):
            problem = f"only moves forward, and {update.new[:12]} would lose commits of {update.old[:12]}"
            yield Problem(
                update.name, problem, f"`git pull --rebase`, or `git rebase {update.old[:12]}`; never --force"
            )
            return
        if update.old is not None and not is_first_parent_ancestor(self._repository, update.old, update.new):
            problem = (
                f"would have another history of its own: {update.old[:12]} came in as the second parent of a merge"
            )
            yield Problem(update.name, problem, f"`git pull --rebase`, or merge into {name} instead of merging {name}")
            return
        try:
            if update.old is None:
                found = list(check(self._branch, None, update.new, context=self._context).problems)
            else:
                context = replace(self._context, before_push=update.old)
                found = judge_each(self._branch, update.old, update.new, context, protecting=True)
        except GitregError as error:
            yield Problem(update.name, error.message, error.hint or "ask who keeps this repository")
            return
        yield from found

    @cached_property
    def _touches(self) -> dict[str, list[str]]:
        """The new commits on the branch that change a file, by path, oldest first."""
        root, touches = self._branch.root, dict[str, list[str]]()
        if self._after is None or self._after == self._before:
            return touches
        before: str | None = self._before
        for oid in reversed(self._repository.line(self._after, until=before)):
            for change in self._repository.diff(before, oid, root):
                path = change.path[len(root) + 1 :] if root else change.path
                touches.setdefault(path, []).append(oid)
            before = oid
        return touches

    # -- derived refs ------------------------------------------------------------------------------------------------

    def _of_a_tag(self, settings: RegistryDocument, update: RefUpdate) -> Iterator[Problem]:
        ref, named = update.name, parse_tag_ref(settings, update.name)
        if named is None:
            if update.new is not None:
                yield Problem(
                    ref, "is no tag of a version", f"choose a name that does not begin with {settings.prefix}/"
                )
            return
        reference = "@".join(named)
        self._look_ahead(update)
        if update.new is not None and self._is_behind(update.new):
            raise _overtaken(self._branch.ref, self._before)
        sealed = self._came_in(Key("model_version", *named))
        if sealed is None:
            if update.new is not None:
                yield Problem(
                    ref,
                    f"would seal {reference}, of which {self._branch.name} has no record",
                    "push the branch first, or together with it (`gitreg push`)",
                )
            return
        commit, digest = sealed
        if update.old is not None and self._tag_problem(ref, update.old, commit, digest) is None:
            yield Problem(ref, f"seals {reference}: it is made once, and neither moves nor goes", "leave it")
        elif update.new is None:
            yield Problem(ref, f"is the tag of {reference} and cannot be deleted", "`gitreg doctor` explains it")
        elif (problem := self._tag_problem(ref, update.new, commit, digest)) is not None:
            yield Problem(ref, problem, "`gitreg sync` makes it as it has to be")

    def _tag_problem(self, ref: str, oid: str, commit: str, digest: str) -> str | None:
        tag = self._repository.tag(oid)
        if tag is None:
            return "is a lightweight tag; it names nobody and no date"
        if tag.target != commit:
            return f"tags {tag.target[:12]}, but its record came in {commit[:12]}"
        if f"refs/tags/{tag.name}" != ref:
            return f"was made for something else ({tag.name})"
        if tag_record(tag.message) not in (None, f"sha256:{digest}"):
            return f"says another digest of its record than sha256:{digest[:12]}..."
        return None

    def _of_a_mirror(self, settings: RegistryDocument, update: RefUpdate) -> Iterator[Problem]:
        ref, key = update.name, parse_mirror_ref(settings, update.name)
        if update.new is None or key is None:
            if update.new is not None:
                yield Problem(ref, "mirrors no stage or alias", "leave that to `gitreg sync`")
            elif key is not None and self._moved(key):
                yield Problem(ref, f"mirrors {key.path} and cannot be deleted", "leave that to `gitreg sync`")
            return
        self._look_ahead(update)
        if update.new is not None and self._is_behind(update.new):
            raise _overtaken(self._branch.ref, self._before)
        if update.new not in self._moved(key):
            problem = f"would be at {update.new[:12]}, where {key.path} did not change"
            yield Problem(ref, problem, "move the pointer's file (`gitreg promote`); the mirror follows")
        elif update.old is not None and not self._repository.is_ancestor(update.old, update.new):
            yield Problem(ref, "would go back, and only moves forward", "`gitreg rollback` is a new commit")

    def _came_in(self, key: Key) -> tuple[str, str] | None:
        """Return the commit that brought a record, and the sha256 of its content; None where there is no record."""
        if self._before is not None:
            snapshot = self._branch.snapshot_at(self._before)
            entry = snapshot.index.get(snapshot.seq, *key)
            if entry is not None and (contents := readings(snapshot, entry)):
                return snapshot.index.moment(contents[-1].since).oid, contents[-1].digest
        touches = self._touches.get(key.path, ())
        for commit in touches:
            content = self._repository.read(commit, self._full(key.path))
            if content is not None:
                return commit, sha256(content).hexdigest()
        return None

    def _moved(self, key: Key) -> set[str]:
        """Return the ids of the branch's commits that changed a pointer's file."""
        found = set(self._touches.get(key.path, ()))
        if self._before is not None:
            snapshot = self._branch.snapshot_at(self._before)
            for entry in snapshot.index.history(snapshot.seq, *key):
                positions = (entry.since, entry.until)
                found |= {snapshot.index.moment(at).oid for at in positions if at is not None and at <= snapshot.seq}
        return found

    def _is_behind(self, oid: str) -> bool:
        """Return whether a ref belongs to a push from an older commit of the branch: another push was faster."""
        commit = self._repository.peel(oid) if self._one_by_one else None
        if commit is None or self._before is None or commit == self._after:
            return False
        return not self._repository.is_ancestor(commit, self._before)

    def _full(self, path: str) -> str:
        return f"{self._branch.root}/{path}" if self._branch.root else path

    def _look_ahead(self, update: RefUpdate) -> None:
        """Set the branch's future commit for the ``update`` hook: assume the commit of this tag or mirror."""
        if not self._one_by_one or self._branch_update is not None or update.new is None:
            return
        commit = self._repository.peel(update.new)
        ahead = commit is not None and (
            self._before is None
            or (
                self._repository.is_ancestor(self._before, commit)
                and is_first_parent_ancestor(self._repository, self._before, commit)
            )
        )
        self._after = commit if ahead else self._before
        self.__dict__.pop("_touches", None)


def _overtaken(ref: str, now: str | None) -> Conflict:
    """Return the error after which gitreg's own clients try again (:mod:`gitreg.git.remote.protocol`)."""
    return Conflict(f"{ref} is at {(now or 'nothing')[:12]} by now", hint="fetch first, and try again")
