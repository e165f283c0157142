"""A change of who may do what, judged by the ``gitreg.yaml`` before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitreg.documents.layout import Key
from gitreg.errors import InvalidDocument
from gitreg.policy.authority import JUDGED, AuthorityChange, authority_changes
from gitreg.policy.deciding import SETTINGS, Decision, Policy
from gitreg.policy.deciding import decide as judge
from gitreg.registry.circumstances import Circumstances
from gitreg.registry.decisions import policies
from gitreg.registry.merging import Merge
from gitreg.registry.settings_evidence import SettingsEvidence
from gitreg.registry.snapshot import Snapshot


@dataclass(frozen=True)
class SettingsChange:
    """A change of the judged fields.

    Parameters
    ----------
    authority:
        What it does to who may do what.
    decision:
        What the settings policy of the old file says of it; None where there is none.
    guarded:
        Whether the old file has policies, but none for settings that is understood.
    """

    authority: tuple[AuthorityChange, ...]
    decision: Decision | None
    guarded: bool


def judged_fields(snapshot: Snapshot) -> dict[str, Any]:
    """Return what ``gitreg.yaml`` says in the fields whose change is judged, as plain data."""
    settings = snapshot.settings
    said = {field: getattr(settings, field) for field in JUDGED}
    return {field: list(value) if isinstance(value, tuple) else value for field, value in said.items()}


def settings_change(merge: Merge, circumstances: Circumstances) -> SettingsChange | None:
    """Return a merge's change of the judged fields, judged by its base; None where they stay, or there is no base."""
    if merge.base is None or not any(change.key == Key("registry") for change in merge.changes):
        return None
    if merge.base.index.get(merge.base.seq, "registry", "", "") is None:
        return None
    old, new = judged_fields(merge.base), judged_fields(merge.head)
    if old == new:
        return None
    policy = _policy(merge.base, old["policies"])
    decision = judge(policy, SettingsEvidence(merge.base, merge.head, circumstances)) if policy else None
    return SettingsChange(tuple(authority_changes(old, new)), decision, bool(old["policies"]) and policy is None)


def _policy(base: Snapshot, said: Mapping[str, Any]) -> Policy | None:
    if SETTINGS not in said:
        return None
    try:
        return policies(base).get(SETTINGS)
    except InvalidDocument:  # what nobody understands guards nothing; a server asks its keeper then
        return None
