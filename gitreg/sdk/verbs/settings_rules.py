"""The rules that a change of ``gitreg.yaml``, or of another file that people write, meets before it is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.errors import InvalidInput, Refused
from gitreg.policy.evaluate import SETTINGS
from gitreg.registry.promotion.settings_changes import NOBODY_IS_ASKED, SettingsChange, settings_change
from gitreg.registry.rules.file_rules import BY_HAND
from gitreg.registry.rules.merge_rules import problems
from gitreg.registry.state.merge_preview import preview_merge
from gitreg.registry.writing.commit import Operation, plan

if TYPE_CHECKING:
    from gitreg.registry.state.snapshot import Snapshot
    from gitreg.registry.writing.changes import Changes
    from gitreg.sdk.session import Session


def judged(session: Session, operation: Operation) -> Operation:
    """Return an operation whose changes are held against the rules of a merge, and against the settings policy.

    A proposal is judged when it is merged. Without a settings policy beside other policies, a warning says so.
    """
    branch, repository = session.branch, session.branch.repository

    def held_against_the_rules(snapshot: Snapshot) -> Changes:
        changes = operation(snapshot)
        if not (files := plan(branch, snapshot, changes)):
            return changes
        who = session.writer()
        signed = SETTINGS in snapshot.sound_settings().policies  # its gates may ask who signed
        made = repository.build_commit(
            snapshot.commit, files, message=changes.message, author=who.author, committer=who.committer, sign=signed
        )
        with preview_merge(branch, snapshot.commit, made) as merge:
            if found := next(problems(branch, merge), None):
                hint = None if found.remedy == BY_HAND else found.remedy  # no file is wrong yet
                raise InvalidInput(f"{found.where} {found.what}", hint=hint)
            change = settings_change(merge, session.context())
            if change is not None and not session.proposing:
                _decide(change)
                tell_unasked(session, change)
        return changes

    return held_against_the_rules


def _decide(change: SettingsChange) -> None:
    if change.decision is None:
        return
    reasons = [f"{result.name}: {result.sentence}" for result in change.decision.unmet]
    if change.decision.protected:
        reasons.append("it is changed by pull request only (`protected` in policies.settings)")
    if reasons:
        raise Refused(
            f"gitreg.yaml changes who may do what: {reasons[0]}",
            hint="propose it by --pr; policies.settings of the file before says who may",
        )


def tell_unasked(session: Session | type[Session], change: SettingsChange | None) -> None:
    """Warn of a change of permissions that a server would refuse."""
    if change is not None and change.guarded:
        session.tell(f"gitreg.yaml changes who may do what; {NOBODY_IS_ASKED}")
