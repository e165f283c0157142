"""A change of permissions in ``gitreg.yaml``, judged by the settings before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitreg.documents.files import read_data
from gitreg.documents.layout import MAX_BYTES, Key
from gitreg.documents.types import RegistryDocument
from gitreg.errors import InvalidDocument, TooLarge
from gitreg.git import Repository
from gitreg.policy.authority import JUDGED, AuthorityChange, authority_changes
from gitreg.policy.evaluate import SETTINGS, Decision, Policy
from gitreg.policy.evaluate import decide as judge
from gitreg.registry.promotion.context import PromotionContext
from gitreg.registry.promotion.enforce import policies
from gitreg.registry.promotion.settings_evidence import SettingsEvidence
from gitreg.registry.state.merge_preview import Merge
from gitreg.registry.state.snapshot import Snapshot

NOBODY_IS_ASKED = "no settings policy: nobody is asked"
"""The note on a change of permissions under settings with policies, but no settings policy; a server refuses it."""


@dataclass(frozen=True)
class SettingsChange:
    """A change of the judged fields of ``gitreg.yaml``.

    Parameters
    ----------
    authority:
        The changes of permissions.
    decision:
        The decision of the old file's settings policy; None if it has none.
    guarded:
        True if the old file has policies, or may have some, but no valid settings policy.
    begins:
        True if the new file cannot make the change pass: it adds the first settings policy, or repairs the file.
    """

    authority: tuple[AuthorityChange, ...]
    decision: Decision | None
    guarded: bool
    begins: bool = False


def judged_fields(settings: RegistryDocument) -> dict[str, Any]:
    """Return the fields of ``gitreg.yaml`` whose changes are judged, as plain data."""
    fields = {field: getattr(settings, field) for field in JUDGED}
    return {field: list(value) if isinstance(value, tuple) else value for field, value in fields.items()}


def differing_fields(repository: Repository, old: str | None, new: str | None) -> list[str]:
    """Return the judged fields that differ between two files, given by object ids; empty if one cannot be read."""
    try:
        before, after = (_read(repository, oid) for oid in (old, new))
    except (InvalidDocument, TooLarge):  # a problem of its own
        return []
    return [field for field in JUDGED if before.get(field) != after.get(field)]


def _read(repository: Repository, oid: str | None) -> dict[str, Any]:
    if oid is None:
        return {}
    data = read_data(Key("registry"), repository.read_blob(oid, limit=MAX_BYTES))
    return judged_fields(RegistryDocument.from_data(data))


def settings_change(merge: Merge, context: PromotionContext) -> SettingsChange | None:
    """Return the change of the judged fields, judged by the merge's base; None without a change or without a base."""
    if merge.base is None or not any(change.key == Key("registry") for change in merge.changes):
        return None
    if merge.base.index.get(merge.base.seq, "registry", "", "") is None:
        return None
    new = judged_fields(merge.head.settings)
    try:
        old = judged_fields(merge.base.settings)
    except InvalidDocument:
        return _mended(merge.base)
    if old == new:
        return None
    known = _understood(merge.base)
    (policy,) = known[SETTINGS] if known and SETTINGS in known else (None,)
    decision = judge(policy, SettingsEvidence(merge.base, merge.head, context)) if policy else None
    authority = authority_changes(old, new, models=merge.head.model_names(), understood=known is not None)
    begins = SETTINGS in new["policies"] and SETTINGS not in old["policies"]
    return SettingsChange(tuple(authority), decision, bool(old["policies"]) and policy is None, begins)


def _mended(base: Snapshot) -> SettingsChange:
    """Return the change that repairs a file which was never readable, so that it had no policies in force.

    A file of a newer format, or with a history that a shallow clone lacks, may have policies.
    """
    change = AuthorityChange("policies", "changes", (), "gitreg.yaml could not be read before, nor could its policies")
    return SettingsChange((change,), None, base.may_have_policies, begins=True)


def _understood(base: Snapshot) -> Mapping[str, Sequence[Policy]] | None:
    """Return the policies of the base; None if one is invalid: they guard nothing, and a server asks its keeper."""
    try:
        return policies(base)
    except InvalidDocument:
        return None
