"""The rules of a branch applied to new commits: to one merge, or to each commit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitreg.blobs.reader import StoreReader
from gitreg.documents.layout import parse_path
from gitreg.errors import GitregError
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.promotion.enforce import barred, explained_by
from gitreg.registry.promotion.settings_changes import SettingsChange, differing_fields, settings_change
from gitreg.registry.review.semantic_diff import Move, moves
from gitreg.registry.rules.merge_rules import problems
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.dates import misdated
from gitreg.registry.state.index import IndexEntry
from gitreg.registry.state.merge_preview import Merge, each_commit

_TWICE = "moves twice in this proposal"
_ONE_COMMIT = "make one commit of it (`git rebase -i`)"
_ALLOW = "on the server: git config gitreg.settings allow"
_SET_THE_CLOCK = "set the clock right, then: git commit --amend --no-edit"


@dataclass(frozen=True)
class Judgement:
    """The judgement of the rules on a merge.

    Parameters
    ----------
    problems:
        All reasons why the merge is refused, those of the policy included.
    unmet:
        The problems that come from the policy.
    moves:
        The pointers that move, each with the policy's decision; empty if the settings cannot be read.
    settings:
        The change of permissions in ``gitreg.yaml``; None if there is none.
    readable:
        False if the settings cannot be read, so that nothing more can be judged.
    """

    problems: tuple[Problem, ...]
    unmet: tuple[Problem, ...] = ()
    moves: tuple[Move, ...] = ()
    settings: SettingsChange | None = None
    readable: bool = True


def judge(
    branch: RegistryBranch, merge: Merge, context: PromotionContext = UNKNOWN, source: StoreReader | None = None
) -> Judgement:
    """Judge a merge by the rules, and by the policy, the people and the stages of its base.

    The order: unreadable files, fixed fields, sealed records, pointers and numbers
    (:mod:`gitreg.registry.rules.merge_rules`); dates of commits that move a stage; changes of permissions
    (:mod:`gitreg.registry.promotion.settings_changes`); moves of stages and aliases.

    Parameters
    ----------
    merge:
        The merge preview.
    context:
        The context for the policy's gates; the promoter is read from the commits.
    source:
        The store for manifests that records do not list; used for the description of the moves.
    """
    found = list(problems(branch, merge))
    if any(problem.where == "gitreg.yaml" for problem in found):
        return Judgement(tuple(found), readable=False)  # unreadable settings: nothing more can be judged
    found += _misdated(branch, merge, context)
    settings = settings_change(merge, context)
    of_settings = tuple(_of_settings(settings, context)) if settings else ()
    moved: tuple[Move, ...] = ()
    try:
        moved = tuple(moves(merge, context, source))
    except GitregError as error:
        remedy = f"on the target branch: {error.hint}" if error.hint else "mend it on the target branch"
        found.append(Problem("gitreg.yaml", f"says a policy that is not understood: {error.message}", remedy))
    unmet = (*of_settings, *(problem for move in moved for problem in _unmet(move)))
    return Judgement((*found, *unmet), unmet, moved, settings)


def judge_each(
    branch: RegistryBranch, base: str, head: str, context: PromotionContext = UNKNOWN, *, protecting: bool = False
) -> list[Problem]:
    """Judge each commit of a branch by itself, oldest first: a later commit cannot undo the problem of an earlier one.

    Parameters
    ----------
    base:
        The commit that the branch is at, on the first-parent line of the head.
    head:
        The commit that the branch is to move to.
    protecting:
        True if protected stages may be entered by merge commits only.

    Returns
    -------
    list:
        The problems of the first commit that has any; empty if none has.
    """
    several = branch.repository.commit(head).parents[:1] != (base,)
    for oid, merge in each_commit(branch, base, head):
        judgement = judge(branch, merge, context)
        found = list(judgement.problems)
        if protecting and len(branch.repository.commit(oid).parents) < 2:
            found += _protected(judgement)
        if found:
            within = f" (in {oid[:12]})" if several else ""
            return [replace(problem, what=f"{problem.what}{within}") for problem in dict.fromkeys(found)]
    return []


def moves_twice(branch: RegistryBranch, merge: Merge) -> Iterator[Problem]:
    """Yield a problem for each pointer or permission field that more than one commit of a proposal changes."""
    root = f"{branch.root}/" if branch.root else ""
    for path, changes in merge.steps.items():
        key = parse_path(path.removeprefix(root))
        steps = [step for step in changes if step[0] != step[1]]
        if key is None or len(steps) < 2:
            continue
        if key.kind in ("stage", "alias"):
            yield Problem(key.path, _TWICE, _ONE_COMMIT)
        elif key.kind == "registry":
            moved = [field for old, new in steps for field in differing_fields(branch.repository, old, new)]
            for field in dict.fromkeys(field for field in moved if moved.count(field) > 1):
                yield Problem(key.path, f"at /{field}: {_TWICE}", _ONE_COMMIT)


def _misdated(branch: RegistryBranch, merge: Merge, context: PromotionContext) -> Iterator[Problem]:
    """Yield a problem for each stage that moves in a commit with an impossible date; dates tell how long it is held."""
    if merge.base is None:
        return
    repository, now = branch.repository, context.now() if context.now else None
    for change in merge.changes:
        if change.key is None or change.key.kind != "stage" or change.old == change.new:
            continue
        contents = merge.head.index.history(merge.head.seq, *change.key)
        movers = [merge.head.index.moment(_newest_place(contents[0], merge.head.seq)).oid] if contents else []
        if repository.follows(merge.head.commit, merge.base.commit):
            movers.append(merge.head.commit)  # the branch's own commit, which may merge the commit that moves the stage
        for commit in dict.fromkeys(movers):
            made = repository.commit(commit)
            parent = None if repository.is_boundary(commit) or not made.parents else repository.commit(made.parents[0])
            if problem := misdated(made, parent, now):
                yield Problem(change.key.path, f"moves {problem}", _SET_THE_CLOCK)


def _newest_place(entry: IndexEntry, seq: int) -> int:
    """Return the position, at most ``seq``, of a file's last change; the index may know later commits."""
    return entry.until if entry.until is not None and entry.until <= seq else entry.since


