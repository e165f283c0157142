"""The check of a pull request or a push: the problems and the effects of merging a commit into the branch.

Both compare two commits, and both are judged by the policy of the target branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gitreg.blobs.reader import StoreReader
from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.registry.promotion.context import UNKNOWN, PromotionContext
from gitreg.registry.promotion.settings_changes import SettingsChange
from gitreg.registry.query.rows import version_row
from gitreg.registry.review.merge_check import judge, moves_twice
from gitreg.registry.review.semantic_diff import CardChange, Link, Move, NewVersionMove, arrivals, card_changes, links
from gitreg.registry.rules.problem import Problem
from gitreg.registry.state.audit_log import events_of, removal_of
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.manifests import Holder
from gitreg.registry.state.merge_preview import Merge, preview_merge
from gitreg.registry.state.runs_and_artifacts import find_artifact
from gitreg.registry.state.snapshot import ModelVersion
from gitreg.registry.weights.verification import VerifiedItem

LookAtWeights = Callable[[Sequence[Holder]], Iterable[VerifiedItem]]
"""A function that verifies the files of versions in the stores."""

_SAID_WRONG = "save the files again with gitreg, which looks at them; a record says what they are"
_SAVE_AGAIN = "`gitreg store copy` brings it there from another store; else save the same files again"
_TOLD_APART = ("model_version", "stage", "alias", "model", "card")


@dataclass(frozen=True)
class Report:
    """The result of a check.

    Parameters
    ----------
    base, head:
        The commit of the branch (None: there is no branch yet), and the commit to merge into it.
    problems:
        The reasons against the merge; it may be merged where there are none.
    moves, arrivals, links, cards:
        The effects of the merge: moved pointers, new versions, new links, changed model cards.
    events:
        The other effects, as rows of ``gitreg log``.
    files, read:
        The number of weight files looked up in the stores, and the number of those read to the end.
    unseen:
        Sentences about parts that were not checked.
    unmet:
        The problems that come from the policy; approvals given later may solve them.
    settings:
        The change of the permissions in the settings; None where there is none.
    """

    base: str | None
    head: str
    problems: tuple[Problem, ...]
    moves: tuple[Move, ...] = ()
    arrivals: tuple[NewVersionMove, ...] = ()
    links: tuple[Link, ...] = ()
    cards: tuple[CardChange, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    files: int = 0
    read: int = 0
    unseen: tuple[str, ...] = ()
    unmet: tuple[Problem, ...] = ()
    settings: SettingsChange | None = None

    @property
    def ok(self) -> bool:
        """True if the commit may be merged."""
        return not self.problems

    def row(self) -> dict[str, Any]:
        """Return the report as a dict for JSON."""
        return {
            "ok": self.ok,
            "base": self.base,
            "head": self.head,
            "problems": [{"where": each.where, "what": each.what, "remedy": each.remedy} for each in self.problems],
            "authority": [change.row() for change in self.settings.authority] if self.settings else [],
            "moves": [move.row() for move in self.moves],
            "versions": [
                {"version": version_row(each.version), "comparison": each.comparison} for each in self.arrivals
            ],
            "links": [link._asdict() for link in self.links],
            "cards": [{"model": card.model, "fields": card.fields, "text": list(card.text)} for card in self.cards],
            "events": list(self.events),
            "weights": {"files": self.files, "read": self.read},
            "unseen": list(self.unseen),
        }


def check(
    branch: RegistryBranch,
    base: str | None,
    head: str,
    *,
    context: PromotionContext = UNKNOWN,
    source: StoreReader | None = None,
    weights: LookAtWeights | None = None,
    unseen: Sequence[str] = (),
) -> Report:
    """Return a report on merging a commit into the registry's branch: the problems, and the effects of the merge.

    Problems that the branch has already, and that the merge does not touch, are not reported. Nothing is written.

    Parameters
    ----------
    base:
        The commit of the branch; its policy, keys and stages count. None: there is no branch yet, so there is no
        policy, and the whole registry at `head` is checked.
    head:
        The commit to merge into the branch, or to move the branch to.
    context:
        The promotion context for the gates; the promoters are read from the commits.
    source:
        The store of manifests whose files no record lists; None leaves those files out of comparisons.
    weights:
        Verifies the files of versions that are new, have new artifacts or enter a stage; None skips that.
    unseen:
        Sentences about parts that the caller does not check.

    Raises
    ------
    Refused
        The commits share no history in this clone.
    NotFound
        The repository lacks one of the commits.
    """
    with preview_merge(branch, base, head) as merge:
        judgement = judge(branch, merge, context, source)
        # If it is merged by a rebase, each commit moves the pointer by itself, and none was judged by itself.
        twice = tuple(moves_twice(branch, merge))
        found, moved = [*judgement.problems, *twice], judgement.moves
        if not judgement.readable:
            return Report(base, head, judgement.problems, unseen=tuple(unseen))
        new = tuple(arrivals(merge, source))
        looked: list[VerifiedItem] = []
        holders = _with_files(merge, new, moved)
        try:
            looked += weights([holder for _, holder in holders]) if weights else ()
        except GitregError as error:
            found.append(Problem("gitreg.yaml", f"names a store that fails: {error.message}", error.hint or "mend it"))
        paths = {holder.reference: path for path, holder in reversed(holders)}
        found += [
            Problem(
                paths[each.reference],
                f"{each.artifact}: {each.problem}",
                _SAID_WRONG if each.difference else _SAVE_AGAIN,
            )
            for each in looked
            if each.problem is not None
        ]
        files = [each for each in looked if each.difference is None]
        return Report(
            base,
            head,
            tuple(dict.fromkeys(found)),
            moved,
            new,
            tuple(links(merge)),
            tuple(card_changes(merge)),
            tuple(_events(merge)),
            len(files),
            sum(finding.read for finding in files),
            tuple(unseen),
            (*judgement.unmet, *twice),
            settings=judgement.settings,
        )


def _with_files(merge: Merge, new: Sequence[NewVersionMove], moved: Sequence[Move]) -> list[tuple[str, Holder]]:
    """Return the versions whose files are to be verified for a merge, each once, with the path of its record."""
    wanted: list[ModelVersion] = [each.version for each in new] + [move.after for move in moved if move.after]
    alone: list[tuple[str, Holder]] = []
    for change in merge.changes:
        key = change.key
        if key and key.kind == "annotation":
            after = merge.head.find_version(key.model, key.name)
            before = merge.base.find_version(key.model, key.name) if merge.base else None
            if after is not None and after.artifacts != (before.artifacts if before else {}):
                wanted.append(after)
        elif key and key.kind == "artifact" and change.old is None:
            found = find_artifact(merge.head, key.model, key.name)
            alone += [(key.path, found)] if found is not None else []
    versions = {version.reference: version for version in wanted if not version.deleted}.values()
    return [(Key("model_version", each.model, each.version).path, each) for each in versions] + alone


def _events(merge: Merge) -> Iterator[dict[str, Any]]:
    for change in merge.changes:
        if change.key is None or change.key.kind in _TOLD_APART or change.old == change.new:
            continue
        before = merge.base.index.get(merge.base.seq, *change.key) if merge.base else None
        after = merge.head.index.get(merge.head.seq, *change.key)
        if after is not None:
            yield from events_of(after, before)
        elif before is not None:
            yield removal_of(before)
