"""Promotion: the policy of a stage held against the evidence of a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.registry.promotion import context as context
    from gitreg.registry.promotion import enforce as enforce
    from gitreg.registry.promotion import people as people
    from gitreg.registry.promotion import people_evidence as people_evidence
    from gitreg.registry.promotion import settings_changes as settings_changes
    from gitreg.registry.promotion import settings_evidence as settings_evidence
    from gitreg.registry.promotion import signatures as signatures
    from gitreg.registry.promotion import snapshot_evidence as snapshot_evidence
    from gitreg.registry.promotion import stage_entries as stage_entries
    from gitreg.registry.promotion import stage_holders as stage_holders
else:
    __getattr__ = import_on_use(__name__)
