"""The entries of versions into stages, judged again by the policy of that time.

An entry is the commit on the branch's first-parent line with which a version entered a stage.
"""

from __future__ import annotations

from dataclasses import replace

from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.policy.evaluate import Decision
from gitreg.policy.results import Result, Verdict
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.enforce import decide
from gitreg.registry.state.audit_log import overridden_by
from gitreg.registry.state.dates import Dates
from gitreg.registry.state.index import BranchCommit, IndexEntry
from gitreg.registry.state.merge_preview import writing_commit
from gitreg.registry.state.snapshot import ModelVersion, Snapshot
from gitreg.registry.state.stage_history import is_rollback


def entry_decision(snapshot: Snapshot, version: ModelVersion, stage: str, context: PromotionContext) -> Decision | None:
    """Return the decision on a version's last entry into a stage; None where it never entered.

    The policy, the people and the history are taken from the entry's first parent; the version, its card and its
    approvals from the entry. The time is the entry's date; the promoter and the overridden gates are read from its
    commit. ``command`` gates count as passed, as they ran when the entry was checked. Without a policy, the decision
    has no results. Facts that are no longer known give a result that is not evaluated.

    Parameters
    ----------
    snapshot:
        The snapshot of the branch; later entries are not seen.
    context:
        The promotion context.
    """
    entries = _entries(snapshot, version, stage)
    if not entries:
        return None
    # A rollback counts as the earlier entry that it returns to: go back to the first entry that is no rollback.
    line = []
    for entry in entries:
        line.append(entry)
        before = _before(snapshot, entry)
        if before is None or not is_rollback(before, entry):
            break
    decision: Decision | None = None
    for entry in reversed(line):
        returned = decision is not None and decision.allowed
        decision = _judge(snapshot, entry, version.reference, context, rollback=returned)
    return decision


def may_return(snapshot: Snapshot, version: ModelVersion, stage: str, context: PromotionContext) -> bool:
    """Return whether a version may return to a stage by rollback without its gates, as they admitted it before."""
    if not snapshot.settings.policies:
        return True
    decision = entry_decision(snapshot, version, stage, context)
    return decision is not None and decision.allowed


def _entries(snapshot: Snapshot, version: ModelVersion, stage: str) -> list[IndexEntry]:
    """Return the pointers with which a version entered a stage, newest first."""
    found: list[IndexEntry] = []
    until = None
    for entry in snapshot.index.history(snapshot.seq, "stage", version.model, stage):
        if entry.data is None or entry.data["version"] != version.version:
            continue
        if found and entry.until is not None and entry.until == until:
            found[-1] = entry  # the pointer was rewritten with the same version: the entry is the older one
        else:
            found.append(entry)
        until = entry.since
    return found


def _before(snapshot: Snapshot, entry: IndexEntry) -> Snapshot | None:
    """Return the snapshot before an entry; None where there is none, or a shallow clone lacks it."""
    if entry.since <= 1 or snapshot.index.moment(entry.since).boundary:
        return None
    return Snapshot(snapshot.index, entry.since - 1, snapshot.index.moment(entry.since - 1).oid)


def _judge(
    snapshot: Snapshot, entry: IndexEntry, reference: str, context: PromotionContext, *, rollback: bool
) -> Decision:
    moment = snapshot.index.moment(entry.since)
    base = _before(snapshot, entry)
    if base is None:
        cut = (_unknown("history", "how it entered was left out of this shallow clone"),) if moment.boundary else ()
        return Decision(reference, entry.name, False, cut)
    head = Snapshot(snapshot.index, entry.since, moment.oid)
    assert entry.data is not None
    version = head.find_version(entry.model, entry.data["version"], deleted=True)
    try:
        if not base.settings.policies:
            return Decision(reference, entry.name, False, ())
        if version is None:
            return Decision(reference, entry.name, False, (_unknown("record", "its record could not be read then"),))
        branch = context.branch
        author_commit = writing_commit(branch, moment, Key(*entry[:3])) if branch is not None else moment
        then = replace(
            context,
            promoter=lambda: author_commit.email,
            now=lambda: _date(snapshot, moment, context),
            again=True,
            run=lambda *_: True,
            proposing=False,
            files_follow=False,
        )
        force = bool(overridden_by(author_commit))
        return decide(base, head, version, Key(*entry[:3]), then, force=force, rollback=rollback)
    except GitregError as error:  # settings or policies that cannot be parsed admit no version
        return Decision(reference, entry.name, False, (_unknown("policy", error.message),))


def _date(snapshot: Snapshot, moment: BranchCommit, context: PromotionContext) -> float:
    """Return the corrected date of an entry in seconds since the epoch, between the commits before it and now."""
    now = context.now() if context.now is not None else moment.time
    return Dates(snapshot.index, now, context.branch, before_push=context.before_push).came(moment.seq).time


def _unknown(name: str, sentence: str) -> Result:
    return Result(name, name, Verdict.UNKNOWN, sentence)