def _unmet(move: Move) -> Iterator[Problem]:
    version = move.after
    if version is None:
        return
    if version.yanked and move.kind == "stage":
        yield Problem(
            move.path, f"{version.reference} was yanked and cannot take a stage", f"`gitreg unyank {version.reference}`"
        )
    for result in move.decision.unmet if move.decision else ():
        yield Problem(
            move.path,
            f"{barred(version.reference, move.key)}: {result.name}: {result.sentence}",
            explained_by(version.reference, move.key),
        )


def _of_settings(change: SettingsChange, context: PromotionContext) -> Iterator[Problem]:
    """Yield the problems of a change of permissions."""
    if change.guarded and context.settings_guarded:
        problem = "changes who may do what, and no settings policy says who may do that"
        remedy = f"{_ALLOW}, until this is pushed" if change.begins else f"add policies.settings; or {_ALLOW}"
        yield Problem("gitreg.yaml", problem, remedy)
    for result in change.decision.unmet if change.decision else ():
        problem = f"changes who may do what: {result.name}: {result.sentence}"
        yield Problem("gitreg.yaml", problem, "policies.settings of the file before says who may; see `gitreg check`")


def _protected(judgement: Judgement) -> Iterator[Problem]:
    """Yield a problem for each change of a protected stage, or of the settings, that is made without a merge commit."""
    settings = judgement.settings
    if settings is not None and settings.decision is not None and settings.decision.protected:
        problem = "changes who may do what, which is done by pull request only (`protected` in policies.settings)"
        yield Problem("gitreg.yaml", problem, "propose it, and merge it with a merge commit")
    for move in judgement.moves:
        if move.decision is not None and move.decision.protected:
            problem = f"{move.name} is entered by pull request only (`protected` in gitreg.yaml)"
            remedy = "propose it (`gitreg promote ... --pr`), and merge it with a merge commit"
            yield Problem(move.path, problem, remedy)
