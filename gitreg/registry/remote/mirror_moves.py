"""The derived refs of stages and aliases (mirror refs): where each has to point, and which may move there.

A mirror ref follows the file of its pointer. If the policy refuses the holder of a stage, the stage's mirror ref stays,
whoever would move it: a deployment, or a protected branch of a forge, that follows the ref keeps the last version that
was let in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gitreg.documents.layout import Key
from gitreg.git import RefUpdate
from gitreg.registry import promotion
from gitreg.registry.state.branch import RegistryBranch
from gitreg.registry.state.registry_refs import mirror_namespace, mirror_ref, parse_mirror_ref
from gitreg.registry.state.snapshot import Snapshot

if TYPE_CHECKING:
    from gitreg.policy.evaluate import Decision
    from gitreg.registry.promotion.context import PromotionContext


class MirrorMoves(NamedTuple):
    """The mirror refs that are not at the last change of their pointers' files.

    Parameters
    ----------
    due:
        The updates of the refs that move.
    refused:
        The refs that stay, each with the decision on the holder of its stage.
    """

    due: list[RefUpdate]
    refused: dict[str, Decision]

    def tell(self) -> None:
        """Warn of each mirror ref that stays."""
        if not self.refused:
            return
        for ref, decision in self.refused.items():
            # With the same code line each time, so that Python shows a repeated warning once.
            warnings.warn(f"{ref} stays where it is: {promotion.stage_holders.sentence(decision)}", stacklevel=1)


def mirror_updates(branch: RegistryBranch, snapshot: Snapshot) -> list[RefUpdate]:
    """Return the update of each mirror ref to the last commit that touched its pointer's file, even if it is there."""
    settings = snapshot.settings
    current: dict[str, str] = {}
    for kind in ("stage", "alias"):
        current.update(branch.repository.refs(f"{mirror_namespace(settings, kind)}/"))
    updates = []
    for kind in ("stage", "alias"):
        for model, name, seq in snapshot.index.last_touched(snapshot.seq, kind):
            moment = snapshot.index.moment(seq)
            if not moment.boundary:  # a shallow clone does not know the file's last change
                ref = mirror_ref(settings, Key(kind, model, name))
                updates.append(RefUpdate(ref, moment.oid, current.get(ref)))
    return updates


def mirror_moves(
    branch: RegistryBranch,
    snapshot: Snapshot,
    context: Callable[[], PromotionContext],
    *,
    other_refs: Mapping[str, str] | None = None,
) -> MirrorMoves:
    """Return the mirror refs that have to move, and those of stages whose move the policy refuses.

    Parameters
    ----------
    context:
        Returns the context for policies; called only if a policy has to be evaluated.
    other_refs:
        The mirror refs of another repository, by name; None for those of this one.
    """
    updates = mirror_updates(branch, snapshot)
    if other_refs is not None:
        updates = [update._replace(old=other_refs.get(update.name)) for update in updates]
    due = [update for update in updates if update.old != update.new]
    keys = (parse_mirror_ref(snapshot.settings, update.name) for update in due)
    stages = [key for key in keys if key is not None and key.kind == "stage"]
    if not stages:
        return MirrorMoves(due, {})
    refused = {
        mirror_ref(snapshot.settings, promotion.stage_holders.pointer(decision)): decision
        for decision in promotion.stage_holders.judge_pointers(snapshot, context, stages)
        if promotion.stage_holders.is_refused(decision)
    }
    return MirrorMoves([update for update in due if update.name not in refused], refused)
