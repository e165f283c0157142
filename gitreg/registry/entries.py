"""The entry of a version into a stage, judged again: by the policy that stood before it, over what stood with it.

An entry is the commit of the branch's first-parent line by which a version came to hold a stage.
"""

from __future__ import annotations

from dataclasses import replace

from gitreg.documents.layout import Key
from gitreg.errors import GitregError
from gitreg.policy.deciding import Decision
from gitreg.policy.results import Outcome, Result
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.dates import Dates
from gitreg.registry.decisions import decide
from gitreg.registry.history import overridden_by
from gitreg.registry.index import Entry, Moment
from gitreg.registry.merging import told_by
from gitreg.registry.snapshot import ModelVersion, Snapshot
from gitreg.registry.tenure import is_rollback


def entry_decision(
    snapshot: Snapshot, version: ModelVersion, stage: str, circumstances: Circumstances
) -> Decision | None:
    """Return what the policy made of a version's last entry into a stage; None where it never held it.

    The policy, the people and the history are those of the entry's first parent; the version, its card and its
    approvals are as the entry had them; the clock stood at the entry's date; who promoted, and what force overrode, is
    told by its commit. ``command`` gates count as met: they ran when it was checked. No policy, and nothing is asked:
    the decision has no results. What cannot be asked any more is a result of its own, not evaluated.

    Parameters
    ----------
    snapshot:
        What the branch says; later entries are not looked at.
    """
    entries = _entries(snapshot, version, stage)
    if not entries:
        return None
    # A rollback counts as what it goes back to: up to the first entry that was none.
    line = []
    for entry in entries:
        line.append(entry)
        before = _before(snapshot, entry)
        if before is None or not is_rollback(before, entry):
            break
    decision: Decision | None = None
    for entry in reversed(line):
        returned = decision is not None and decision.allowed
        decision = _judge(snapshot, entry, version.reference, circumstances, rollback=returned)
    return decision


def may_return(snapshot: Snapshot, version: ModelVersion, stage: str, circumstances: Circumstances) -> bool:
    """Return whether a rollback may give a stage back to a version without asking its gates: they let it in before."""
    if not snapshot.settings.policies:
        return True
    decision = entry_decision(snapshot, version, stage, circumstances)
    return decision is not None and decision.allowed


def _entries(snapshot: Snapshot, version: ModelVersion, stage: str) -> list[Entry]:
    """Return the pointers by which a version came to hold a stage, the newest first."""
    found: list[Entry] = []
    until = None
    for entry in snapshot.index.history(snapshot.seq, "stage", version.model, stage):
        if entry.data is None or entry.data["version"] != version.version:
            continue
        if found and entry.until is not None and entry.until == until:
            found[-1] = entry  # said anew of the same holder: the entry is where that began
        else:
            found.append(entry)
        until = entry.since
    return found


def _before(snapshot: Snapshot, entry: Entry) -> Snapshot | None:
    """Return what the branch said before an entry; None where there was nothing, or a shallow clone lacks it."""
    if entry.since <= 1 or snapshot.index.moment(entry.since).boundary:
        return None
    return Snapshot(snapshot.index, entry.since - 1, snapshot.index.moment(entry.since - 1).oid)


def _judge(
    snapshot: Snapshot, entry: Entry, reference: str, circumstances: Circumstances, *, rollback: bool
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
        ledger = circumstances.ledger
        told = told_by(ledger, moment, Key(*entry[:3])) if ledger is not None else moment  # as judges see it
        then = replace(
            circumstances,
            promoter=lambda: told.email,
            now=lambda: _date(snapshot, moment, circumstances),
            again=True,
            run=lambda *_: True,
            proposing=False,
            files_follow=False,
        )
        force = bool(overridden_by(told))
        return decide(base, head, version, Key(*entry[:3]), then, force=force, rollback=rollback)
    except GitregError as error:  # settings or policies that were not understood then let nobody in
        return Decision(reference, entry.name, False, (_unknown("policy", error.message),))


def _date(snapshot: Snapshot, moment: Moment, circumstances: Circumstances) -> float:
    """Return the date of an entry: no earlier than any commit before it, and not yet to come."""
    now = circumstances.now() if circumstances.now is not None else moment.time
    return Dates(snapshot.index, now, circumstances.ledger, here=circumstances.here).came(moment.seq).time


def _unknown(name: str, sentence: str) -> Result:
    return Result(name, name, Outcome.UNKNOWN, sentence)
